"""Weights of recurrent layers and attention in both directions, and two models with five slips at once."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import float32, model, saved

from compare.port import Port
from compare.port.check import compare_models
from compare.port.inputs import parse_sizes
from compare.port.result import PortResult, Request, Weights
from compare.port.words import lines
from compare.port.workers import ModelWorkers

HERE = Path(__file__).parents[2] / "support" / "ported"

TORCH = """import torch
from torch import nn
from safetensors.torch import load_file


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 6)
        self.lstm = nn.LSTM(6, 3, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(6, 6, batch_first=True)
        self.rnn = nn.RNN(6, 6, batch_first=True)
        self.att = nn.MultiheadAttention(6, 3, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, ids):
        x = self.lstm(self.emb(ids))[0]
        x = self.rnn(self.gru(x)[0])[0]
        return self.head(x + self.att(x, x, x, need_weights=False)[0])


def build():
    return Net()


def loaded():
    net = Net().double()
    net.load_state_dict(load_file("PATH"))
    return net
"""
KERAS = """import keras
from keras import layers as L


def build():
    ids = keras.Input((7,), dtype="int32")
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(L.Embedding(9, 6)(ids))
    x = L.SimpleRNN(6, return_sequences=True)(L.GRU(6, return_sequences=True)(x))
    return keras.Model(ids, L.Dense(2)(x + L.MultiHeadAttention(3, 2)(x, x)))


def loaded():
    model = build()
    model.load_weights("PATH")
    return model
"""


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path, Path, Path]:
    """Return both models, and the paths for their weights."""
    to_keras, to_torch = tmp_path / "ported.weights.h5", tmp_path / "ported.safetensors"
    (tmp_path / "left.py").write_text(TORCH.replace("PATH", str(to_torch)))
    (tmp_path / "right.py").write_text(KERAS.replace("PATH", str(to_keras)))
    return tmp_path / "left.py", tmp_path / "right.py", to_keras, to_torch


@pytest.mark.long  # starts both frameworks again
def test_weights_that_were_saved_are_read_back_by_the_framework(both: tuple[Path, ...]) -> None:
    """From PyTorch to Keras and back, each framework loads the files itself, without further arguments."""
    left, right, to_keras, to_torch = both
    sizes = tuple(parse_sizes(["7:0..8"]))
    with ModelWorkers(left.parent, 300, lambda _: None) as workers:

        def compared(a: str, b: str, weights: Weights = "as-is", saved: Path | None = None) -> PortResult:
            return compare_models(Request(f"{left}:{a}", f"{right}:{b}", sizes, None, weights, saved), workers)

        given = compared("build", "build", "left", to_keras)
        assert given.verdict == "same"
        assert given.n_weights == 24
        assert compared("build", "loaded", "right", to_torch).verdict == "same"
        assert compared("loaded", "loaded").verdict == "same"
        assert compared("loaded", "build").verdict == "different"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "causes"),
    [
        (
            "encoder",
            {"layer_norm.epsilon", "layer.order", "attention.heads", "activation.kind", "attention.mask"},
        ),
        (
            "classifier",
            {"rnn.sequences", "rnn.activation", "rnn.mask", "dropout.rate", "activation.kind"},
        ),
    ],
)
def test_five_slips_at_once_are_all_named(name: str, causes: set[str], port: Port) -> None:
    left, right = f"{HERE}/{name}_torch.py:build", f"{HERE}/{name}_keras.py"
    found = port.check(left, f"{right}:ported", input="12:0..49")
    assert {cause.cause for cause in found.causes} == causes, "\n".join(lines(found))
    assert not found.unexplained
    assert (found.left_over or 1) <= (found.bound or 0)
    same = port.check(left, f"{right}:mended", input="12:0..49")
    assert same.verdict == "same", "\n".join(lines(same))


@pytest.mark.long  # 57 s of processor time, and each slip alone is in test_slips.py; .ci/run has a step with it
@pytest.mark.parametrize(
    ("name", "builds", "causes"),
    [
        (
            "encoder",
            ("build", "every_row"),
            {
                *("loss.smoothing", "optimizer.schedule", "optimizer.betas", "optimizer.weight_decay"),
                *("optimizer.decay_parameters", "embedding.padding"),  # the second is a property of PyTorch, not a slip
            },
        ),
        (
            "classifier",
            ("build", "one_bias"),
            {
                *("dropout.rate", "loss.from_logits", "optimizer.momentum", "optimizer.clipping"),
                *("optimizer.learning_rate", "optimizer.two_biases"),  # the second is a property of PyTorch, not a slip
            },
        ),
    ],
)
def test_five_slips_of_training_at_once_are_all_named(
    name: str, builds: tuple[str, str], causes: set[str], port: Port
) -> None:
    left, right = f"{HERE}/{name}_torch.py", f"{HERE}/{name}_keras.py"
    learning = {"left_loss": f"{left}:loss", "left_optimizer": f"{left}:optimizer"}
    found = port.check(f"{left}:{builds[0]}", f"{right}:trained", "12:0..49", **learning, steps=12)
    assert {cause.cause for cause in found.causes} == causes, "\n".join(lines(found))
    assert not found.unexplained
    assert ((found.learning and found.learning.steps[-1].distance) or 0) > 1e-3
    same = port.check(f"{left}:{builds[1]}", f"{right}:trained_alike", "12:0..49", **learning, steps=12)
    assert same.verdict == "same", "\n".join(lines(same))
    assert same.learning is not None
    assert len(same.learning.steps) == 12
    assert all((step.distance or 0) <= (step.bound or 0) for step in same.learning.steps)


STATES = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 3, batch_first=True, bidirectional=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.head(torch.cat([h[-2], h[-1]], dim=1))
"""
MEAN = """import keras
from keras import layers as L


def build():
    x = keras.Input((5, 4))
    y = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    return keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(y)))
"""


@pytest.mark.slow
def test_a_mean_for_both_directions_last_states_is_one_cause(port: Port, tmp_path: Path) -> None:
    """Both join two directions, states along axis 1 and sequences along axis 2. That is not a separate cause."""
    left, right = tmp_path / "left.py", tmp_path / "right.py"
    left.write_text(STATES)
    right.write_text(MEAN)
    found = port.check(f"{left}:Net", f"{right}:build")
    assert [cause.cause for cause in found.causes] == ["rnn.sequences"], "\n".join(lines(found))
    assert found.causes[0].fix["right"].startswith("return_sequences=False")
    assert (found.left_over or 1) <= (found.bound or 0)


PACKED = """import torch
import torch.nn.functional as F
from torch import nn
from safetensors.torch import load_file


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(6, 18)
        self.out = nn.Linear(6, 6)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.out(F.scaled_dot_product_attention(q, k, v))


def build():
    return Net()


def loaded():
    net = Net().double()
    net.load_state_dict(load_file("PATH"))
    return net
"""
DIFFERENT = """import keras
from keras import layers as L


def build():
    keras.utils.set_random_seed(3)
    x = keras.Input((7, 6))
    return keras.Model(x, L.MultiHeadAttention(1, 6)(x, x))
"""


@pytest.mark.slow
def test_weights_of_three_layers_go_into_one(port: Port, tmp_path: Path) -> None:
    """One layer of PyTorch computes queries, keys and values together."""
    workers = port._workers
    left, right, kept = tmp_path / "left.py", tmp_path / "right.py", tmp_path / "packed.safetensors"
    left.write_text(PACKED.replace("PATH", str(kept)))
    right.write_text(DIFFERENT)
    given = compare_models(Request(f"{left}:build", f"{right}:build", (), None, "right", kept), workers)
    assert (given.verdict, given.n_weights) == ("same", 8)
    again = compare_models(Request(f"{left}:loaded", f"{right}:build", (), None, "as-is"), workers)
    assert again.verdict == "same"


@pytest.mark.slow
def test_an_onnx_file_of_a_recurrent_network(port: Port, tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    steps = [
        ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
        ("LSTM", ["t", "w", "r", "b"], ["s", "h"], {"hidden_size": 4, "direction": "bidirectional"}),
        ("Transpose", ["h"], ["h2"], {"perm": [1, 0, 2]}),
        ("Reshape", ["h2", "shape"], ["y"], {}),
    ]
    arrays = {"w": float32(draw, 2, 16, 5), "r": float32(draw, 2, 16, 4), "b": float32(draw, 2, 32)}
    path = saved(tmp_path, model(steps, {**arrays, "shape": np.array([0, -1])}, ("n", 7, 5)))
    text = "import keras\nfrom keras import layers as L\n\n"
    text += "def build():\n    x = keras.Input((7, 5))\n    return keras.Model(x, {})"
    same, other = tmp_path / "same.py", tmp_path / "other.py"
    same.write_text(text.format("L.Bidirectional(L.LSTM(4))(x)"))
    other.write_text(text.format("L.Bidirectional(L.LSTM(4, return_sequences=True))(x)[:, -1]"))
    found = port.check(str(path), f"{same}:build")
    assert found.verdict == "same", "\n".join(lines(found))
    found = port.check(str(path), f"{other}:build")
    assert [cause.cause for cause in found.causes] == ["rnn.sequences"], "\n".join(lines(found))
