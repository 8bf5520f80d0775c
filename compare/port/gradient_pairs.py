"""Pair the gradients of two models, with a bound on how far each pair may differ."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from compare.port.align import Alignment
from compare.port.measure import LEAST_BOUND, MARGIN, distance
from compare.port.side import Differentiated

NOTHING = 1e-12  # share of the largest gradient: anything smaller is rounding


@dataclass(frozen=True)
class GradientPair:
    """The distance between the gradients of two paired places, and its bound."""

    left: str
    right: str
    distance: float
    bound: float

    @property
    def differs(self) -> bool:
        """Whether the distance is beyond the bound."""
        return self.distance > self.bound


def paired(
    left: Differentiated,
    right: Differentiated,
    alignment: Alignment,
    bounds: Mapping[str, float],
    least: float,
    known: Container[str],
) -> list[GradientPair]:
    """Return a pair for every paired value and weight that both have, the outputs first. `bounds` are by the left's
    places, `least` is the bound of all others, and `known` are places whose difference is explained."""
    most = max((float(np.abs(g).max(initial=0)) for g in left.weights.values()), default=0.0)
    found = []
    for name_l, name_r in reversed(alignment.pairs):
        node_l, node_r = left.recording.graph[name_l], right.recording.graph[name_r]
        places = [(f"{name_l}/{role}", f"{name_r}/{role}") for role in node_l.roles if role in node_r.roles]
        for at_l, at_r, a, b in (
            *((at, to, left.weights.get(at), right.weights.get(to)) for at, to in places),
            (name_l, name_r, left.values.get(name_l), right.values.get(name_r)),
        ):
            if a is None or b is None or at_l in known:
                continue
            if at_l == name_l and not _same_shape(node_l.shape, node_r.shape):
                continue  # the values have other shapes, as if one side writes a product as a sum of products
            tiny = max(float(np.abs(each).max(initial=0)) for each in (a, b)) <= NOTHING * most
            gap = 0.0 if tiny else distance(b, a)
            found.append(GradientPair(at_l, at_r, gap, max(least, bounds.get(at_l, 0.0))))
    return found


def is_parameter(pair: GradientPair) -> bool:
    """Whether it is a pair of weights rather than of values."""
    return "/" in pair.left and pair.left.rpartition("/")[2] != ""


def gradient_bounds(base: Differentiated, moved: Differentiated) -> dict[str, float]:
    """Bound the distance of gradients, by value and weight, by the effect of a change of 1 ulp in every weight."""
    found = {}
    for now, then in ((base.values, moved.values), (base.weights, moved.weights)):
        for name, array in now.items():
            if name in then:
                found[name] = MARGIN * distance(then[name], array)
    return {name: max(LEAST_BOUND["float64"], bound) for name, bound in found.items()}


def _same_shape(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes are equal apart from axes of length 1."""
    return [n for n in a if n > 1] == [n for n in b if n > 1]
