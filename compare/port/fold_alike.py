"""Whether one side has the other one's batch normalisations within its weights.

An exporter computes that in float32. It is computed here in float64, on the side that still has the normalisations, and
both become the same graph. If the file's weights agree except for that rounding, they are replaced by the exact ones.
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
    """What was folded, as differences, and for either side the exact weights of what it has in float32."""

    found: tuple[Difference, ...] = ()
    exact: tuple[Arrays, Arrays] = ({}, {})

    def give_exact(self, sides: tuple[Side, Side]) -> None:
        """Give either side's model the exact weights that it has rounded to float32."""
        for side, weights in zip(sides, self.exact, strict=True):
            if weights:
                side.give(weights)


def fold_alike(
    sides: tuple[Side, Side], left: Recording, right: Recording, alignment: Alignment
) -> tuple[Recording, Recording, Alignment, Folding]:
    """Both recordings with what only one of them has folded, and from now on those that `sides` make."""
    folds = _one_sided(left, right, alignment)
    if not any(folds):
        return left, right, alignment, Folding()
    after = (folded(left, folds[0]), folded(right, folds[1]))
    aligned = align(*after)
    exact = _rounded_weights((left, right), after, aligned, folds)
    files = [side.loaded.framework == "onnx" for side in sides]
    # A model that lacks its normalisations has not folded them, unless its weights say so; in a file it is usual.
    if exact is None and not (files[0] and folds[1]) and not (files[1] and folds[0]):
        return left, right, alignment, Folding()
    for side, own in zip(sides, folds, strict=True):
        side.folds = own
    return *after, aligned, Folding(tuple(_differences(folds, aligned)), exact or ({}, {}))


def _one_sided(left: Recording, right: Recording, alignment: Alignment) -> tuple[Folds, Folds]:
    """What only one side has as a layer: all, if the other has none at all; else those without a partner."""
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
    """For either side the weights that the other one's normalisations make in float64, if the side has them but for
    float32's rounding; None if it has others."""
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
