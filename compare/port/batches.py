"""Compare the data that two training functions feed their models, and exchange the differences one at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from compare.graphs.node import Arrays
from compare.port.scaling import MOST_MATCHED, ROUNDING, Matched, Scaling, alike_in_place, matched

MOST_SHOWN = 6


@dataclass(frozen=True)
class Batch:
    """The inputs, by name, and the targets of one step, in canonical layout."""

    inputs: Arrays
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class DataStage:
    """The left side's data with one more difference taken over from the right: its cause, the value on each side, and
    the fix for each side."""

    cause: str
    left: str
    right: str
    fix: tuple[str, str]
    batches: tuple[Batch, ...]


@dataclass(frozen=True)
class DataFound:
    """`stages` lead from the left's data to the right's; `asides` say what could not be determined."""

    stages: tuple[DataStage, ...]
    asides: tuple[str, ...] = field(default=())


def compare_data(
    left: Sequence[Batch], right: Sequence[Batch], facts: tuple[Mapping[str, str], Mapping[str, str]]
) -> DataFound:
    """Return the differences between the data of both sides; `facts` say how each side makes its batches."""
    if [*left[0].inputs] != [*right[0].inputs] or len(left[0].inputs) != 1:
        same = _same(left, right)
        stage = DataStage("data.values", "its own", "its own", ("feed both with the same",) * 2, tuple(right))
        aside = "With several inputs, the data were exchanged as a whole."
        return DataFound(() if same else (stage,), () if same else (aside,))
    return _Comparison(tuple(left), tuple(right), facts).result()


def _same(left: Sequence[Batch], right: Sequence[Batch]) -> bool:
    return len(left) == len(right) and all(
        np.array_equal(a.targets, b.targets)
        and all(np.array_equal(x, y) for x, y in zip(a.inputs.values(), b.inputs.values(), strict=True))
        for a, b in zip(left, right, strict=True)
    )


class _Comparison:
    def __init__(
        self, left: tuple[Batch, ...], right: tuple[Batch, ...], facts: tuple[Mapping[str, str], Mapping[str, str]]
    ) -> None:
        self.left, self.right, self.facts = left, right, facts
        (self.name,) = left[0].inputs
        self.stages: list[DataStage] = []
        self.asides: list[str] = []

    def result(self) -> DataFound:
        """Exchange one difference after the other, and return all of them."""
        now, goal = self.left, self.right
        short_l, short_r = (_short(side) for side in (now, goal))
        if short_l and not short_r and self._is_short(now, goal):
            now = _whole(now)
            self._add("data.last_batch", f"{short_l} examples", "left out", _last_fixes(False), now)
        last = short_r and not short_l and self._is_short(goal, now)
        if last:
            goal = _whole(goal)
        if len(now[0]) != len(goal[0]):
            sizes = [len(batch) for batch in goal]
            fixes = (f"batch_size={len(goal[0])}", f"batch_size={len(now[0])}")
            sides = str(len(now[0])), str(len(goal[0]))
            now = _rebatched(now, sizes)
            self._add("data.batch_size", *sides, fixes, now)
        now = self._values(now, goal)
        if last:
            self._add("data.last_batch", "left out", f"{short_r} examples", _last_fixes(True), self.right)
        return DataFound(tuple(self.stages), tuple(self.asides))

    def _add(self, cause: str, left: str, right: str, fix: tuple[str, str], batches: Sequence[Batch]) -> None:
        self.stages.append(DataStage(cause, left, right, fix, tuple(batches)))

    def _is_short(self, some: Sequence[Batch], others: Sequence[Batch]) -> bool:
        """Whether the other side has seen enough examples to show its smaller batch, too."""
        place = next(number for number, batch in enumerate(some) if len(batch) < len(some[0]))
        until = sum(len(batch) for batch in some[: place + 1])
        if until % len(others[0]) == 0:  # its batches hold these examples without a smaller one
            return False
        if sum(len(batch) for batch in others) > until - len(some[place]):
            return True
        self.asides.append("One side has a smaller last batch; the other did not get that far.")
        return False

    def _values(self, now: tuple[Batch, ...], goal: tuple[Batch, ...]) -> tuple[Batch, ...]:
        """Replace one side's examples by the other's, in batches of the same sizes."""
        x_l, x_r = (_rows(side, self.name) for side in (now, goal))
        both = matched(x_l, x_r)
        if both is None:
            return self._unmatched(now, goal, x_l, x_r)
        scaling = both.scaling
        plain = [self._with(batch, scaling.undone(batch.inputs[self.name])) for batch in goal]
        if scaling.nothing:
            plain = list(goal)
        n = min(len(x_l), len(x_r), MOST_MATCHED)
        in_order = {(k, k) for k in range(n)} <= set(zip(both.left.tolist(), both.right.tolist(), strict=True))
        y_l, y_r = (np.concatenate([batch.targets for batch in side]) for side in (now, goal))
        if not in_order:
            self._order(now, plain, both, n, (len(x_l), len(x_r)))
        labels_differ = y_l.shape[1:] != y_r.shape[1:] or not np.allclose(y_l[both.left], y_r[both.right], atol=1e-6)
        if labels_differ:
            if self.stages and self.stages[-1].cause in ("data.order", "data.examples"):
                relabelled = self._labelled(plain, both, y_l)
                self.stages[-1] = replace(self.stages[-1], batches=tuple(relabelled))
            sides = (f"{_list(y_l[both.left])} ...", f"{_list(y_r[both.right])} ... for the same examples")
            self._add("data.labels", *sides, ("the right's labels", "the left's labels"), plain)
        if not scaling.nothing:
            self._add("data.scaling", "x", "x = " + _written(scaling), _scaling_fixes(scaling), goal)
        return goal

    def _labelled(self, batches: Sequence[Batch], both: Matched, labels: np.ndarray) -> Iterator[Batch]:
        """Yield batches with the left's labels, for the examples that the left has shown."""
        known = dict(zip(map(int, both.right), labels[both.left], strict=True))
        start = 0
        for batch in batches:
            own = [known.get(start + k, target) for k, target in enumerate(batch.targets)]
            start += len(batch)
            yield replace(batch, targets=np.array(own))

    def _order(self, now: Sequence[Batch], plain: list[Batch], both: Matched, n: int, lengths: tuple[int, int]) -> None:
        """Find another order, other examples, or both. `plain` are the right's batches with the left's scaling."""
        sizes = [int(facts.get("examples", 0)) for facts in self.facts]
        whole = not self.stages and all(
            facts.get("drop_last") == "False" and 0 < size <= length
            for facts, size, length in zip(self.facts, sizes, lengths, strict=True)
        )
        common = int((both.right < sizes[1]).sum()) if whole else len(both.right)
        if whole and common < max(sizes):
            sides = (f"{sizes[0]} examples", f"{sizes[1]} examples, of which {common} are the left's")
            fixes = ("the right's split of the data", "the left's split of the data")
            in_turn = bool(np.all(np.diff(both.left[both.right < sizes[1]]) > 0))  # the examples on both sides
            swapped = [] if in_turn else _swapped(now, plain, both, sizes, self.name)
            self._add("data.examples", *sides, fixes, swapped or plain)
            if not swapped or _alike(swapped, plain, self.name):
                return
        words = {"True": "shuffled", "False": "as the data come"}
        sides_ = [words.get(facts.get("shuffle", ""), "its own") for facts in self.facts]
        first = ", ".join(map(str, both.left[:MOST_SHOWN]))
        right = f"{sides_[1]}: examples {first}, ... of the left's" if len(both.left) else sides_[1]
        fix = "shuffle=False, or one permutation for both"
        self._add("data.order", sides_[0], right, (fix, fix), plain)
        if common < n and not whole:
            self.asides.append(
                f"{common} of {n} examples were seen on both sides. So few steps cannot distinguish another order "
                "from other examples."
            )

    def _unmatched(
        self, now: tuple[Batch, ...], goal: tuple[Batch, ...], x_l: np.ndarray, x_r: np.ndarray
    ) -> tuple[Batch, ...]:
        if x_l.shape == x_r.shape and np.array_equal(x_l, x_r):
            return goal
        if alike_in_place(x_l, x_r):
            sides = ("its own", "the same examples, each changed in its own way")
            fixes = (
                "the right's augmentation, or none on both sides",
                "the left's augmentation, or none on both sides",
            )
            self._add("data.augmentation", *sides, fixes, goal)
        else:
            sides = ("its own", "others, and no factor and offset makes them the left's")
            self._add("data.examples", *sides, ("the right's examples", "the left's examples"), goal)
        return goal

    def _with(self, batch: Batch, values: np.ndarray) -> Batch:
        return replace(batch, inputs={self.name: values})


