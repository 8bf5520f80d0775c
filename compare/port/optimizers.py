"""Explain why two optimizers differ: both receive the same gradients, and each is a record.

The record must do in NumPy what the optimizer did. A difference is a cause if changing it in the right record turns the
right one's steps into the left one's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.node import Arrays
from compare.graphs.optimizers import OptimizerRecord, after_steps, gradient_at
from compare.port.both import Both
from compare.port.gradient_pairs import NOTHING
from compare.port.learned import LearnedCause, Puzzle
from compare.port.measure import LEAST_BOUND, MARGIN, distance
from compare.port.optimizer_lines import line
from compare.port.optimizer_records import CAUSES, changed, differences, rates_alike, rebased, said, set_aside, together
from compare.port.side import Optimized
from compare.port.wanted import Wanted
from compare.port.workers import settled
from shared.errors import InputError

FITS = 1e-6  # how far a record may be from its optimizer, which may keep constants in float32
WHERE = "the optimizer"
SAMPLED = 1 << 14  # elements per parameter
LARGER = 1e4  # factor for the gradients, to reach the thresholds that clip them


@dataclass(frozen=True)
class OptimizersFound:
    """The result. `labels` are the names of both; `rounding` is how far an optimizer's steps are from its settings
    in float64."""

    labels: tuple[str, str]
    distance: float
    rounding: float
    causes: tuple[LearnedCause, ...]
    puzzles: tuple[Puzzle, ...]
    asides: tuple[str, ...]
    records: tuple[OptimizerRecord, OptimizerRecord] | None = None  # with the left's names, if both are known
    held: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())  # the weights that each trains
    copies: tuple[Arrays, Arrays] = ({}, {})


@dataclass(frozen=True)
class _Run:
    """The results of both optimizers for the same gradients, by the left's names, and the parameters before. `copies`
    are of whole parameters; everything else may be a sample."""

    before: Arrays
    gradients: Arrays
    sides: tuple[Optimized, Optimized]
    copies: tuple[Arrays, Arrays]

    @property
    def after(self) -> tuple[Arrays, Arrays]:
        return self.sides[0].after, self.sides[1].after


def compare_optimizers(both: Both, wanted: Wanted) -> OptimizersFound:
    """Give both optimizers the left's gradients, and explain why their steps differ. Raises InputError if there is no
    optimizer, or nothing to train."""
    both.tell("Comparing the optimizers on the same gradients ...")
    run = _run(both, wanted)
    left, right = run.sides
    labels = left.label, right.label
    gap = _gap(right.after, left.after, run.before)
    asides, rounding = _misread(run)
    causes = _left_out(run, both)
    common = [name for name in run.gradients if name in left.held and name in right.held]
    bound = _bound(run, wanted.n_steps)
    if asides or left.record is None or right.record is None:
        shared = [{name: side.after[name] for name in common} for side in run.sides]
        inner = _gap(shared[1], shared[0], run.before)
        puzzles = (Puzzle(WHERE, WHERE, inner, "steps"),) if inner > bound else ()
        return OptimizersFound(labels, gap, rounding, tuple(causes), puzzles, asides)
    record, set_by = set_aside(left.record, right.record)
    copies = left.copies, right.copies
    before = {name: run.before[name] for name in common}
    if set_by:  # it adds up over the steps, as rounding does
        both_ways = [
            after_steps(each, before, _steps(run.gradients, common, wanted.n_steps, 1.0), right.copies)
            for each in (right.record, record)
        ]
        rounding = max(rounding, _gap(both_ways[0], both_ways[1], before))
    first = rebased(left.record, record, common)
    record = rebased(record, first, common)
    first, record = (together(each, common) for each in (first, record))
    case = Case(first, record, before, run.gradients, wanted.n_steps, bound, copies)
    names = case.needed(case.differences(), [], 1.0)
    found = case.causes(names, 1.0, both)
    hidden = [name for name in case.differences() if name == "clipping" and name not in names]
    if hidden and case.error(names, LARGER) > bound:
        more = case.needed(hidden, names, LARGER)
        found += case.causes([*names, *more], LARGER, both)[len(names) :]
    left_over = case.error(names, 1.0)
    puzzles = (Puzzle(WHERE, WHERE, left_over, "steps"),) if left_over > bound else ()
    return OptimizersFound(
        labels, gap, rounding, (*causes, *found), puzzles, (*asides, *set_by), (first, record),
        (left.held, right.held), run.copies,
    )  # fmt: skip


def _run(both: Both, wanted: Wanted) -> _Run:
    left, right = both.left, both.right
    gradients = {}
    for key_l, key_r in both.parameters():
        given = left.weights.get(key_l, right.weights.get(key_r))
        if given is not None and left.parameters[key_l][1] and right.parameters[key_r][1]:
            gradients[key_l, key_r] = given
    most = max((float(np.abs(each).max(initial=0)) for each in gradients.values()), default=0.0)
    for keys, each in gradients.items():
        if float(np.abs(each).max(initial=0)) <= NOTHING * most:  # 0 apart from rounding, as for the bias of keys
            gradients[keys] = np.zeros_like(each)
    if not gradients:
        raise InputError("There is no parameter that both models train. Leave the optimizers out.")

    def ask(place: int) -> Optimized:
        own = {keys[place]: gradient for keys, gradient in gradients.items()}
        return both.sides[place].optimize(wanted.optimizers[place], own, wanted.n_steps, 1.0)

    first, second = settled([both.pool.submit(ask, place) for place in (0, 1)])
    before = {key_l: left.recording.weights[key_l] for key_l, _ in gradients}
    start = {key_r: right.recording.weights[key_r] for _, key_r in gradients}
    moved = {a: before[a] + _like(second.after[b] - _like(start[b], second.after[b]), before[a]) for a, b in gradients}
    names = {key_r: key_l for key_l, key_r in gradients}
    record = second.record
    if record is not None:
        own = {names[key]: value for key, value in record.own.items() if key in names}
        record = replace(record, own=own, wholes={names[key]: w for key, w in record.wholes.items() if key in names})
    held = frozenset(names[key] for key in second.held if key in names)
    copies = {names[key]: _like(n, before[names[key]]) for key, n in second.copies.items() if key in names}
    second = Optimized(second.label, record, moved, held, copies)
    own_copies = {key: _like(n, before[key]) if key in before else n for key, n in first.copies.items()}
    first = replace(first, after={key: _like(first.after[key], before[key]) for key in before}, copies=own_copies)
    slopes = {a: _like(each, before[a]) for (a, _), each in gradients.items()}
    run = _Run(before, slopes, (first, second), (own_copies, copies))
    return run if any(side.record is not None and side.record.clipping for side in run.sides) else _sampled(run)


def _like(array: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Reshape an array to another one of as many elements: normal forms leave out axes of length 1."""
    return array.reshape(other.shape) if array.size == other.size else array


