"""Measure the distance of two sets of arrays."""

from compare.conformance.distance import assert_close, relative

__all__ = ["assert_close", "relative"]
