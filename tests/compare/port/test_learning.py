"""`compare port` with a loss, from the command to the result."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from compare.__main__ import main
from compare.commands import port as port_command
from compare.port import Port, assert_same
from compare.port.words import lines, notes
from shared.errors import InputError

TORCH = """import torch
import torch.nn.functional as F
from torch import nn


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.c = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.c(torch.relu(self.a(torch.relu(self.a(x)))))


class Pair(Twice):
    def forward(self, x):
        y = super().forward(x)
        return y, y * 2


def failing(outputs, targets):
    return outputs.nope()


def of_each(outputs, targets):
    return F.cross_entropy(outputs, targets, reduction="none")


def weighted():
    return nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.0, 4.0]))


number = 3
"""
KERAS = """import keras
from keras import layers as L


def build(regularizer=None):
    a = L.Dense(8, activation="relu", kernel_regularizer=regularizer)
    inputs = keras.Input((8,))
    return keras.Model(inputs, L.Dense(3)(a(a(inputs))))


def compiled():
    model = build()
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
"""


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "left.py").write_text(TORCH)
    (tmp_path / "right.py").write_text(KERAS)
    return tmp_path


def test_equal_models_with_shared_weights_have_equal_gradients(port: Port, pair: Path) -> None:
    found = assert_same(f"{pair}/left.py:Twice", f"{pair}/right.py:build", loss="mse", port=port)
    assert found.learning is not None
    assert found.learning.names == {"left": "MSELoss", "right": "MeanSquaredError"}
    assert 0 <= (found.learning.gradient_distance or 0) < 1e-13
    assert found.learning.n_gradients >= 4
    assert "the gradients to" in lines(found)[0]
    assert any("gradients of weights were compared" in note for note in notes(found))


@pytest.mark.long  # starts both frameworks again; the losses of the slips are compared in the default suite
def test_a_compiled_loss_is_used_if_none_is_given(port: Port, pair: Path) -> None:
    references = f"{pair}/left.py:Twice", f"{pair}/right.py:compiled"
    found = port.check(*references, left_loss=f"{pair}/left.py:weighted")
    assert [(cause.cause, cause.left, cause.right, cause.rung) for cause in found.causes] == [
        ("loss.class_weights", "(1,1,4)", "none", "loss")
    ]
    assert found.causes[0].fix["left"] == "nn.CrossEntropyLoss()"
    assert found.causes[0].after == 0
    assert lines(found)[0].startswith("different in the loss alone: 1 cause")
    assert port.check(references[1], references[1], loss="compiled").verdict == "same"


def test_assert_same_says_what_mends_a_loss(port: Port, pair: Path) -> None:
    mend = r"(?s)loss\.from_logits.*SparseCategoricalCrossentropy\(from_logits=True\)"
    with pytest.raises(AssertionError, match=mend):
        assert_same(f"{pair}/left.py:Twice", f"{pair}/right.py:build", loss="cross_entropy", port=port)


def test_what_a_regulariser_adds_is_named_with_what_mends_it(port: Port, pair: Path) -> None:
    found = port.check(f"{pair}/left.py:Twice", f"{pair}/right.py:build('l2')", loss="mse")
    (cause,) = found.causes
    assert (cause.cause, cause.left, cause.right) == ("loss.regulariser", "nothing", "L2(l2=0.01) of the weights")
    assert cause.fix == {
        "left": "loss = loss + 0.01 * p.pow(2).sum() for every such weight p",
        "right": "leave the regularizer out",
    }


def test_of_several_outputs_the_first_has_the_loss(port: Port, pair: Path) -> None:
    found = port.check(f"{pair}/left.py:Pair", f"{pair}/left.py:Pair", input=(8,), loss="mse")
    assert found.verdict == "same"
    assert "The loss takes the first of several outputs." in notes(found)


@pytest.mark.long  # starts both frameworks again; targets are also tested without them
def test_targets_come_from_data(port: Port, pair: Path) -> None:
    data = pair / "data.npz"
    inputs = np.random.default_rng(1).normal(size=(6, 8))
    references = f"{pair}/left.py:Twice", f"{pair}/right.py:build"
    losses = []
    for labels in ([0, 1, 2, 0, 1, 2], [0, 0, 0, 0, 0, 0]):
        np.savez(data, x=inputs, labels=np.array(labels))
        found = port.check(*references, data=data, loss="cross_entropy_with_logits")
        assert found.verdict == "same"
        assert found.learning is not None
        losses.append(found.learning.losses["left"])
    assert losses[0] != losses[1]
    np.savez(data, x=inputs, labels=np.array([0, 1, 2, 3, 1, 2]))
    with pytest.raises(InputError, match="class 3, and the outputs have 3 classes"):
        port.check(*references, data=data, loss="cross_entropy")


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("failing", "no attribute 'nope'"),
        ("of_each", r"an array of shape \(2,\), and it must be one number"),
        ("number", "is not a loss but int"),
        ("absent", "has no absent"),
    ],
)
def test_a_loss_that_fails_is_shown_as_its_own_failure(loss: str, said: str, port: Port, pair: Path) -> None:
    with pytest.raises(InputError, match=f"(?s)The left model.*{said}") as raised:
        port.check(
            f"{pair}/left.py:Twice", f"{pair}/right.py:build", left_loss=f"{pair}/left.py:{loss}", loss="cross_entropy"
        )
    assert "compare/adapters" not in str(raised.value)


def test_a_model_without_a_loss_is_refused(port: Port, pair: Path) -> None:
    with pytest.raises(InputError, match="A PyTorch model states no loss"):
        port.check(f"{pair}/left.py:Twice", f"{pair}/right.py:compiled", loss="compiled")
    with pytest.raises(InputError, match="was not compiled with one loss"):
        port.check(f"{pair}/left.py:Twice", f"{pair}/right.py:build", left_loss=f"{pair}/left.py:weighted")


@pytest.fixture
def run(
    pair: Path, port: Port, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """run(*arguments) -> exit code, output and errors of the command on the pair.

    It uses running workers. .ci/run has the command start its own.
    """
    monkeypatch.setattr(port_command, "ModelWorkers", lambda *_: nullcontext(port._workers))

    def answered(*arguments: str) -> tuple[int, str, str]:
        models = f"{pair}/left.py:Twice", f"{pair}/right.py:build"
        monkeypatch.setattr(sys, "argv", ["compare", "port", *models, "--out", f"{pair}/out", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return answered


def test_the_command_says_it_and_writes_it(run: Callable[..., tuple[int, str, str]], pair: Path) -> None:
    code, output, errors = run("--loss", "cross_entropy", "--json")
    assert code == 1, errors
    answer = json.loads(output)
    assert [(cause["cause"], cause["rung"]) for cause in answer["causes"]] == [("loss.from_logits", "loss")]
    assert answer["learning"]["names"]["left"] == "CrossEntropyLoss"
    report = (pair / "out" / "report.md").read_text()
    assert "loss.from_logits" in report
    assert "## Loss, gradients and training" in report


def test_a_name_that_is_none_is_bad_input(run: Callable[..., tuple[int, str, str]]) -> None:
    code, output, errors = run("--loss", "crossentropy")
    assert (code, output) == (2, "")
    assert "There is no loss 'crossentropy'. Choose one of cross_entropy" in errors
    code, _, errors = run("--left-loss", "absent.py:loss")
    assert code == 2
    assert "absent.py is not there" in errors
