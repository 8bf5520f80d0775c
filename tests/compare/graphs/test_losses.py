"""NumPy's evaluation of a loss record equals the framework's loss from which it was read."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from patience import GENEROUS_S

from compare.graphs.losses import KINDS, LossRecord, one_hot, value_and_gradient

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "support" / "loss_cases.py"
TAKES = {"kl_div": "log_probabilities", "cross_entropy": "logits", "binary_cross_entropy": "logits"}
RNG = np.random.default_rng(7)


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "least"), [("torch", 37), ("keras", 35)])
def test_a_loss_that_is_read_gives_its_own_value_and_gradient(framework: str, least: int) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, SCRIPT, framework]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GENEROUS_S, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout.splitlines()[-1])
    assert len(answers) >= least
    # Keras computes the logarithm of 2 in float32.
    far = {n: a for n, a in answers.items() if a[1] > (1e-8 if "cosh" in n else 1e-14) or a[2] > 1e-14}
    assert far == {}
    assert {a[0] for a in answers.values()} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "batch_mean", "example_mean", "sum_of_means"])
def test_the_gradient_is_the_derivative(kind: str, reduction: str) -> None:
    outputs, direction = RNG.normal(size=(3, 4, 2)), RNG.normal(size=(3, 4, 2))
    targets = RNG.random((3, 4, 2))
    record = LossRecord(
        kind, TAKES.get(kind, "values"), reduction, smoothing=0.1 if "cross" in kind else 0.0, delta=0.8
    )
    outputs = np.abs(outputs) + 0.5 if kind == "poisson" else outputs
    _, gradient = value_and_gradient(record, outputs, targets)
    ends = [value_and_gradient(record, outputs + step * direction, targets)[0] for step in (1e-6, -1e-6)]
    assert (gradient * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_values_worked_by_hand() -> None:
    outputs, targets = np.array([[1.0, 3.0], [2.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 4.0]])
    expected = {"mean": (1 + 4 + 0 + 16) / 4, "sum": 21.0, "batch_mean": 10.5, "sum_of_means": 10.5}
    for reduction, value in expected.items():
        assert value_and_gradient(LossRecord("mse", reduction=reduction), outputs, targets)[0] == value
    even = LossRecord("cross_entropy", "logits", weights=(1.0, 3.0))
    value, gradient = value_and_gradient(even, np.zeros((2, 2)), np.array([0, 1]))
    assert value == pytest.approx(np.log(2))
    assert gradient == pytest.approx(np.array([[-0.5, 0.5], [1.5, -1.5]]) / 4)


def test_an_ignored_class_counts_as_nothing() -> None:
    outputs, targets = RNG.normal(size=(4, 3)), np.array([0, 2, 2, 1])
    record = LossRecord("cross_entropy", "logits", ignore=2)
    kept = value_and_gradient(replace(record, ignore=None), outputs[[0, 3]], targets[[0, 3]])
    value, gradient = value_and_gradient(record, outputs, targets)
    assert value == pytest.approx(kept[0])
    assert not gradient[1:3].any()
    assert gradient[[0, 3]] == pytest.approx(kept[1])


def test_classes_by_number_are_ones_at_their_place() -> None:
    made = one_hot(np.array([[1, 0]]), 3, 1)
    assert made.tolist() == [[[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]]
    assert not one_hot(np.array([-100]), 3, 1).any()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="targets of shape"):
        value_and_gradient(LossRecord("mse"), np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="no reduction middle"):
        value_and_gradient(LossRecord("mse", reduction="middle"), np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no loss ours"):
        value_and_gradient(LossRecord("ours"), np.zeros((2, 3)), np.zeros((2, 3)))
