"""Measure how far two arrays are from each other, and bound how far they may be."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from compare.graphs.evaluate import evaluate
from compare.graphs.node import Arrays, Graph, Node, Recording
from shared import randomness

LEAST_BOUND = {"float64": 1e-12, "float32": 1e-5}
MARGIN = 16  # factor on the effect of a change of 1 ulp in every weight
BLOCK = 1 << 20  # elements
Fallback = Callable[[Node, list[np.ndarray]], np.ndarray]


def distance(actual: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of two elements over the largest element of `expected`. Return infinity if the
    shapes differ in more than axes of length 1, or if an element of only one array is not finite."""
    if actual.shape != expected.shape:
        if [n for n in actual.shape if n > 1] != [n for n in expected.shape if n > 1]:
            return float("inf")
        actual = actual.reshape(expected.shape)
    a, b = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    with np.errstate(invalid="ignore"):
        difference = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    largest = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    most = float(difference.max(initial=0.0))
    return most / largest if largest else most


def bounds(left: Recording, inputs: Mapping[str, np.ndarray], fallback: Fallback) -> dict[str, float]:
    """Bound the distance of each of the left network's values from its partner's, by node. The bound is the effect of a
    change of 1 ulp in every weight and input, with a margin, and at least 1e-12 in float64."""
    # The precision of the call; values count as well, because all inputs may be integers.
    arrays = (*inputs.values(), *left.values.values())
    dtype = "float64" if any(array.dtype == np.float64 for array in arrays) else "float32"
    given = {name: by_an_ulp(array, name) for name, array in inputs.items()}
    least = LEAST_BOUND[dtype]
    found: dict[str, float] = {}

    def see(name: str, value: np.ndarray) -> None:
        gap = MARGIN * distance(value, left.values[name])
        found[name] = max(least, gap) if np.isfinite(gap) else least  # an infinite value gives no estimate of rounding

    evaluate(left.graph, given, _Moved(left.weights), fallback, keep=False, see=see)
    return found


class _Moved(Mapping[str, np.ndarray]):
    """Weights that are moved by 1 ulp when they are read, which saves holding all of them at once."""

    def __init__(self, weights: Arrays) -> None:
        self._weights = weights

    def __getitem__(self, name: str) -> np.ndarray:
        return by_an_ulp(self._weights[name], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def by_an_ulp(array: np.ndarray, name: str) -> np.ndarray:
    """Return the array with every element moved by 1 ulp; integers are unchanged. `name` determines each direction."""
    if array.dtype.kind != "f":
        return array
    up = randomness.bits(array.size, f"ulp of {name}", 0)
    infinite = np.array([-np.inf, np.inf], array.dtype)
    flat, moved = array.reshape(-1), np.empty(array.size, array.dtype)
    for start in range(0, array.size, BLOCK):  # a kernel can be a gigabyte
        part = slice(start, start + BLOCK)
        np.nextafter(flat[part], infinite[up[part]], out=moved[part])
    return moved.reshape(array.shape)


def output_distance(outputs: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Return the largest distance of two outputs, paired in order."""
    return max((distance(a, b) for a, b in zip(outputs, expected, strict=False)), default=float("inf"))


def outputs_of(recording: Recording) -> list[np.ndarray]:
    """Return the outputs of a recorded call."""
    return [recording.values[name] for name in recording.graph.outputs]


def run(graph: Graph, weights: Arrays, inputs: Arrays, fallback: Fallback) -> Arrays | None:
    """Return the outputs of a changed graph; None if it cannot run, for example because shapes do not fit."""
    try:
        return evaluate(graph, inputs, weights, fallback, keep=False)
    except (ValueError, IndexError, ZeroDivisionError):
        return None