def _sampled(run: _Run) -> _Run:
    """Keep only the first elements of every parameter: an optimizer that does not clip treats each one separately."""

    def cut(arrays: Arrays) -> Arrays:
        shapes = {name: run.before[name].shape for name in arrays if name in run.before}
        whole = {name: np.broadcast_to(arrays[name], shape) for name, shape in shapes.items()}
        return {name: array.reshape(-1)[:SAMPLED] for name, array in whole.items()}

    sides = [replace(side, after=cut(side.after), copies=cut(side.copies)) for side in run.sides]
    return _Run(cut(run.before), cut(run.gradients), (sides[0], sides[1]), run.copies)


def _steps(gradients: Arrays, names: Sequence[str], n: int, scale: float) -> Iterator[Arrays]:
    """Yield the gradients of every step, one at a time: they can be gigabytes."""
    return ({name: gradient_at(gradients[name], number, scale) for name in names} for number in range(n))


def _gap(actual: Arrays, expected: Arrays, before: Arrays) -> float:
    """Return the largest distance between two updates of a parameter."""
    return max((distance(actual[name] - before[name], expected[name] - before[name]) for name in expected), default=0.0)


def _bound(run: _Run, n: int) -> float:
    """Return how far apart updates may be: parameters are rounded in every step."""
    worst = 0.0
    for name, before in run.before.items():
        moved = max(float(np.abs(after[name] - before).max(initial=0)) for after in run.after)
        if moved:
            worst = max(worst, 8 * n * 2.3e-16 * float(np.abs(before).max(initial=0)) / moved)
    return max(MARGIN * LEAST_BOUND["float64"], worst)


def _misread(run: _Run) -> tuple[tuple[str, ...], float]:
    """Return which optimizers contradict their records, and how far the others are from theirs."""
    found, most = [], 0.0
    for where, side in zip(("left", "right"), run.sides, strict=True):
        if side.record is None:
            found.append(f"The {where} optimizer, {side.label}, is unknown here; only its steps were compared.")
            continue
        names = [name for name in run.gradients if name in side.held]
        steps = _steps(run.gradients, names, len(side.record.rates), 1.0)
        own = after_steps(side.record, run.before, steps, side.copies)
        off = _gap({name: side.after[name] for name in names}, {name: own[name] for name in names}, run.before)
        if off > FITS:
            found.append(f"The {where} optimizer, {side.label}, does not do what its settings say.")
        else:
            most = max(most, off)
    return tuple(found), most


