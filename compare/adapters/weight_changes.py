"""The changes of a weight that result from the layouts of the values around it."""

import numpy as np

from compare.adapters.changes import Change, Permuted, Reshaped, Taken, apply
from compare.adapters.layouts import Form
from compare.adapters.steps import Step, Weight


def changes_of(step: Step, role: str, weight: Weight, forms: list[Form], form: Form) -> list[Change]:
    """Return the changes of a weight that the layouts of the values around it require."""
    if step.kind == "Gemm":
        if role == "B":
            return [] if form.rows is None else [Taken(0, form.rows)]
        changes: list[Change] = [] if form.rows is None else [Taken(0, form.rows)]
        return changes if forms[0].rows is None else [*changes, Taken(1, forms[0].rows)]
    if step.rule != "same":
        return []
    if form.rows is not None:
        size = apply(weight.changes, weight.read()).shape
        return [Taken(0, form.rows)] if size == form.rows.shape else []
    if step.kind in ("LayerNormalization", "RMSNormalization"):
        axes = [int(axis) % form.rank for axis in step.attributes["axes"]]
        order = sorted(range(len(axes)), key=lambda place: form.axis(axes[place]))
        return [Permuted(tuple(order))] if len(axes) > 1 else []
    if step.kind == "PRelu":
        return _slopes(apply(weight.changes, weight.read()).shape, form)
    return []


def _slopes(shape: tuple[int, ...], form: Form) -> list[Change]:
    """Return the changes of a PRelu's slopes, which have an example's shape: to (C) if all other axes are shared."""
    if len(shape) != form.rank - 1:
        return []
    changes: list[Change] = [Permuted(tuple(axis - 1 for axis in form.order[1:]))] if form.last else []
    canonical = apply(changes, np.empty(shape)).shape
    if all(size == 1 for size in canonical[1:]) and len(canonical) > 1:
        changes.append(Reshaped(canonical, canonical[:1]))
    return changes
