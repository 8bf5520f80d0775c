"""Numbers of float32 as their author wrote them: 0.001, not 0.0010000000474974513."""

from typing import Any

import numpy as np


def shortest(number: Any) -> float:
    """Return the number with the fewest digits that is equal in the type of `number`."""
    kept = np.asarray(number)
    if kept.dtype == np.float32:
        return float(np.format_float_positional(np.float32(kept)))
    return float(kept)


def shortest_array(array: np.ndarray) -> np.ndarray:
    """Return an array of float32 as float64, each number by `shortest`; return other arrays unchanged."""
    if array.dtype != np.float32:
        return array
    return np.array([float(np.format_float_positional(number)) for number in array.ravel()]).reshape(array.shape)
