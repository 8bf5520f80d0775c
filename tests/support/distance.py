"""How far apart two sets of arrays are."""

from compare.conformance.distance import assert_close, relative

__all__ = ["assert_close", "relative"]
