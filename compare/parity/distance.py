"""Measure the distance of two arrays in three ways."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field


@dataclass(frozen=True)
class Distance:
    """`absolute`: the largest difference of two elements. `relative`: the norm of the difference over that of what
    was expected. `ulps`: the largest number of representable values between two elements, in the type of the array
    that is measured; None if it has no floating-point type."""

    absolute: float
    relative: float
    ulps: Annotated[int, Field(ge=0, le=2**65)] | None


SAME = Distance(0.0, 0.0, 0)
INFINITE = Distance(float("inf"), float("inf"), None)


def distance(actual: np.ndarray, expected: np.ndarray) -> Distance:
    """Return the distance of `actual` from `expected`, two arrays of one shape.

    A value that is NaN or infinite in only one of them is infinitely far. Raises ValueError if the shapes differ.
    """
    if actual.shape != expected.shape:
        raise ValueError(f"shapes {actual.shape} and {expected.shape} cannot be compared")
    if actual.dtype in (np.float32, np.float64) and np.array_equal(actual, expected):
        return SAME  # the usual case, and much the quickest check
    a, b = actual.astype(np.float64), expected.astype(np.float64)
    if not (np.isfinite(a) == np.isfinite(b)).all():
        return INFINITE
    with np.errstate(over="ignore", invalid="ignore"):
        difference = np.where(a == b, 0.0, a - b)  # two infinities of one sign have the distance 0
    if np.isinf(difference).any():
        return Distance(float("inf"), float("inf"), _ulps(actual, expected))
    size = float(np.linalg.norm(b.ravel()))
    norm = float(np.linalg.norm(difference.ravel()))
    relative = norm / size if size else norm
    return Distance(float(np.abs(difference).max(initial=0.0)), relative, _ulps(actual, expected))


def _ulps(actual: np.ndarray, expected: np.ndarray) -> int | None:
    if actual.dtype not in (np.float32, np.float64):
        return None
    (a, a_negative), (b, b_negative) = _place(actual), _place(expected.astype(actual.dtype))
    gap = np.where(a_negative == b_negative, np.maximum(a, b) - np.minimum(a, b), a + b)
    return int(gap.max(initial=0))


def _place(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of representable values between 0 and each value, and whether it is negative."""
    unsigned = np.uint32 if array.dtype == np.float32 else np.uint64
    bits = np.ascontiguousarray(array).view(unsigned).astype(np.uint64)
    sign = np.uint64(1) << np.uint64(8 * array.dtype.itemsize - 1)
    return bits & (sign - np.uint64(1)), bits >= sign
