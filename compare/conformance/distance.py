"""The distance between two sets of arrays."""

from collections.abc import Mapping

import numpy as np


def relative(actual: np.ndarray, expected: np.ndarray) -> float:
    """Return the norm of the difference over that of the expected array; both must have one shape."""
    assert actual.shape == expected.shape, f"{actual.shape} is not {expected.shape}"
    difference = np.linalg.norm((actual.astype(np.float64) - expected.astype(np.float64)).ravel())
    size = np.linalg.norm(expected.astype(np.float64).ravel())
    return float(difference / size) if size else float(difference)


def assert_close(actual: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], bound: float) -> None:
    """Check that every array is within `bound` of its expected value, by the relative distance; names must be equal."""
    assert actual.keys() == expected.keys()
    gap = {name: relative(actual[name], expected[name]) for name in expected}
    beyond = {name: f"{d:.1e}" for name, d in gap.items() if not d <= bound}
    assert not beyond, f"beyond {bound:g}: {beyond}"
