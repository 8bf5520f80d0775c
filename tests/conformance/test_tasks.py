"""Every task and loss in each framework: loss, gradients and training are those of one function, to 1e-12."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare import networks
from compare.parity.check import Checker
from compare.parity.runs import Extent
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from shared import contract
from shared.data import Data
from shared.description import CONTRACT
from shared.models import LayerSpec, ModelSpec, weighted
from shared.protocol import Build
from shared.task import LOSSES, TASKS
from shared.training import TrainSpec
from shared.weights import initial_weights

FORMS = {
    "torch.py": '''
import torch.nn.functional as F
from torch import nn

from torch_impl.models import untapped

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, kernel_size=3)
        self.head = nn.Linear(4, 3)

    def forward(self, x, tap=untapped):
        x = tap("stem", F.relu(self.stem(x)))
        x = tap("mean", x.mean((2, 3)))
        return tap("head", self.head(x))
''',
    "keras.py": '''
import keras
from keras import layers

def network():
    return keras.Sequential([
        keras.Input((8, 6, 1)),
        layers.Conv2D(4, 3, activation="relu", name="stem"),
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(3, name="head"),
    ])
''',
    "tf_lowlevel.py": '''
import tensorflow as tf

from tf_lowlevel_impl.layers import Conv2D, Dense

class Network(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        self.stem = Conv2D(1, 4, size=3, padding="VALID", dtype=dtype)
        self.head = Dense(4, 3, dtype=dtype)

    def __call__(self, x, training=False, tap=lambda name, output: output):
        x = tap("stem", tf.nn.relu(self.stem(x)))
        x = tap("mean", tf.reduce_mean(x, (1, 2)))
        return tap("head", self.head(x))
''',
}  # fmt: skip
SPEC = ModelSpec(
    name="mine",
    input_shape=(8, 6, 1),
    n_classes=3,
    parameters=(*weighted("stem", (3, 3, 1, 4)), *weighted("head", (4, 3))),
    layers=(LayerSpec("stem", (6, 4, 4), flops=1_728), LayerSpec("mean", (4,)), LayerSpec("head", (3,), flops=24)),
    n_params=55,
    n_trainable=55,
    flops=1_752,
)
MATCHED = ("torch", "keras", "tf_lowlevel")
OTHERS = [(name, loss) for name, task in TASKS.items() if not task.classifies for loss in task.losses]


def data_for(spec: ModelSpec) -> Data:
    rng = np.random.default_rng(0)
    x = rng.random((52, *spec.input_shape)).astype(np.float32)
    y = rng.normal(size=(52, 3)) if spec.task == "regression" else rng.random((52, 3)) < 0.4
    labels = y.astype(np.float32)
    return Data(x[:40], labels[:40], x[40:], labels[40:])


@pytest.mark.parametrize(("task", "loss"), OTHERS)
def test_each_framework_has_the_same_loss_gradients_and_training(
    session_for: Callable[[str, str], Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, loss: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in FORMS.items():
        (folder / name).write_text(text)
    (folder / CONTRACT).write_bytes(contract.write(replace(SPEC, task=task, loss=loss)))  # type: ignore[arg-type]
    mine = networks.own(folder)
    data, train = data_for(mine), TrainSpec(epochs=2, batch_size=16, dtype="float64")
    sessions = {name: session_for(name, "dense_baseline") for name in MATCHED}

    result = Checker(sessions, 1).check(Subject(mine, train, data), Extent(n_steps=4, dtypes=("float64",), n_draws=1))
    assert result.passed, result.verdict

    weights, seen = initial_weights(mine, 3), {}
    for name, session in sessions.items():
        session.load_data(data)
        session.create(Build(mine, train, weights, "cpu", IMPLEMENTATIONS[name].default_mode))
        found, gradients = session.gradients()
        evaluation = session.evaluate("test")
        assert evaluation.loss == pytest.approx(LOSSES[mine.loss](session.logits(data.x_test), data.y_test), rel=1e-12)
        assert set(evaluation.metrics) == {metric.name for metric in TASKS[mine.task].metrics}
        assert (evaluation.accuracy, evaluation.confusion) == (None, ())
        end = session.train_slice(3).epoch_end
        assert end is not None
        assert end.train_metrics.keys() == evaluation.metrics.keys()
        seen[name] = {"loss": np.array(found), **gradients, **session.weights()}
    for name in MATCHED[1:]:
        for what, values in seen["torch"].items():
            np.testing.assert_allclose(seen[name][what], values, rtol=1e-12, atol=1e-13, err_msg=f"{name}, {what}")
