"""The ladder: the outputs of networks, rung by rung, from their initial parameters to their predictions after training.

Each implementation is measured by its distance from the float64 consensus of all, which shows the one that differs. A
fault on one rung affects all above it: the first rung and tensor that differ are decisive.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.parity.distance import INFINITE, SAME, Distance, distance

DISPUTED = np.empty((0,) * 9)  # no tensor has nine axes
Stages = Mapping[str, Mapping[str, np.ndarray]]
"""rung -> tensor -> values, both in the order of comparison."""


@dataclass(frozen=True)
class Bound:
    """How far from the consensus a tensor may be, by its relative distance, and where that bound comes from."""

    value: float
    reason: str


@dataclass(frozen=True)
class Reading:
    """One tensor on one rung: how far each implementation is from the consensus, and how far it may be."""

    rung: str
    tensor: str
    distances: dict[str, Distance]
    bound: Bound

    @property
    def beyond(self) -> list[str]:
        """The implementations beyond the bound; NaN is beyond it."""
        return [name for name, d in self.distances.items() if not d.relative <= self.bound.value]

    @property
    def infinite(self) -> bool:
        """Whether every implementation beyond the bound is infinitely far: a tensor is missing, or is not a number."""
        return all(math.isinf(self.distances[name].relative) for name in self.beyond)

    @property
    def layer(self) -> str:
        """The layer that the tensor belongs to, or the tensor's own name if it is of no layer."""
        return self.tensor.split("/")[0]

    @property
    def odd_one_out(self) -> str | None:
        """The only implementation beyond the bound, if all others, two or more, are within it."""
        one = self.beyond[0] if len(self.beyond) == 1 else None
        return one if len(self.distances) >= 3 else None


@dataclass(frozen=True)
class Ladder:
    """All readings in their order."""

    readings: tuple[Reading, ...]

    @property
    def first_beyond(self) -> Reading | None:
        """The first reading in which an implementation is beyond its bound; None if all are within."""
        return next((reading for reading in self.readings if reading.beyond), None)

    @property
    def verdict(self) -> str:
        """One sentence."""
        first = self.first_beyond
        if first is None:
            return "The implementations agree on every rung."
        where = f"{first.tensor}, {first.rung}"
        if first.odd_one_out:
            return f"{first.odd_one_out} is the odd one out, first at {where}."
        return f"{' and '.join(first.beyond)} differ from the consensus, first at {where}."


def consensus(observed: Mapping[str, Stages]) -> dict[str, dict[str, np.ndarray]]:
    """Return the majority's values, element by element: the median, or the mean of two.

    With three or more, a single wrong one does not move it beyond the others' values. A tensor has the shape of most
    implementations that reached its rung. A tensor that most of them lack is left out. If no shape has a majority, the
    expected tensor equals none of the observed ones.
    """
    expected: dict[str, dict[str, np.ndarray]] = {}
    for rung, tensor in _places(observed.values()):
        given = [stages[rung].get(tensor) for stages in observed.values() if rung in stages]
        shapes = Counter(None if values is None else values.shape for values in given).most_common()
        if len(shapes) > 1 and shapes[0][1] == shapes[1][1]:
            expected.setdefault(rung, {})[tensor] = DISPUTED
        elif (shape := shapes[0][0]) is not None:
            alike = [values for values in given if values is not None and values.shape == shape]
            expected.setdefault(rung, {})[tensor] = _middle(alike)
    return expected


def climb(observed: Mapping[str, Stages], expected: Stages, bound: Callable[[str, str], Bound]) -> Ladder:
    """Measure every tensor of each implementation against `expected`, with bound(rung, tensor) as the largest distance.

    An implementation is infinitely far if it lacks a tensor, has it in another shape, or has an unexpected one.
    """
    readings = [
        Reading(
            rung,
            tensor,
            {
                name: _distance(stages.get(rung, {}).get(tensor), expected.get(rung, {}).get(tensor))
                for name, stages in observed.items()
            },
            bound(rung, tensor),
        )
        for rung, tensor in _places([expected, *observed.values()])
    ]
    return Ladder(tuple(readings))


def _places(all_stages: Iterable[Stages]) -> list[tuple[str, str]]:
    """Return every rung and tensor that one of them has, rung by rung."""
    rungs: dict[str, dict[str, None]] = {}
    for stages in all_stages:
        for rung, tensors in stages.items():
            rungs.setdefault(rung, {}).update(dict.fromkeys(tensors))
    return [(rung, tensor) for rung, tensors in rungs.items() for tensor in tensors]


def _distance(actual: np.ndarray | None, expected: np.ndarray | None) -> Distance:
    if actual is None or expected is None:
        return SAME if actual is expected else INFINITE
    return distance(actual, expected) if actual.shape == expected.shape else INFINITE


def _middle(arrays: list[np.ndarray]) -> np.ndarray:
    """Return the median in float64. NaN counts as larger than every number, to keep a single one out of the result."""
    ordered = np.sort(np.stack([np.asarray(array, np.float64) for array in arrays]), axis=0)
    middle: np.ndarray = (ordered[(len(arrays) - 1) // 2] + ordered[len(arrays) // 2]) / 2
    return middle
