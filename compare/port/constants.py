"""Constants that one side has in float32 and the other in float64: in float32, as the models run, they are the same."""

import numpy as np

from compare.graphs.node import Arrays, Recording
from compare.port.align import Alignment
from compare.port.difference import Difference


def unrounded(
    left: Recording, right: Recording, alignment: Alignment
) -> tuple[tuple[Arrays, Arrays], tuple[Difference, ...]]:
    """For either side the constants that are those of the other side rounded to float32, by NODE/ROLE, as they are
    before that; and which these are."""
    exact: tuple[Arrays, Arrays] = ({}, {})
    found = []
    for name_l, name_r in alignment.pairs:
        if {left.graph[name_l].kind, right.graph[name_r].kind} != {"Constant"}:
            continue
        a, b = left.weights[f"{name_l}/value"], right.weights[f"{name_r}/value"]
        if a.dtype.kind != "f" or a.size != b.size or np.array_equal(a.ravel(), b.ravel()):
            continue
        rounded = [each.ravel().astype(np.float32) for each in (a, b)]
        kept = [bool(np.array_equal(single, each.ravel())) for single, each in zip(rounded, (a, b), strict=True)]
        if kept[0] == kept[1] or not np.array_equal(rounded[0], rounded[1]):
            continue
        if kept[0]:
            exact[0][f"{name_l}/value"] = b.reshape(a.shape)
        else:
            exact[1][f"{name_r}/value"] = a.reshape(b.shape)
        values = ["float32" if each else "float64" for each in kept]
        found.append(Difference("precision", name_l, name_r, values[0], values[1], "none"))
    return exact, tuple(found)
