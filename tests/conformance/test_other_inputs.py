"""Networks for vectors, sequences or tokens: each framework describes them equally, and they are one function to
1e-12."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compare import networks
from compare.parity.check import Checker
from compare.parity.runs import Extent
from compare.processes.session import Session
from compare.subject import Subject
from shared import contract
from shared.data import Data
from shared.description import CONTRACT
from shared.training import TrainSpec

TORCH = """
import torch.nn.functional as F
from torch import nn

from torch_impl.layers import GRU, LSTM
from torch_impl.models import untapped

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        {torch_layers}
        self.head = nn.Linear(4, 3)

    def forward(self, x, tap=untapped):
        {torch_calls}
        return tap("head", self.head(x))
"""
KERAS = """
import keras
from keras import layers

def network():
    return keras.Sequential([
        {keras_layers}
        layers.Dense(3, name="head"),
    ])
"""
LOWLEVEL = """
import tensorflow as tf

from tf_lowlevel_impl.layers import GRU, LSTM, Dense, Embedding

class Network(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        {raw_layers}
        self.head = Dense(4, 3, dtype=dtype)

    def __call__(self, x, training=False, tap=lambda name, output: output):
        {raw_calls}
        return tap("head", self.head(x))
"""
CONVOLUTION = """
class Conv1D(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((3, 5, 4), dtype))
        self.bias = tf.Variable(tf.zeros(4, dtype))

    def __call__(self, x):
        return tf.nn.conv1d(x, self.kernel, 1, "VALID") + self.bias
"""
KINDS = {
    "vectors": {
        "shape": (6,),
        "torch_layers": "self.first = nn.Linear(6, 4)",
        "torch_calls": 'x = tap("first", F.relu(self.first(x)))',
        "keras_layers": 'keras.Input((6,)), layers.Dense(4, activation="relu", name="first"),',
        "raw_layers": "self.first = Dense(6, 4, dtype=dtype)",
        "raw_calls": 'x = tap("first", tf.nn.relu(self.first(x)))',
        "outputs": {"first": (4,), "head": (3,)},
        "flops": 2 * (6 * 4 + 4 * 3),
    },
    "sequences": {
        "shape": (7, 5),
        "torch_layers": "self.first = nn.Conv1d(5, 4, kernel_size=3)",
        "torch_calls": 'x = tap("first", F.relu(self.first(x.transpose(1, 2)).transpose(1, 2)))\n'
        '        x = tap("mean", x.mean(1))',
        "keras_layers": 'keras.Input((7, 5)), layers.Conv1D(4, 3, activation="relu", name="first"),\n'
        '        layers.GlobalAveragePooling1D(name="mean"),',
        "raw_layers": "self.first = Conv1D(dtype)",
        "raw_calls": 'x = tap("first", tf.nn.relu(self.first(x)))\n        x = tap("mean", tf.reduce_mean(x, 1))',
        "outputs": {"first": (5, 4), "mean": (4,), "head": (3,)},
        "flops": 2 * (5 * 3 * 5 * 4 + 4 * 3),
    },
    "tokens": {
        "shape": (6,),
        "torch_layers": "self.words = nn.Embedding(11, 4)",
        "torch_calls": 'x = tap("words", self.words(x))\n        x = tap("mean", x.mean(1))',
        "keras_layers": 'keras.Input((6,), dtype="int64"), layers.Embedding(11, 4, name="words"),\n'
        '        layers.GlobalAveragePooling1D(name="mean"),',
        "raw_layers": "self.words = Embedding(11, 4, dtype=dtype)",
        "raw_calls": 'x = tap("words", self.words(x))\n        x = tap("mean", tf.reduce_mean(x, 1))',
        "outputs": {"words": (6, 4), "mean": (4,), "head": (3,)},
        "flops": 2 * 4 * 3,
    },
    "recurrent": {
        "shape": (4, 5),
        "torch_layers": "self.first, self.second = LSTM(5, 6), GRU(6, 4)",
        "torch_calls": 'x = tap("first", self.first(x))\n        x = tap("second", self.second(x)[:, -1])',
        "keras_layers": 'keras.Input((4, 5)), layers.LSTM(6, return_sequences=True, name="first"),\n'
        '        layers.GRU(4, name="second"),',
        "raw_layers": "self.first, self.second = LSTM(5, 6, dtype), GRU(6, 4, dtype)",
        "raw_calls": 'x = tap("first", self.first(x))\n        x = tap("second", self.second(x)[:, -1])',
        "outputs": {"first": (4, 6), "second": (4,), "head": (3,)},
        "flops": 2 * (4 * (5 + 6) * 24 + 4 * (6 + 4) * 12 + 4 * 3),
    },
}
MATCHED = ("torch", "keras", "tf_lowlevel")


@pytest.mark.parametrize("kind", KINDS)
def test_each_framework_is_the_same_function(
    session_for: Callable[[str, str], Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = KINDS[kind]
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in (("torch", TORCH), ("keras", KERAS), ("tf_lowlevel", LOWLEVEL + CONVOLUTION)):
        (folder / f"{name}.py").write_text(text.format(**said))
    code = networks.own_code.read(folder)
    sessions = {name: session_for(name, "dense_baseline") for name in MATCHED}
    found = {name: session.describe(code, said["shape"], kind == "tokens") for name, session in sessions.items()}  # type: ignore[arg-type]
    spec = contract.derived("mine", found["keras"])
    for name in MATCHED:
        assert contract.derived("mine", found[name]) == spec, name
        assert contract.differences(spec, found[name]) == [], name
    assert {layer.name: layer.output_shape for layer in spec.layers} == said["outputs"]
    assert (spec.input_shape, spec.flops) == (said["shape"], said["flops"])
    assert spec.vocabulary == (11 if kind == "tokens" else None)
    (folder / CONTRACT).write_bytes(contract.write(spec))
    mine = networks.own(folder)
    assert (mine.inputs, mine.vocabulary) == ("tokens" if kind == "tokens" else "values", spec.vocabulary)

    rng = np.random.default_rng(0)
    x = rng.integers(0, 11, (52, 6)) if kind == "tokens" else rng.normal(size=(52, *mine.input_shape))
    x, y = x if kind == "tokens" else x.astype(np.float32), rng.integers(0, 3, 52)
    data = Data(x[:40], y[:40], x[40:], y[40:])
    # Tracing graphs takes ten times as long as these few steps. So only one kind is tested in the users' modes, which
    # are graphs.
    subject = Subject(mine, TrainSpec(epochs=2, batch_size=16), data, mode=None if kind == "sequences" else "eager")
    result = Checker(sessions, 1).check(subject, Extent(n_steps=4, dtypes=("float64",), n_draws=1))
    assert result.passed, result.verdict
    assert {reading.tensor for p in result.precisions for reading in p.ladder.readings} > set(said["outputs"])  # type: ignore[call-overload]
