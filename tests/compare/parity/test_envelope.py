"""How far a change of one ulp can grow."""

import math

import numpy as np
import pytest

from compare.parity.envelope import drift, envelope, whole


def test_drift_is_the_relative_distance_of_every_tensor_that_both_have() -> None:
    unmoved = {"step 1": {"w": np.array([3.0, 4.0])}}
    run = {"step 1": {"w": np.array([3.0, 4.5])}, "step 2": {"w": np.array([1.0])}}
    assert drift(run, unmoved) == {"step 1": {"w": pytest.approx(0.1)}}


def test_one_that_drifts_far_does_not_widen_the_envelope() -> None:
    """The envelope is the median over implementations of the largest of their draws."""
    draws = [[{"r": {"w": 1.0}}, {"r": {"w": 2.0}}], [{"r": {"w": 3.0}}], [{"r": {"w": 1e9}}, {"r": {"w": math.inf}}]]
    assert envelope(draws) == {"r": {"w": 3.0}}
    assert envelope([*draws[:2], []]) == {"r": {"w": 2.0}}
    assert envelope([]) == {}


def test_the_whole_is_one_long_vector() -> None:
    a = {"r": {"w": np.array([1.0, 0.0]), "b": np.array([[2.0]]), "more": np.ones(2)}}
    b = {"r": {"w": np.array([0.0, 0.0]), "b": np.array([[4.0]]), "less": np.ones(2)}}
    assert whole(a, b, "r") == pytest.approx(math.sqrt(5) / 4)
