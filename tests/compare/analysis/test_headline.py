"""The verdict in three lines, from made-up runs."""

import math

import numpy as np
import pytest
from results import failure, result

from compare.analysis.headline import Headline, accuracy, headlines, speed
from compare.analysis.seeds import Judging
from shared.result import RunResult

JUDGING = Judging(margin=0.003)
SPEEDS = {"torch": 0.02, "keras": 0.01}


def timed(name: str, step_s: float, foreign_load: float = 0.0, seed: int = 0, scatter: float = 0.01) -> RunResult:
    """Return a run of 400 steps in 20 turns with this scatter."""
    turns = [step_s * (1 + scatter * math.sin(12.9 * turn)) for turn in range(20)]
    return result(
        np.repeat(turns, 20),
        n_train=64 * 400,
        slice_steps=(20,) * 20,
        implementation=name,
        seed=seed,
        foreign_load=foreign_load,
    )


def study(**accuracies: list[float]) -> list[RunResult]:
    return [
        result(implementation=name, seed=seed, accuracy=share)
        for name, shares in accuracies.items()
        for seed, share in enumerate(shares)
    ]


def test_the_fastest_is_named_with_intervals_that_hold_the_ratio() -> None:
    found = speed([timed("torch", 0.02), timed("keras", 0.01), timed("tf_lowlevel", 0.04)])
    assert found.state == "yes"
    assert found.answer.startswith("keras 2.00x as fast as torch [1.")
    assert " and 4.00x as fast as tf_lowlevel [3." in found.answer


def test_equal_steps_settle_nothing() -> None:
    found = speed([timed("torch", 0.02), timed("keras", 0.0201)])
    assert found.state == "open"
    assert found.answer.startswith("no difference shown: torch 1.0")


def test_of_three_those_that_are_shown_to_be_slower_come_first() -> None:
    found = speed([timed("torch", 0.02), timed("keras", 0.0201), timed("tf_lowlevel", 0.04)])
    assert found.state == "yes"  # the faster one is known
    assert found.answer.startswith("torch 2.00x as fast as tf_lowlevel [1.")
    assert "]; no difference shown: torch 1.0" in found.answer
    assert "x as fast as keras [0." in found.answer


def test_a_ratio_without_an_interval_settles_nothing() -> None:
    """One turn does not show how turns vary."""
    short = [result(np.full(20, s), n_train=64 * 20, slice_steps=(20,), implementation=n) for n, s in SPEEDS.items()]
    found = speed(short)
    assert "(no interval)" in found.answer
    assert found.state == "open"


def test_a_busy_machine_settles_nothing() -> None:
    found = speed([timed("torch", 0.02, foreign_load=0.9), timed("keras", 0.01)])
    assert found.state == "open"
    assert found.answer.endswith(", on a busy machine")


def test_a_larger_scatter_gives_a_wider_interval() -> None:
    def width(scatter: float) -> float:
        answer = speed([timed("torch", 0.02, scatter=scatter), timed("keras", 0.01, scatter=scatter)]).answer
        low, high = answer.partition("[")[2].partition("]")[0].split(", ")
        return float(high) - float(low)

    assert width(0.4) > 2 * width(0.01)
    assert width(1e-4) > 0.4  # the ratio is 2, and launches differ by 4 % regardless of the turns


@pytest.mark.parametrize(
    ("accuracies", "state", "said"),
    [
        ({"torch": [0.94, 0.96], "keras": [0.94, 0.96]}, "yes", "equal for every seed (94.00% to 96.00%)"),
        ({"torch": [0.94], "keras": [0.95]}, "open", "one seed decides nothing: give --seeds 5"),
        ({"torch": [0.94] * 8, "keras": [0.97] * 8}, "no", "keras +3.00 points over torch [+2."),
        ({"torch": [0.97] * 8, "keras": [0.94] * 8}, "no", "torch +3.00 points over keras [+2."),
        ({"torch": [0.9400, 0.9500] * 8, "keras": [0.9401, 0.9501] * 8}, "yes", "equivalent within 0.3 points"),
        ({"torch": [0.94, 0.95, 0.96], "keras": [0.95, 0.94, 0.965]}, "open", "seeds would decide it"),
        ({"torch": [0.94, 0.95]}, "yes", "94.00% to 95.00%"),
    ],
)
def test_accuracy(accuracies: dict[str, list[float]], state: str, said: str) -> None:
    found = accuracy(study(**accuracies), JUDGING)
    assert said in found.answer
    assert found.state == state


def test_a_study_without_parity_says_so_and_one_implementation_is_not_compared() -> None:
    function, *_ = headlines(study(torch=[0.9], keras=[0.9]), JUDGING, None)
    assert function.text == "? Same function: not checked; --parity checks it"
    proven = Headline("Same function", "proven", "yes")
    assert headlines(study(torch=[0.9], keras=[0.9]), JUDGING, proven)[0] is proven
    assert [one.question for one in headlines(study(torch=[0.9]), JUDGING, None)] == ["Accuracy"]


def test_what_failed_is_no_accuracy() -> None:
    assert accuracy([failure("no memory")], JUDGING) == Headline("Accuracy", "no run ended", "no")
