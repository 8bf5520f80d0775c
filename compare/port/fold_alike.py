"""Decide whether one side's weights include the other's batch normalisations.

An exporter folds them in float32. Here the side that still has the normalisations is folded in float64, and both become
the same graph. If the file's weights agree apart from that rounding, they are replaced by the exact ones.
"""

from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Arrays, Recording
from compare.port.align import Alignment, align
from compare.port.difference import Difference
from compare.port.fold import Folds, foldable, folded
from compare.port.rounding import FLOAT32_ROUNDING
from compare.port.side import Side


@dataclass(frozen=True)
class Folding:
    """What was folded, as differences, and each side's exact weights in place of those that float32 rounded."""

    found: tuple[Difference, ...] = ()
    exact: tuple[Arrays, Arrays] = ({}, {})

    def give_exact(self, sides: tuple[Side, Side]) -> None:
        """Give each side's model the exact weights in place of those that float32 rounded."""
        for side, weights in zip(sides, self.exact, strict=True):
            if weights:
                side.give(weights)


def fold_alike(
    sides: tuple[Side, Side], left: Recording, right: Recording, alignment: Alignment
) -> tuple[Recording, Recording, Alignment, Folding]:
    """Fold in both recordings what only one side has folded; `sides` fold their later recordings the same way."""
    folds = _one_sided(left, right, alignment)
    if not any(folds):
        return left, right, alignment, Folding()
    after = (folded(left, folds[0]), folded(right, folds[1]))
    aligned = align(*after)
    exact = _rounded_weights((left, right), after, aligned, folds)
    files = [side.loaded.framework == "onnx" for side in sides]
    # A model without its normalisations has folded them only if its weights show it; in a file folding is usual.
    if exact is None and not (files[0] and folds[1]) and not (files[1] and folds[0]):
        return left, right, alignment, Folding()
    for side, own in zip(sides, folds, strict=True):
        side.folds = own
    return *after, aligned, Folding(tuple(_differences(folds, aligned)), exact or ({}, {}))


def _one_sided(left: Recording, right: Recording, alignment: Alignment) -> tuple[Folds, Folds]:
    """Return what only one side has as a layer: all of it if the other has none, else the layers without a partner."""
    folds = foldable(left), foldable(right)
    if not folds[0] or not folds[1]:
        return folds
    alone = set(alignment.left_only), set(alignment.right_only)
    left_folds, right_folds = (
        {norm: layer for norm, layer in own.items() if norm in some} for own, some in zip(folds, alone, strict=True)
    )
    return left_folds, right_folds


def _rounded_weights(
    before: tuple[Recording, Recording],
    after: tuple[Recording, Recording],
    alignment: Alignment,
    folds: tuple[Folds, Folds],
) -> tuple[Arrays, Arrays] | None:
    """Return, for each side, the float64 weights that the other side's normalisations produce. Return None if a side's
    own weights differ from them by more than float32's rounding."""
    exact: tuple[Arrays, Arrays] = ({}, {})
    partners = alignment.to_right, alignment.to_left
    for mine, own in enumerate(folds):
        theirs = 1 - mine
        for norm, layer in own.items():
            partner = partners[mine].get(layer)
            if partner is None or {*after[theirs].graph[partner].roles} != {"W", "B"}:
                return None
            has = {role: before[mine].weights[f"{norm}/{role}"] for role in before[mine].graph[norm].roles}
            shift = np.abs(has["mean"]) / np.sqrt(has["var"]) * np.abs(has.get("scale", 1.0))
            for role in ("W", "B"):
                made = after[mine].weights[f"{layer}/{role}"]
                kept = after[theirs].weights[f"{partner}/{role}"]
                largest = np.abs(made).max(initial=0) + (shift.max(initial=0) if role == "B" else 0)
                if made.shape != kept.shape or np.abs(made - kept).max(initial=0) > FLOAT32_ROUNDING * largest:
                    return None
                exact[theirs][f"{partner}/{role}"] = made.astype(kept.dtype)
    return exact


def _differences(folds: tuple[Folds, Folds], alignment: Alignment) -> list[Difference]:
    said = "in the weights of the layer before"
    found = [
        Difference("batch_norm.folded", norm, alignment.to_right.get(layer), "a layer", said, "none")
        for norm, layer in folds[0].items()
    ]
    return found + [
        Difference("batch_norm.folded", alignment.to_left.get(layer), norm, said, "a layer", "none")
        for norm, layer in folds[1].items()
    ]
