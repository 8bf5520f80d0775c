"""How far a framework drifts from itself when its initial weights are moved by the smallest step there is.

Rounding differs between correct implementations, and training magnifies it exponentially. So how far two of them may
differ after a number of steps is no constant. It is measured with the same network and the same data, as the drift of
each implementation from its own unmoved run.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.parity.distance import distance
from compare.parity.ladder import Stages

# In float32 a value that rounding takes over a kink in one implementation is so near to it that many a moved run goes
# over it, too, but of three draws none may. So before a difference along training is reported, there are so many times
# as many draws.
MORE_DRAWS = 4

Drift = dict[str, dict[str, float]]
"""rung -> tensor -> relative distance."""


@dataclass(frozen=True)
class Draw:
    """How far one moved run of an implementation came from its unmoved one, and what ended it too early."""

    drift: Drift
    curve: dict[int, float]
    failure: str | None


class Drawn:
    """The draws so far, by implementation."""

    def __init__(self) -> None:
        self._draws: dict[str, list[Draw]] = {}

    def add(self, found: Mapping[str, Iterable[Draw]]) -> None:
        """Further draws of each implementation."""
        for name, draws in found.items():
            self._draws.setdefault(name, []).extend(draws)

    @property
    def widest(self) -> Drift:
        """The envelope: empty if nothing was drawn."""
        return envelope([draw.drift for draw in of_one] for of_one in self._draws.values())

    @property
    def curves(self) -> dict[str, list[dict[int, float]]]:
        """The curve of each draw."""
        return {name: [draw.curve for draw in of_one] for name, of_one in self._draws.items()}

    @property
    def failures(self) -> dict[str, str]:
        """What ended a draw too early."""
        return {name: draw.failure for name, of_one in self._draws.items() for draw in of_one if draw.failure}


def drift(run: Stages, unmoved: Stages) -> Drift:
    """How far every tensor of `run` is from that of the same implementation's unmoved run."""
    return {
        rung: {tensor: distance(values, unmoved[rung][tensor]).relative for tensor, values in tensors.items()}
        for rung, tensors in run.items()
        if rung in unmoved
    }


def envelope(drifts: Iterable[Iterable[Drift]]) -> Drift:
    """Return how far every tensor may drift, from the drifts of each implementation's draws: the largest of each
    implementation, and the median of these. So a wrong implementation cannot excuse itself by drifting far."""
    return _each_tensor(statistics.median_low, [_each_tensor(max, of_one) for of_one in drifts])


def _each_tensor(choose: Callable[[list[float]], float], drifts: Iterable[Drift]) -> Drift:
    """choose(the values that `drifts` have for it) for every tensor that one of them has."""
    values: dict[str, dict[str, list[float]]] = {}
    for one in drifts:
        for rung, tensors in one.items():
            for tensor, value in tensors.items():
                values.setdefault(rung, {}).setdefault(tensor, []).append(value)
    return {rung: {tensor: choose(found) for tensor, found in tensors.items()} for rung, tensors in values.items()}


def whole(run: Stages, other: Stages, rung: str) -> float:
    """The relative distance of all tensors of one rung taken together, those that only one has left out."""
    both = [(values, other[rung][name]) for name, values in run[rung].items() if name in other[rung]]
    pairs = [(np.float64(a), np.float64(b)) for a, b in both if a.shape == b.shape]
    difference = sum(float(np.sum((a - b) ** 2)) for a, b in pairs)
    size = sum(float(np.sum(b**2)) for _, b in pairs)
    return math.sqrt(difference / size) if size else math.sqrt(difference)
