"""The distance of two arrays."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.parity.distance import distance

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def test_the_three_measures() -> None:
    d = distance(np.array([3.0, 4.5]), np.array([3.0, 4.0]))
    assert (d.absolute, d.relative) == (0.5, 0.1)
    assert d.ulps == 0.5 / np.spacing(4.0)


def test_a_zero_expectation_leaves_the_norm_itself() -> None:
    assert distance(np.array([3.0, 4.0]), np.zeros(2)).relative == 5.0


@given(FLOATS, st.integers(1, 1000), st.sampled_from([np.float32, np.float64]))
def test_ulps_count_the_representable_values_between(start: float, steps: int, dtype: type) -> None:
    """This holds across zero and through the subnormal numbers, too."""
    value = first = np.array([start], dtype)
    toward = dtype(-np.inf if start > 0 else np.inf)  # away from the largest number
    for _ in range(steps):
        value = np.nextafter(value, toward)
    assert distance(value, first).ulps == distance(first, value).ulps == steps


def test_both_zeros_are_one_place() -> None:
    assert distance(np.array([-0.0]), np.array([0.0])).ulps == 0
    tiny = np.nextafter(0.0, 1.0)
    assert distance(np.array([-tiny]), np.array([tiny])).ulps == 2


def test_the_whole_range_does_not_overflow() -> None:
    largest = np.finfo(np.float64).max
    ulps = distance(np.array([-largest]), np.array([largest])).ulps
    assert ulps == 2 * 0x7FEFFFFFFFFFFFFF


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_in_one_alone_is_infinitely_far(value: float) -> None:
    d = distance(np.array([1.0, value]), np.ones(2))
    assert (d.absolute, d.relative, d.ulps) == (math.inf, math.inf, None)


def test_nan_in_both_is_still_a_difference() -> None:
    """Two networks that both diverged do not agree."""
    d = distance(np.array([math.nan]), np.array([math.nan]))
    assert not d.relative <= 1e300


def test_infinities_of_one_sign_agree_and_of_two_do_not() -> None:
    assert distance(np.array([math.inf]), np.array([math.inf])).absolute == 0
    assert distance(np.array([math.inf]), np.array([-math.inf])).absolute == math.inf


def test_whole_numbers_have_no_ulps() -> None:
    d = distance(np.array([1, 2]), np.array([1, 4]))
    assert (d.absolute, d.ulps) == (2.0, None)


def test_empty_arrays_are_at_no_distance() -> None:
    assert distance(np.empty(0), np.empty(0)).relative == 0


def test_shapes_must_be_the_same() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(1, 2\)"):
        distance(np.ones(2), np.ones((1, 2)))
