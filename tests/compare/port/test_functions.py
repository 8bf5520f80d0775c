"""Functions over tf.Variables are accepted as models, and loops of a SavedModel are followed."""

from pathlib import Path

import pytest

from compare.port import Port

TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))

class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6, bias=False)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.fc(x))
        return x

class Auxiliary(Net):
    def forward(self, x):
        h = self.a(x)
        y = self.b(torch.relu(h))
        return (y, h.sum(1)) if self.training else y
"""
TENSORFLOW = """
import tensorflow as tf

W1, b1 = tf.Variable(tf.random.normal((6, 5))), tf.Variable(tf.zeros(5))
W2, b2 = tf.Variable(tf.random.normal((5, 3))), tf.Variable(tf.zeros(3))
held = {"W": W1, "b": b1}

def plain(x):
    return tf.matmul(tf.nn.relu(tf.matmul(x, W1) + b1), W2) + b2

def in_a_dictionary(x, training=False):
    return tf.matmul(tf.nn.relu(tf.matmul(x, held["W"]) + held["b"]), W2) + b2

graph = tf.function(plain)

def closure():
    w, c = tf.Variable(tf.random.normal((6, 5))), tf.Variable(tf.zeros(5))
    v, d = tf.Variable(tf.random.normal((5, 3))), tf.Variable(tf.zeros(3))
    return lambda x: tf.nn.relu(x @ w + c) @ v + d

def slipped(x):
    return tf.matmul(tf.nn.leaky_relu(tf.matmul(x, W1) + b1, 0.2), W2) + b2

class Loop(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((6, 6)))

    @tf.function(input_signature=[tf.TensorSpec((None, 6), tf.float32)])
    def __call__(self, x):
        turn = tf.constant(0)
        while turn < 3:
            x = tf.tanh(x @ self.w)
            turn += 1
        return x

def saved():
    network = Loop()
    tf.saved_model.save(network, "FOLDER/loop")
    return network
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the models of both frameworks."""
    made = tmp_path_factory.mktemp("functions")
    (made / "nets.py").write_text(TORCH)
    (made / "functions.py").write_text(TENSORFLOW.replace("FOLDER", str(made)))
    return made


@pytest.mark.parametrize("name", ["plain", "in_a_dictionary", "graph", "closure"])
def test_a_function_is_a_model(name: str, folder: Path, port: Port) -> None:
    found = port.check(f"{folder}/nets.py:Net", f"{folder}/functions.py:{name}", input=(6,))
    assert found.verdict == "same"
    assert found.n_weights == 4


def test_a_slip_in_a_function_is_named(folder: Path, port: Port) -> None:
    found = port.check(f"{folder}/nets.py:Net", f"{folder}/functions.py:slipped", input=(6,))
    assert [cause.cause for cause in found.causes] == ["activation.kind"]
    assert found.unexplained == ()


def test_the_loop_of_a_saved_model_is_followed(folder: Path, port: Port) -> None:
    """The running worker saves it."""
    assert port.check(f"{folder}/nets.py:Loop", f"{folder}/functions.py:saved", input=(6,)).verdict == "same"
    assert port.check(f"{folder}/nets.py:Loop", f"{folder}/loop", input=(6,)).verdict == "same"


def test_an_output_of_training_alone_is_compared_with_nothing(folder: Path, port: Port) -> None:
    """An example is the auxiliary output of Inception, which another library does not have."""
    for left, right in (("Auxiliary", "Net"), ("Net", "Auxiliary")):
        found = port.check(f"{folder}/nets.py:{left}", f"{folder}/nets.py:{right}", input=(6,))
        assert found.unexplained == ()
        assert found.output_distance == 0
        assert found.verdict == "different"
        assert [(cause.cause, cause.training) for cause in found.causes] == [("outputs.number", True)]
