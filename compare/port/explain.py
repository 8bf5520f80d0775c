"""Decide which differences are causes: removing them takes the right network's output to the left one's.

A difference is harmless if its node gives the same as its partner for the left one's inputs. The others are grouped by
cause and removed group by group, in the order of the network. After each, the reference evaluator computes the
remaining error. A group is harmless, too, if the rest explains as much without it: the report is minimal. Nodes that
are beyond the bound after that are unexplained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.evaluate import NoReference, evaluate_node
from compare.graphs.node import Arrays, Node, Recording
from compare.port.align import Alignment
from compare.port.difference import Difference
from compare.port.measure import Fallback, distance, output_distance, outputs_of, run
from compare.port.mend import INSERTED, Mended, mend
from compare.port.sequences import RESHAPES

ONLY_TRAINING = ("batch_norm.momentum", "batch_norm.variance", "dropout.rate")
WITHIN = ("attributes", "kind", "weights")  # changes within a layer, which leave the connections as they are
MOST_GROUPS = 12  # beyond this, groups are not left out in turn


@dataclass(frozen=True)
class Cause:
    """Differences of one name that cause a part of the error. `before` and `after` are the distance of the outputs
    without and with them removed, after all earlier causes are removed. Both are None if no output shows it."""

    cause: str
    differences: tuple[Difference, ...]
    before: float | None
    after: float | None
    training: bool = False


@dataclass(frozen=True)
class Unexplained:
    """A pair that gives different values for the same input, without a known reason. It holds the example that differs
    most: the inputs, and the output of each side."""

    left: str
    right: str
    distance: float
    inputs: tuple[np.ndarray, ...] = ()
    outputs: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """`output_distance` is before any change; `left_over` is after all causes are removed."""

    output_distance: float
    left_over: float
    causes: tuple[Cause, ...]
    harmless: tuple[Difference, ...]
    unexplained: tuple[Unexplained, ...]


@dataclass(frozen=True)
class Case:
    """Two aligned networks, called in one mode, and the inputs of both."""

    left: Recording
    right: Recording
    alignment: Alignment
    inputs: Arrays
    bounds: Mapping[str, float]
    left_fallback: Fallback
    right_fallback: Fallback

    @property
    def bound(self) -> float:
        """The bound of the outputs."""
        return max(self.bounds[name] for name in self.left.graph.outputs)

    def fallback(self, node: Node, inputs: list[np.ndarray]) -> np.ndarray:
        """Compute a node that the evaluator does not know with the network that it comes from."""
        if node.name.startswith(INSERTED):
            return self.left_fallback(_named(node, node.name.removeprefix(INSERTED)), inputs)
        return self.right_fallback(node, inputs)

    def error(self, mended: Mended) -> float:
        """Return the distance of a changed right network's outputs from the left one's."""
        values = run(mended.graph, mended.weights, self.inputs, self.fallback)
        if values is None:
            return float("inf")
        return output_distance([values[name] for name in mended.graph.outputs], outputs_of(self.left))

    def mended(self, changes: Sequence[Difference]) -> Mended:
        """Return the right network after `changes`."""
        return mend(self.left, self.right, self.alignment, self.right.weights, changes)


def explain(case: Case, found: Sequence[Difference], first: Sequence[Difference] = ()) -> Explanation:
    """Return the causes among `found`. `first` are known causes, which are removed before anything else."""
    silent = [d for d in found if d.cause in ONLY_TRAINING or d.change == "none"]
    harmless = [d for d in found if d not in silent and _is_harmless(case, d)]
    real = [d for d in found if d not in silent and d not in harmless]
    follow = [d for d in real if d.cause == "weights.shape"]  # a consequence, if anything else is different
    if len(follow) == len(real):
        follow = []
    groups: dict[str, list[Difference]] = {}
    for difference in real:
        if difference not in follow:
            groups.setdefault(_group(case, difference), []).append(difference)
    base = [*first, *follow]
    start = case.error(case.mended(base)) if first else output_distance(outputs_of(case.right), outputs_of(case.left))
    names = _needed(case, groups, base) if start > case.bound else []
    harmless += [d for name in groups if name not in names for d in groups[name]]
    causes, gone = [], list(base)
    before = start
    for cause in dict.fromkeys(groups[name][0].cause for name in names):
        own = [d for name in names for d in groups[name] if d.cause == cause]
        gone += own
        after = case.error(case.mended(gone))
        causes.append(Cause(cause, tuple(own), before, after))
        before = after
    left_over = before
    unexplained = _unexplained(case, case.mended(gone)) if left_over > case.bound else ()
    return Explanation(start, left_over, tuple(causes), tuple(harmless), unexplained)


def _group(case: Case, difference: Difference) -> str:
    """Return the group that a difference belongs to: one cause between layers of the same kinds. All nodes that only
    change shapes form one group, whatever their kind on each side."""
    sides = ((case.left, difference.left), (case.right, difference.right))
    kinds = [recording.graph[name].kind if name else "" for recording, name in sides]
    if set(kinds) - {""} <= set(RESHAPES):
        kinds = ["shape"]
    return " ".join((difference.cause, *kinds))


def _needed(case: Case, groups: Mapping[str, list[Difference]], base: list[Difference]) -> list[str]:
    """Return the groups without which the error would be larger. They are in the order of removal: the first is the one
    whose absence would leave the largest error. If something else keeps the error beyond the bound, return the groups
    that explain the values of their own layers, in their order."""

    def error(some: Sequence[str]) -> float:
        try:
            return case.error(case.mended([*base, *(d for name in some for d in groups[name])]))
        except ValueError:  # with these connections the layers would form a circle
            return float("inf")

    names = list(groups)
    everything = error(names)
    if everything > case.bound:
        names, everything = _without_harm(names, error, everything)
    explained = everything <= case.bound
    if explained and len(names) > MOST_GROUPS:
        return names
    proved = set() if explained else {name for name in names if _proved(case, [*base, *groups[name]], groups[name])}
    least = max(case.bound, 2 * everything) if explained else everything
    without: dict[str, float] = {}
    for name in list(names):
        rest = [other for other in names if other != name]
        if name in proved:
            continue
        without[name] = error(rest)
        if without[name] <= least:
            names = rest
    return sorted(names, key=lambda name: -without[name]) if explained else names


def _without_harm(
    names: list[str], error: Callable[[Sequence[str]], float], everything: float
) -> tuple[list[str], float]:
    """Return the groups without those that enlarge the error, one by one, and the error with them. If they cannot be
    combined, for example because shapes do not fit, return those that lessen it one after the other."""
    for name in list(names):
        rest = [other for other in names if other != name]
        if (without := error(rest)) < everything:
            names, everything = rest, without
    if everything < float("inf"):
        return names, everything
    chosen: list[str] = []
    everything = error(chosen)
    for name in names:
        if (with_it := error([*chosen, name])) < everything:
            chosen, everything = [*chosen, name], with_it
    return chosen, everything


def _proved(case: Case, changes: Sequence[Difference], own: Sequence[Difference]) -> bool:
    """Whether the layers of a group agree with their partners for the same inputs, after `changes`."""
    if any(d.left is None or d.right is None or d.change not in WITHIN for d in own):
        return False
    mended = case.mended(changes)
    return all(_agrees(case, mended, d.left or "", d.right or "") for d in own)


def _agrees(case: Case, mended: Mended, left: str, right: str) -> bool:
    """Whether a node of the changed right network agrees with its partner for the left one's inputs."""
    node = mended.graph.by_name.get(right)
    if node is None:
        return False
    inputs = [case.left.values[name] for name in case.left.graph[left].inputs]
    weights = {role: mended.weights[f"{right}/{role}"] for role in node.roles}
    try:
        given = evaluate_node(node, inputs, weights)
    except (NoReference, ValueError, IndexError, ZeroDivisionError):
        return False
    return distance(given, case.left.values[left]) <= case.bounds[left]


