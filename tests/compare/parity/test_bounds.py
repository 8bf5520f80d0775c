"""Bounds on differences: the envelope where training magnifies them, and the type's own bound elsewhere."""

import pytest

from compare.parity.bounds import EXACT, FAIR, FLOAT32, FLOAT64, JUMP, MARGIN, ROUNDED, bound
from compare.parity.ladder import Bound
from shared.choices import Dtype

BOUNDS = {
    ("parameters as loaded", "w"): (EXACT, EXACT),
    ("large values: parameters after looking", "w"): (EXACT, EXACT),
    ("activations", "conv1"): (FLOAT64, FLOAT32),
    ("large values: loss", "loss"): (FLOAT64, FLOAT32),
    ("gradients", "w"): (FLOAT64, JUMP),
    ("step 1: losses", "loss"): (FLOAT64, FLOAT32),
    ("sgd, step 1: losses", "loss"): (FLOAT64, FLOAT32),
    ("step 2: losses", "loss"): (FLOAT64, JUMP),
    ("step 1: parameters", "w"): (FLOAT64, JUMP),
    ("step 1: update from its own moments", "w"): (FLOAT64, ROUNDED),
    ("metrics of its own logits", "accuracy"): (FLOAT64, FLOAT64),
    ("what dropout drops", "dropout1/share"): (FAIR, FAIR),
    ("what dropout drops", "dropout1/scale"): (FLOAT64, FLOAT32),
    ("dropout in training", "new in every step"): (EXACT, EXACT),
}


@pytest.mark.parametrize(("rung", "tensor"), BOUNDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_without_an_envelope(rung: str, tensor: str, dtype: Dtype) -> None:
    assert bound(dtype, {}, rung, tensor) == BOUNDS[rung, tensor][dtype == "float32"]


@pytest.mark.parametrize(
    "rung", ["parameters as loaded", "step 1: update from its own moments", "metrics of its own logits"]
)
def test_what_is_known_needs_no_envelope(rung: str) -> None:
    assert bound("float32", {rung: {"w": 1.0}}, rung, "w") == bound("float32", {}, rung, "w")


def test_in_float64_the_envelope_counts_only_where_it_is_wider_than_1e_12() -> None:
    assert bound("float64", {"step 5: parameters": {"w": 0.9e-12}}, "step 5: parameters", "w") == FLOAT64
    assert bound("float64", {"step 5: parameters": {"w": 2e-12}}, "step 5: parameters", "w").value == MARGIN * 2e-12


def test_in_float32_the_wider_of_both_counts() -> None:
    assert bound("float32", {"step 5: parameters": {"w": 1e-3}}, "step 5: parameters", "w") == JUMP
    assert bound("float32", {"step 5: parameters": {"w": 1e-2}}, "step 5: parameters", "w").value == MARGIN * 1e-2


def test_a_class_may_be_another_where_two_logits_are_within_their_bound() -> None:
    widest = {"evaluation after training": {"logits": 0.1}}
    found = bound("float32", widest, "predictions after training", "classes")
    assert isinstance(found, Bound)
    assert found.value == 2 * MARGIN * 0.1
