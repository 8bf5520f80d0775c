"""Verdicts about studies that are drawn here, so the truth is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from compare.analysis.equivalence import Paired, paired

MARGIN = 0.003
RESOLUTION = 1e-4


def verdicts(true: float, deviation: float, n: int, studies: int = 1000) -> list[Paired]:
    draws = np.random.default_rng(7).normal(true, deviation, (studies, n))
    return [paired(list(draw), MARGIN, RESOLUTION) for draw in draws]


def share(found: list[Paired], verdict: str) -> float:
    return sum(one.verdict == verdict for one in found) / len(found)


@pytest.mark.parametrize("n", [3, 5, 20])
@pytest.mark.parametrize("deviation", [0.0005, 0.002, 0.01])
def test_equals_are_hardly_ever_called_different(n: int, deviation: float) -> None:
    assert share(verdicts(0.0, deviation, n), "different") <= 0.02


@pytest.mark.parametrize("n", [3, 5, 20])
@pytest.mark.parametrize("deviation", [0.0002, 0.002, 0.01])
def test_what_differs_by_the_margin_is_hardly_ever_called_equivalent(n: int, deviation: float) -> None:
    assert share(verdicts(MARGIN, deviation, n), "equivalent") <= 0.04


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_the_smallest_difference_that_can_be_shown_is_shown_in_four_fifths(n: int) -> None:
    """This holds for studies with the scatter of the estimate. Larger differences are found more often."""
    deviation = 0.01
    smallest = replace(Paired(n, MARGIN, 0.0), deviation=deviation).detectable
    assert smallest is not None
    assert 0.76 < share(verdicts(smallest, deviation, n), "different") < 0.84
    assert share(verdicts(1.3 * smallest, deviation, n), "different") > 0.9


@pytest.mark.parametrize("deviation", [0.001, 0.004, 0.01])
def test_so_many_seeds_would_do(deviation: float) -> None:
    """With `enough` seeds, four fifths of studies of two equals are called equivalent, with fewer seeds less."""
    n = replace(Paired(2, MARGIN, 0.0), deviation=deviation).enough
    assert n is not None
    assert share(verdicts(0.0, deviation, n), "equivalent") > 0.76
    assert share(verdicts(0.0, deviation, n - 1), "equivalent") < 0.84


def test_against_scipys_own_tests() -> None:
    values = list(np.random.default_rng(1).normal(0.001, 0.002, 12))
    found = paired(values, MARGIN, RESOLUTION)
    test = stats.ttest_1samp(values, 0.0)
    interval = test.confidence_interval(0.95)
    assert (found.mean, found.p) == pytest.approx((np.mean(values), test.pvalue))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    below = stats.ttest_1samp(values, MARGIN, alternative="less").pvalue
    above = stats.ttest_1samp(values, -MARGIN, alternative="greater").pvalue
    assert found.p_equivalent == pytest.approx(max(below, above))


def test_no_difference_at_all_is_no_certainty() -> None:
    found = paired([0.0] * 3, MARGIN, RESOLUTION)
    assert found.verdict == "equivalent"
    assert found.high == pytest.approx(stats.t.ppf(0.975, 2) * RESOLUTION / math.sqrt(12 * 3))
    coarse = paired([0.0, 0.0], MARGIN, 0.01)  # two sets of a hundred test images
    assert coarse.verdict == "too few"


def test_of_one_seed_nothing_is_shown() -> None:
    found = paired([0.1], MARGIN, RESOLUTION)
    assert (found.verdict, found.mean, found.low, found.detectable, found.enough) == ("too few", 0.1, None, None, None)


def test_more_than_ten_thousand_are_not_promised() -> None:
    assert paired([1.0, -1.0, 1.0], 1e-6, RESOLUTION).enough is None


ACCURACIES = st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=20)


@given(differences=ACCURACIES, margin=st.floats(1e-4, 0.1))
def test_neither_order_nor_direction_matters(differences: list[float], margin: float) -> None:
    one = paired(differences, margin, 1e-4)
    other = paired([-value for value in reversed(differences)], margin, 1e-4)
    assert other.verdict == one.verdict
    assert (other.mean, other.low, other.high) == pytest.approx((-one.mean, -one.high, -one.low))


@given(differences=ACCURACIES, margin=st.floats(1e-4, 0.1))
def test_a_wider_margin_never_makes_equals_unequal(differences: list[float], margin: float) -> None:
    if paired(differences, margin, 1e-4).verdict == "equivalent":
        assert paired(differences, 2 * margin, 1e-4).verdict == "equivalent"
