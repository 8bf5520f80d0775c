"""A user's own network, unlike any built-in one: each framework describes it as its contract states, and trains it
equally."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare import networks
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared import contract
from shared.description import CONTRACT
from shared.errors import UserCodeError
from shared.models import LayerSpec, ModelSpec, normalised, weighted
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

FORMS = {
    "torch.py": '''
import torch.nn.functional as F
from torch import nn

from torch_impl.layers import BatchNorm
from torch_impl.models import untapped

class Network(nn.Module):
    def __init__(self, norm2d=BatchNorm, dropout=0.25):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, kernel_size=(3, 5), stride=2)
        self.norm = norm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4, 7)

    def forward(self, x, tap=untapped):
        x = tap("stem", F.relu(self.stem(x)))
        x = tap("norm", self.norm(x))
        x = tap("mean", x.mean((2, 3)))
        x = tap("dropout", self.dropout(x))
        return tap("head", self.head(x))
''',
    "keras.py": '''
import keras
from keras import layers

from tf_impl.layers import BatchNormalization

def network(norm=BatchNormalization, dropout=0.25):
    return keras.Sequential([
        keras.Input((40, 24, 3)),
        layers.Conv2D(4, (3, 5), strides=2, activation="relu", name="stem"),
        norm(name="norm"),
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dropout(dropout, name="dropout"),
        layers.Dense(7, name="head"),
    ])
''',
    "tf_lowlevel.py": '''
import tensorflow as tf

from tf_lowlevel_impl.layers import BatchNorm, Dense, Dropout
from .stem import Stem

class Network(tf.Module):
    def __init__(self, dtype, dropout=0.25):
        super().__init__()
        self.stem = Stem(dtype)
        self.norm = BatchNorm(4, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.head = Dense(4, 7, dtype=dtype)

    def __call__(self, x, training=False, tap=lambda name, output: output):
        x = tap("stem", tf.nn.relu(self.stem(x)))
        x = tap("norm", self.norm(x, training))
        x = tap("mean", tf.reduce_mean(x, (1, 2)))
        x = tap("dropout", self.dropout(x, training))
        return tap("head", self.head(x))
''',
    "stem.py": '''
import tensorflow as tf

class Stem(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((3, 5, 3, 4), dtype))
        self.bias = tf.Variable(tf.zeros(4, dtype))

    def __call__(self, x):
        return tf.nn.conv2d(x, self.kernel, 2, "VALID") + self.bias
''',
}  # fmt: skip
SPEC = ModelSpec(
    name="mine",
    input_shape=(40, 24, 3),
    n_classes=7,
    parameters=(*weighted("stem", (3, 5, 3, 4)), *normalised("norm", 4), *weighted("head", (4, 7))),
    layers=(
        LayerSpec("stem", (19, 10, 4), flops=68_400),
        LayerSpec("norm", (19, 10, 4)),
        LayerSpec("mean", (4,)),
        LayerSpec("dropout", (4,)),
        LayerSpec("head", (7,), flops=56),
    ),
    n_params=235,
    n_trainable=227,
    flops=68_456,
    dropout=0.25,
)
MATCHED = ("torch", "keras", "tf_lowlevel")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """Return the contract of the network in the folder `mine`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in FORMS.items():
        (folder / name).write_text(text)
    (folder / CONTRACT).write_bytes(contract.write(SPEC))
    return networks.own(folder)


def test_each_framework_meets_one_contract(session_for: Callable[[str, str], Session], mine: ModelSpec) -> None:
    images = np.random.default_rng(0).random((4, 40, 24, 3)).astype(np.float32)
    found = {}
    for name in MATCHED:
        session = session_for(name, "dense_baseline")
        assert mine.code is not None
        description = session.describe(mine.code, mine.input_shape)
        assert contract.derived("mine", description) == SPEC, name
        weights = initial_weights(mine, 3)
        train = TrainSpec(epochs=1, dtype="float64")
        session.create(Build(mine, train, weights, "cpu", IMPLEMENTATIONS[name].default_mode))
        found[name] = session.activations(images)
    for name in MATCHED[1:]:
        for layer, output in found["torch"].items():
            np.testing.assert_allclose(found[name][layer], output, rtol=0, atol=1e-12, err_msg=f"{name}, {layer}")


def test_what_is_not_as_the_contract_says_is_named(session_for: Callable[[str, str], Session], mine: ModelSpec) -> None:
    other = replace(mine, dropout=0.5)
    session = session_for("torch", "dense_baseline")
    with pytest.raises(UserCodeError, match=r"torch.py is not as mine/contract.json says: its dropout is 0.25, in the"):
        session.create(Build(other, TrainSpec(epochs=1), initial_weights(other, 0), "cpu", "eager"))


def test_a_fault_deep_in_a_framework_is_shown_by_the_users_own_line(
    session_for: Callable[[str, str], Session], mine: ModelSpec, tmp_path: Path
) -> None:
    """The framework's own lines are many and come last. So the line to fix would not be among the last ones."""
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "torch.py").write_text(
        FORMS["torch.py"]
        .replace("def forward(self, x", "def forward(self, given")
        .replace(
            "        x = tap(",
            "        x = nn.Sequential(nn.Sequential(nn.Conv2d(9, 9, 3)))(given)\n        x = tap(",
            1,
        )
    )
    (folder / CONTRACT).write_bytes(contract.write(SPEC))
    deep = networks.own(folder)
    with pytest.raises(UserCodeError) as caught:
        session_for("torch", "dense_baseline").create(Build(deep, TrainSpec(epochs=1), initial_weights(deep, 0)))
    assert caught.value.message.startswith("deep/torch.py failed when it was to be built and called")
    assert "nn.Conv2d(9, 9, 3)" in "".join(caught.value.lines)
    assert "expected input" in caught.value.lines[-1]
    assert all("site-packages" not in line for line in caught.value.lines)