def _is_harmless(case: Case, difference: Difference) -> bool:
    """Whether both nodes give the same for the same input."""
    if difference.cause == "dropout.in_evaluation":
        return False
    if difference.left is None or difference.right is None:
        return _alone(case, difference).kind == "Dropout"  # it drops nothing in this mode
    if difference.change not in WITHIN or "takes" in difference.attributes:
        return False  # other inputs do not show in a node that is given its partner's
    return _agrees(case, case.mended([]), difference.left, difference.right)


def _alone(case: Case, difference: Difference) -> Node:
    """Return the node that only one side has."""
    if difference.left is not None:
        return case.left.graph[difference.left]
    return case.right.graph[difference.right or ""]


def _unexplained(case: Case, mended: Mended) -> tuple[Unexplained, ...]:
    """Return the pairs that give different values for the left one's inputs, after all known causes are removed."""
    found = []
    by_name = mended.graph.by_name
    for name_l, name_r in case.alignment.pairs:
        if name_r not in by_name or case.left.graph[name_l].kind == "Input":
            continue
        node = by_name[name_r]
        inputs = [case.left.values[name] for name in case.left.graph[name_l].inputs]
        weights = {role: mended.weights[f"{name_r}/{role}"] for role in node.roles}
        try:
            given = evaluate_node(node, inputs, weights)
        except NoReference:
            given = case.right_fallback(node, inputs)
        except (ValueError, IndexError, ZeroDivisionError):
            continue
        gap = distance(given, case.left.values[name_l])
        if gap > case.bounds[name_l]:
            found.append(_worst_example(Unexplained(name_l, name_r, gap), inputs, case.left.values[name_l], given))
    return tuple(found)


def _worst_example(
    found: Unexplained, inputs: Sequence[np.ndarray], left: np.ndarray, right: np.ndarray
) -> Unexplained:
    n = len(left) if left.ndim else 0
    if not n or left.shape != right.shape or any(array.ndim == 0 or len(array) != n for array in inputs):
        return replace(found, inputs=tuple(inputs), outputs=(left, right))
    far = np.abs(left.astype(np.float64) - right).reshape(n, -1).max(1)
    worst = slice(int(far.argmax()), int(far.argmax()) + 1)
    return replace(found, inputs=tuple(array[worst] for array in inputs), outputs=(left[worst], right[worst]))


def _named(node: Node, name: str) -> Node:
    return replace(node, name=name)
