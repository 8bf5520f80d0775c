"""Measure a framework's drift from itself after the smallest possible change of its initial weights.

Rounding differs between correct implementations, and training magnifies it exponentially. The permissible difference of
two implementations after a number of steps is therefore not constant. It is measured with the same network and the same
data, as the drift of each implementation from its own unmoved run.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from compare.parity.distance import distance
from compare.parity.ladder import Stages

# In float32, rounding can take a value over a kink in one implementation. Many moved runs then cross the kink as well,
# but possibly none of three draws. Before a difference along training is reported, the draws are therefore multiplied
# by this number, and the further ones move the weights by more. Gradients are sums of tens of thousands of terms: in
# float32 they are off by about 1e-6, ten times as much as 1 ulp of the weights moves them. Dark images with biases near
# 0 have many units near their kinks, and a draw has to reach a kink that float32 crosses.
MORE_DRAWS = 4
ULPS_OF_MORE = 64

Drift = dict[str, dict[str, float]]
"""rung -> tensor -> relative distance."""


@dataclass(frozen=True)
class Draw:
    """The drift of one moved run of an implementation from the unmoved one, and the error that ended it early."""

    drift: Drift
    curve: dict[int, float]
    failure: str | None


class Drawn:
    """The draws so far, by implementation."""

    def __init__(self) -> None:
        self._draws: dict[str, list[Draw]] = {}

    def add(self, found: Mapping[str, Iterable[Draw]]) -> None:
        """Add further draws of each implementation."""
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
        """The errors that ended a draw early."""
        return {name: draw.failure for name, of_one in self._draws.items() for draw in of_one if draw.failure}


def drift(run: Stages, unmoved: Stages) -> Drift:
    """Return the distance of every tensor of `run` from the same implementation's unmoved run."""
    return {
        rung: {tensor: distance(values, unmoved[rung][tensor]).relative for tensor, values in tensors.items()}
        for rung, tensors in run.items()
        if rung in unmoved
    }


def envelope(drifts: Iterable[Iterable[Drift]]) -> Drift:
    """Return how far every tensor may drift: the largest drift of each implementation's draws, and of these the median
    over implementations. A wrong implementation can therefore not excuse itself by drifting far."""
    return _each_tensor(statistics.median_low, [_each_tensor(max, of_one) for of_one in drifts])


def _each_tensor(choose: Callable[[list[float]], float], drifts: Iterable[Drift]) -> Drift:
    """Return choose(values) for every tensor in `drifts`, from the values that they have for it."""
    values: dict[str, dict[str, list[float]]] = {}
    for one in drifts:
        for rung, tensors in one.items():
            for tensor, value in tensors.items():
                values.setdefault(rung, {}).setdefault(tensor, []).append(value)
    return {rung: {tensor: choose(found) for tensor, found in tensors.items()} for rung, tensors in values.items()}


def whole(run: Stages, other: Stages, rung: str) -> float:
    """Return the relative distance of all tensors of one rung together, without those that only one run has."""
    both = [(values, other[rung][name]) for name, values in run[rung].items() if name in other[rung]]
    pairs = [(np.float64(a), np.float64(b)) for a, b in both if a.shape == b.shape]
    difference = sum(float(np.sum((a - b) ** 2)) for a, b in pairs)
    size = sum(float(np.sum(b**2)) for _, b in pairs)
    return math.sqrt(difference / size) if size else math.sqrt(difference)