def _swapped(
    left: Sequence[Batch], right: Sequence[Batch], both: Matched, sizes: Sequence[int], name: str
) -> list[Batch]:
    """Return the left's batches, with the examples that the right lacks replaced by the right's own. Return none if
    the numbers differ. `sizes` are those of the epochs."""
    x_l, x_r = _rows(left, name), _rows(right, name)
    y_r = np.concatenate([batch.targets for batch in right])
    common = {x_l[place].tobytes() for place in both.left}
    alone = list(dict.fromkeys(row.tobytes() for row in x_l[: sizes[0]] if row.tobytes() not in common))
    known = set(both.right.tolist())
    others = [place for place in range(sizes[1]) if place not in known]
    if len(alone) != len(others):
        return []
    instead = dict(zip(alone, others, strict=True))
    made = []
    for batch in left:
        places = [instead.get(row.tobytes()) for row in batch.inputs[name]]
        x, y = batch.inputs[name].copy(), batch.targets.copy()
        for number, place in enumerate(places):
            if place is not None:
                x[number], y[number] = x_r[place], y_r[place]
        made.append(Batch({name: x}, y))
    return made


def _alike(some: Sequence[Batch], others: Sequence[Batch], name: str) -> bool:
    """Whether batches are equal apart from rounding."""
    a, b = _rows(some, name), _rows(others, name)
    n = min(len(a), len(b))
    return bool(np.allclose(a[:n], b[:n], rtol=0, atol=4 * ROUNDING * float(np.abs(a).max())))


