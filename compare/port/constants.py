"""Constants that one side has in float32 and the other in float64, or that the two compute in different ways. In
float32, as the models run, they are equal apart from rounding."""

import numpy as np

from compare.graphs.node import Arrays, Recording
from compare.port.align import Alignment
from compare.port.difference import Difference
from compare.port.measure import distance
from compare.port.rounding import FLOAT32_ROUNDING


def unrounded(
    left: Recording, right: Recording, alignment: Alignment
) -> tuple[tuple[Arrays, Arrays], tuple[Difference, ...]]:
    """Return, for each side, its float32 constants as the other side has them before rounding, by NODE/ROLE. Return,
    too, a difference for each of them. Sines in float32, as in positions, are off by a few of its ulps."""
    exact: tuple[Arrays, Arrays] = ({}, {})
    found = []
    for name_l, name_r in alignment.pairs:
        if {left.graph[name_l].kind, right.graph[name_r].kind} != {"Constant"}:
            continue
        a, b = left.weights[f"{name_l}/value"], right.weights[f"{name_r}/value"]
        if a.dtype.kind != "f" or a.size != b.size or np.array_equal(a.ravel(), b.ravel()):
            continue
        kept = [bool(np.array_equal(each.astype(np.float32), each)) for each in (a, b)]
        if not any(kept) or distance(b.ravel(), a.ravel()) > FLOAT32_ROUNDING:
            continue
        if not kept[1]:
            exact[0][f"{name_l}/value"] = b.reshape(a.shape)
        else:
            exact[1][f"{name_r}/value"] = a.reshape(b.shape)
        values = ["float32" if each else "float64" for each in kept]
        found.append(Difference("precision", name_l, name_r, values[0], values[1], "none"))
    return exact, tuple(found)