def _left_out(run: _Run, both: Both) -> list[LearnedCause]:
    """Return the cause if one optimizer was not given some parameters."""
    found = []
    to_right = both.alignment.to_right
    for which in (0, 1):
        names = [name for name in run.gradients if name in run.sides[1 - which].held - run.sides[which].held]
        if names:
            nodes = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
            values = ("not given", "given") if which == 0 else ("given", "not given")
            fixes = (
                "give the optimizer all of model.parameters()" if which == 0 else f"leave {nodes[0]} out",
                "give the optimizer all trainable variables" if which == 1 else f"leave {to_right.get(nodes[0])} out",
            )
            pairs = tuple((node, to_right.get(node)) for node in nodes)
            found.append(LearnedCause("optimizer.parameters", "steps", pairs, *values, fixes, None, None))
    return found


@dataclass(frozen=True)
class Case:
    """Two records, and the parameters and gradients to compare them with."""

    left: OptimizerRecord
    right: OptimizerRecord
    before: Arrays
    gradients: Arrays
    n: int
    bound: float
    copies: tuple[Arrays, Arrays]

    def differences(self) -> list[str]:
        """Return what differs, by the names of optimizer_records.CAUSES."""
        found = differences(self.left, self.right)
        alike = all(np.array_equal(self._n(0, name), self._n(1, name)) for name in self.before)
        return found if alike else [*found, "copies"]

    def _n(self, side: int, name: str) -> np.ndarray:
        return np.broadcast_to(self.copies[side].get(name, np.ones(1)), self.before[name].shape)

    def error(self, names: Sequence[str], scale: float) -> float:
        """Return how far the right one's updates, with `names` as in the left one, are from the left one's."""

        def done(record: OptimizerRecord, copies: Arrays) -> Arrays:
            given = _steps(self.gradients, list(self.before), self.n, scale)
            return after_steps(record, self.before, given, copies)

        expected = done(self.left, self.copies[0])
        moved = done(changed(self.right, self.left, names), self.copies[0 if "copies" in names else 1])
        return _gap(moved, expected, self.before)

    def needed(self, names: Sequence[str], base: Sequence[str], scale: float) -> list[str]:
        """Return the fewest of `names` that are sufficient, in addition to `base`."""
        if self.error(base, scale) <= self.bound:
            return []
        least = max(self.bound, 2 * self.error([*base, *names], scale))
        kept = list(names)
        for name in names:
            rest = [other for other in kept if other != name]
            if (rest or base) and self.error([*base, *rest], scale) <= least:
                kept = rest
        return kept

    def causes(self, names: Sequence[str], scale: float, both: Both) -> list[LearnedCause]:
        """Return a cause for each of `names`, with the error before and after it is removed."""
        found: list[LearnedCause] = []
        before = self.error([], scale)
        for place, name in enumerate(names, 1):
            after = self.error(names[:place], scale)
            found.append(replace(self._cause(name, names, both), before=before, after=after))
            before = after
        return found

    def _cause(self, name: str, names: Sequence[str], both: Both) -> LearnedCause:
        """Return the cause without its errors; its fix covers all of `names`."""
        if name == "copies":
            return self._of_copies(both)
        frameworks = both.frameworks
        fix = (
            line(changed(self.left, self.right, names), name, frameworks[0]),
            line(changed(self.right, self.left, names), name, frameworks[1]),
        )
        cause = CAUSES[name]
        if name == "own" and rates_alike(self.left, self.right):
            cause = "optimizer.decay_parameters"
        return LearnedCause(cause, "steps", (), said(self.left, name), said(self.right, name), fix, None, None)

    def _of_copies(self, both: Both) -> LearnedCause:
        """Return the cause if one side keeps a bias as the sum of two, both of which are trained."""
        names = [name for name in self.before if not np.array_equal(self._n(0, name), self._n(1, name))]
        nodes = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
        pairs = tuple((node, both.alignment.to_right.get(node)) for node in nodes)
        n_left, n_right = (float(self._n(side, names[0]).max()) for side in (0, 1))
        values = [f"a sum of {n:g}, each trained" if n > 1 else "one" for n in (n_left, n_right)]
        fixes = [
            "train one bias of both: bias_hh_l0.data.zero_().requires_grad_(False)" if n > 1 and of == "torch"
            else f"the bias of {pair} is to move {max(n_left, n_right) / n:g} times as far in every step"
            for n, of, pair in zip((n_left, n_right), both.frameworks, pairs[0], strict=True)
        ]  # fmt: skip
        return LearnedCause(
            "optimizer.two_biases", "steps", pairs, values[0], values[1], (fixes[0], fixes[1]), None, None
        )