def _rows(batches: Sequence[Batch], name: str) -> np.ndarray:
    return np.concatenate([batch.inputs[name] for batch in batches])


def _short(batches: Sequence[Batch]) -> int:
    """Return the size of a smaller batch after larger ones; 0 if there is none."""
    return next((len(batch) for batch in batches if len(batch) < len(batches[0])), 0)


def _whole(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    return tuple(batch for batch in batches if len(batch) >= len(batches[0]))


def _rebatched(batches: Sequence[Batch], sizes: Sequence[int]) -> tuple[Batch, ...]:
    """Return the same examples in batches of other sizes, as long as the examples last."""
    inputs = {name: _rows(batches, name) for name in batches[0].inputs}
    targets = np.concatenate([batch.targets for batch in batches])
    made, start = [], 0
    for size in sizes:
        if start + size > len(targets):
            break
        part = slice(start, start + size)
        made.append(Batch({name: array[part] for name, array in inputs.items()}, targets[part]))
        start += size
    return tuple(made)


def _list(values: np.ndarray) -> str:
    return ", ".join(f"{value:.4g}" for value in values.reshape(len(values), -1)[:MOST_SHOWN, 0])


def _written(scaling: Scaling) -> str:
    return f"{_numbers(scaling.factor)} * x + {_numbers(scaling.offset)}".replace("+ -", "- ")


def _numbers(values: np.ndarray) -> str:
    shown = [f"{value:.5g}" for value in values[:3]]
    return shown[0] if len(values) == 1 else f"({', '.join([*shown, '...'] if len(values) > 3 else shown)})"


def _scaling_fixes(scaling: Scaling) -> tuple[str, str]:
    back = Scaling(1 / scaling.factor, -scaling.offset / scaling.factor)
    return f"x = {_written(scaling)}", f"x = {_written(back)}"


def _last_fixes(right_keeps: bool) -> tuple[str, str]:
    keep, drop = "keep the last batch (drop_last=False, drop_remainder=False)", "leave it out (drop_last=True)"
    return (keep, drop) if right_keeps else (drop, keep)
