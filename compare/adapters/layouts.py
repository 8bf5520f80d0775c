"""Determine the layout that each value of a call has in the canonical recording.

A spatial operation in channels_last forces its inputs and its output: their canonical form has the channels behind the
batch. Operations that keep the layout pass it on in both directions. A value that nothing forces stays unchanged, such
as the (N, T, F) of a transformer. A flattened image has its channels outermost: the order of its entries is passed on
in the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from compare.adapters.changes import Change, Permuted, Taken, apply, channels_outermost, undo
from compare.adapters.steps import Step, Trace, Value


@dataclass(frozen=True, eq=False)
class Form:
    """How the native array of a value becomes canonical: whether its last axis moves to the place after the batch. Also
    the order of the entries along axis 1 of a flattened value (None: unchanged)."""

    rank: int
    last: bool = False
    rows: np.ndarray | None = None

    @property
    def order(self) -> tuple[int, ...]:
        """The native axis at each canonical place."""
        return order_of(self.rank, self.last)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes from native to canonical."""
        if self.rows is not None:
            return (Taken(1, self.rows),)
        return (Permuted(self.order),) if self.last else ()

    def canonical(self, array: np.ndarray) -> np.ndarray:
        """Return the canonical array of a native one."""
        return apply(self.changes, array)

    def native(self, array: np.ndarray) -> np.ndarray:
        """Return the native array of a canonical one."""
        return undo(self.changes, array)

    def axis(self, axis: int) -> int:
        """Return the canonical place of a native axis."""
        return self.order.index(axis % self.rank)


def order_of(rank: int, last: bool) -> tuple[int, ...]:
    """Return the native axis at each canonical place: (0, rank - 1, 1, ...) if channels are last."""
    return (0, rank - 1, *range(1, rank - 1)) if last else tuple(range(rank))


class Layouts:
    """The forms of a trace's values."""

    def __init__(self, trace: Trace) -> None:
        self._parents: dict[int, int] = {}
        self._last: dict[int, bool] = {}
        self._fixed: set[int] = set()
        self._rows: dict[int, np.ndarray] = {}
        self._parameters = {step.output.number for step in trace.steps if step.rule == "parameter"}
        for step in trace.steps:
            self._join(step)
        for step in trace.steps:
            self._force(step)
        self._fix_what_is_joined_in(trace.steps)
        for step in trace.steps:
            self._order_rows(step)

    def form(self, value: Value) -> Form:
        """Return the form of a value."""
        rank, root = len(value.shape), self._root(value)
        if rank == 2:
            return Form(rank, rows=self._rows.get(root))
        return Form(rank, last=rank >= 3 and self._last.get(root, False))

    def _root(self, value: Value) -> int:
        number = value.number
        while (parent := self._parents.get(number, number)) != number:
            number = parent
        return number

    def _unite(self, first: Value, second: Value) -> None:
        a, b = self._root(first), self._root(second)
        if a != b:
            self._parents[b] = a

    def _join(self, step: Step) -> None:
        """Unite the values that have one layout."""
        for value in step.inputs:
            if _alike(step, value):
                self._unite(step.output, value)

    def _force(self, step: Step) -> None:
        """Note the layouts that a step's operation requires, and the values whose entries cannot be reordered."""
        around = (*step.inputs, step.output)
        if step.rule == "spatial":
            for value in (*step.inputs[:1], step.output):
                if len(value.shape) >= 3:
                    self._last.setdefault(self._root(value), step.last)
        elif step.rule == "input" and len(step.output.shape) >= 3:
            self._last.setdefault(self._root(step.output), step.last)
        elif step.rule == "native":
            for value in around:
                self._last.setdefault(self._root(value), False)
        if not self._keeps_any_order(step):
            self._fixed |= {self._root(value) for value in around}

    def _keeps_any_order(self, step: Step) -> bool:
        """Whether the entries of a flattened value can have any order in this step."""
        if step.rule == "same":
            lower = [value for value in step.inputs if 0 < len(value.shape) < len(step.output.shape)]
            return step.kind not in ("Slice", "Pad") and all(value.number in self._parameters for value in lower)
        return step.rule in ("product", "reshape", "concat", "parameter")

    def _fix_what_is_joined_in(self, steps: list[Step]) -> None:
        """Fix the order of values that are concatenated along their entries into a value in a fixed order."""
        for step in reversed(steps):
            if _joins_rows(step) and self._root(step.output) in self._fixed:
                self._fixed |= {self._root(value) for value in step.inputs}

    def _order_rows(self, step: Step) -> None:
        """Choose the order of entries for flattened values, and for those that become an image."""
        if _joins_rows(step):
            parts = [self._rows.get(self._root(value)) for value in step.inputs]
            if any(part is not None for part in parts):
                sizes = [value.shape[1] for value in step.inputs]
                starts = np.cumsum([0, *sizes[:-1]])
                blocks = [
                    start + (np.arange(size) if part is None else part)
                    for start, size, part in zip(starts, sizes, parts, strict=True)
                ]
                self._rows.setdefault(self._root(step.output), np.concatenate(blocks))
        if step.rule != "reshape":
            return
        for flat, image in ((step.output, step.inputs[0]), (step.inputs[0], step.output)):
            if len(flat.shape) == 2 and self.form(image).last and flat.shape[0] == image.shape[0]:
                root = self._root(flat)
                rows = channels_outermost(image.shape[1:])
                if root not in self._fixed and not np.array_equal(rows, np.arange(rows.size)):
                    self._rows.setdefault(root, rows)


def _alike(step: Step, value: Value) -> bool:
    """Whether a value that a step takes has the layout of its output."""
    before, after = len(value.shape), len(step.output.shape)
    if step.rule == "same":
        return before == after and (before != 2 or value.shape == step.output.shape)
    if step.rule == "concat":
        return before == after and not _joins_rows(step)
    if step.rule == "product":
        return before == after >= 3
    if step.rule in ("reduce", "squeeze", "unsqueeze"):
        axes = _axes(step, max(before, after))
        if step.rule == "reduce" and step.attributes.get("keepdims"):
            return before >= 3
        return min(before, after) >= 3 and max(before, after) - 1 not in axes and 0 not in axes
    return False


def _joins_rows(step: Step) -> bool:
    return step.rule == "concat" and len(step.output.shape) == 2 and step.attributes["axis"] == 1


def _axes(step: Step, rank: int) -> set[int]:
    axes = step.attributes.get("axes")
    assert isinstance(axes, Iterable)
    return {int(axis) % rank for axis in axes}
