"""The ladder names the first rung and tensor that differ, and the odd implementation."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from compare.folders.manifest import describe, utc_now
from compare.parity import report
from compare.parity.ladder import Bound, Ladder, Stages, climb, consensus

BOUND = Bound(1e-12, "float64")
NAMES = ["torch", "keras", "tf_lowlevel"]


def stages() -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        "activations": {name: rng.normal(size=(3, 4)) for name in ("conv1", "dense1")},
        "gradients": {"dense1/kernel": rng.normal(size=(4, 2)), "conv1/kernel": rng.normal(size=5)},
    }


def observed(**changes: tuple[str, str, float]) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Return equal stages for every implementation. Each named tensor is scaled by 1 + the number."""
    by_name = {name: stages() for name in NAMES}
    for name, (rung, tensor, factor) in changes.items():
        by_name[name][rung][tensor] = by_name[name][rung][tensor] * (1 + factor)
    return by_name


def ladder_of(by_name: Mapping[str, Stages]) -> Ladder:
    return climb(by_name, consensus(by_name), lambda rung, tensor: BOUND)


def test_all_agree() -> None:
    ladder = ladder_of(observed(torch=("gradients", "conv1/kernel", 1e-13)))
    assert ladder.first_beyond is None
    assert [(r.rung, r.tensor) for r in ladder.readings] == [
        ("activations", "conv1"),
        ("activations", "dense1"),
        ("gradients", "dense1/kernel"),
        ("gradients", "conv1/kernel"),
    ]


@pytest.mark.parametrize("odd", NAMES)
def test_the_odd_one_out_is_named(odd: str) -> None:
    ladder = ladder_of(observed(**{odd: ("gradients", "dense1/kernel", 1e-9)}))
    first = ladder.first_beyond
    assert (first.rung, first.tensor, first.layer) == ("gradients", "dense1/kernel", "dense1")
    assert first.odd_one_out == odd
    assert first.distances[odd].relative == pytest.approx(1e-9)
    assert ladder.verdict == f"{odd} is the odd one out, first at dense1/kernel, gradients."


def test_the_first_rung_counts() -> None:
    both = observed(torch=("gradients", "dense1/kernel", 1e-3), keras=("activations", "dense1", 1e-9))
    assert ladder_of(both).first_beyond.odd_one_out == "keras"


def test_two_of_three_leave_no_odd_one() -> None:
    gap = observed(
        torch=("activations", "conv1", 1e-6),
        keras=("activations", "conv1", -1e-6),
        tf_lowlevel=("activations", "conv1", 0),
    )
    first = ladder_of(gap).first_beyond
    assert (first.beyond, first.odd_one_out) == (["torch", "keras"], None)


def test_of_two_neither_is_odd() -> None:
    by_name = observed(keras=("activations", "conv1", 1e-6))
    del by_name["tf_lowlevel"]
    first = ladder_of(by_name).first_beyond
    assert (first.beyond, first.odd_one_out) == (["torch", "keras"], None)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_beyond_every_bound(value: float) -> None:
    by_name = observed()
    by_name["keras"]["activations"]["conv1"][0, 0] = value
    assert ladder_of(by_name).first_beyond.beyond == ["keras"]


def _transpose(of_one: dict[str, dict[str, np.ndarray]]) -> None:
    of_one["activations"]["dense1"] = of_one["activations"]["dense1"].T


def _leave_out(of_one: dict[str, dict[str, np.ndarray]]) -> None:
    del of_one["activations"]["dense1"]


def _fail_there(of_one: dict[str, dict[str, np.ndarray]]) -> None:
    _leave_out(of_one)
    del of_one["gradients"]


@pytest.mark.parametrize("fault", [_transpose, _leave_out, _fail_there])
@pytest.mark.parametrize("odd", NAMES)
def test_a_tensor_of_another_shape_or_none_at_all_is_named(
    odd: str, fault: Callable[[dict[str, dict[str, np.ndarray]]], None]
) -> None:
    by_name = observed()
    fault(by_name[odd])
    first = ladder_of(by_name).first_beyond
    assert (first.rung, first.tensor, first.odd_one_out) == ("activations", "dense1", odd)


@pytest.mark.parametrize("failing", [["torch"], ["keras"], ["torch", "keras"]])
def test_those_that_did_not_come_to_a_rung_have_no_vote_on_it(failing: list[str]) -> None:
    by_name = observed()
    for name in failing:
        del by_name[name]["gradients"]
    assert ladder_of(by_name).first_beyond.beyond == failing


def test_where_two_differ_in_shape_both_are_named() -> None:
    by_name = observed()
    del by_name["tf_lowlevel"]
    _transpose(by_name["keras"])
    assert ladder_of(by_name).first_beyond.beyond == ["torch", "keras"]


def test_a_tensor_that_only_one_has_is_named() -> None:
    by_name = observed()
    by_name["torch"]["gradients"]["more/kernel"] = np.ones(3)
    first = ladder_of(by_name).first_beyond
    assert (first.rung, first.tensor, first.odd_one_out) == ("gradients", "more/kernel", "torch")


def test_a_report_does_not_claim_steps_that_were_not_trained() -> None:
    manifest = describe("python -m compare parity", utc_now())
    short = report.render([], report.ParityExtent(steps=100, draws=3, rung="logits"), manifest)["report.md"].decode()
    assert "the rung `logits`, as requested: nothing was trained" in short
    whole = report.render([], report.ParityExtent(steps=100, draws=3), manifest)["report.md"].decode()
    assert "the predictions after 100 steps" in whole
