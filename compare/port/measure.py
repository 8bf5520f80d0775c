"""How far two arrays are from each other, and how far is too far."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from compare.graphs.evaluate import evaluate
from compare.graphs.node import Arrays, Graph, Node, Recording
from shared import randomness

LEAST_BOUND = {"float64": 1e-12, "float32": 1e-5}
MARGIN = 16  # times what a change of 1 ulp in every weight makes of a value
BLOCK = 1 << 20  # elements
Fallback = Callable[[Node, list[np.ndarray]], np.ndarray]


def distance(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of two elements over the largest element of `expected`; infinite if the shapes differ in
    more than axes of length 1, or one alone is not finite."""
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
    """How far a value of the left network may be from its partner's, by node. It is the effect of a change of 1 ulp in
    every weight and input, with a margin, and at least 1e-12 in float64."""
    # What the network computes in: its inputs may all be integers.
    arrays = (*inputs.values(), *left.values.values())
    dtype = "float64" if any(array.dtype == np.float64 for array in arrays) else "float32"
    given = {name: by_an_ulp(array, name) for name, array in inputs.items()}
    least = LEAST_BOUND[dtype]
    found: dict[str, float] = {}

    def see(name: str, value: np.ndarray) -> None:
        gap = MARGIN * distance(value, left.values[name])
        found[name] = max(least, gap) if np.isfinite(gap) else least  # what is not finite says nothing of rounding

    evaluate(left.graph, given, _Moved(left.weights), fallback, keep=False, see=see)
    return found


class _Moved(Mapping[str, np.ndarray]):
    """Weights that are each moved by 1 ulp when they are taken: not all need be there at once."""

    def __init__(self, weights: Arrays) -> None:
        self._weights = weights

    def __getitem__(self, name: str) -> np.ndarray:
        return by_an_ulp(self._weights[name], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def by_an_ulp(array: np.ndarray, name: str) -> np.ndarray:
    """The array with every element moved by 1 ulp, up or down; integers stay. `name` says which way each goes."""
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
    """The largest distance of two outputs, in their order."""
    return max((distance(a, b) for a, b in zip(outputs, expected, strict=False)), default=float("inf"))


def outputs_of(recording: Recording) -> list[np.ndarray]:
    """The outputs of a recorded call."""
    return [recording.values[name] for name in recording.graph.outputs]


def run(graph: Graph, weights: Arrays, inputs: Arrays, fallback: Fallback) -> Arrays | None:
    """The outputs of a changed graph; None if it cannot be run, as when two shapes do not fit."""
    try:
        return evaluate(graph, inputs, weights, fallback, keep=False)
    except (ValueError, IndexError, ZeroDivisionError):
        return None
