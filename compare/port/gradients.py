"""Locate differences between two backward passes: compare a framework's gradient with its own forward pass.

For every value x and every weight, along a random direction v: the gradient by x times v is a sum over all nodes that
take x. Each term is a taker's gradient times the taker's change along v. That change is a central difference of the
reference evaluator in float64. If the sum differs, the backward pass was written by hand, or stopped.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from compare.graphs.evaluate import NoReference, evaluate_node
from compare.graphs.node import Arrays, Node
from compare.port.align import Alignment
from compare.port.gradient_pairs import GradientPair
from compare.port.learned import LearnedCause, Puzzle
from compare.port.side import Differentiated, weights_of
from shared import randomness

STEP = 1e-6  # of the largest element, for the central difference
MASKED = 1e6  # a larger value represents infinity, such as the -1e9 of a mask
OFF = 1e-4  # how far a gradient may be from the central difference
ROUNDED = 1e-8  # how far a sum may be off, relative to the sum of its terms' sizes
N_DIRECTIONS = 2
Fallback = Callable[[Node, list[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Off:
    """A value ("NODE") or a weight ("NODE/ROLE") whose gradient contradicts the forward pass. Its gradient should be
    the sum over `takers`, of which `stopped` contributed nothing. `between` are the nodes before the takers that have
    no gradient of their own, and `gap` is the relative error."""

    place: str
    takers: tuple[str, ...]
    stopped: tuple[str, ...]
    between: tuple[str, ...]
    gap: float

    @property
    def nearest(self) -> tuple[str, ...]:
        """The nodes that probably cause it."""
        return self.stopped or self.between[-1:] or self.takers

    @property
    def role(self) -> str:
        """The role of a weight; "" of a value."""
        return self.place.rpartition("/")[2] if "/" in self.place else ""

    @property
    def key(self) -> tuple[str | None, str]:
        """The key that two sides share if they are off in the same place: the node that causes it, and the role."""
        return next(iter(self.nearest), None), self.role


@dataclass
class Check:
    """One side, compared with its own forward pass."""

    side: Differentiated
    fallback: Fallback
    takers: dict[str, list[Node]] = field(default_factory=dict)
    passed: dict[str, None] = field(default_factory=dict)  # nodes without a gradient of their own at the last place

    def __post_init__(self) -> None:
        for node in self.side.recording.graph.nodes:
            for name in dict.fromkeys(node.inputs):
                self.takers.setdefault(name, []).append(node)

    def off(self) -> list[Off]:
        """Return every place where the gradient is not the derivative, outputs first."""
        recording, found = self.side.recording, []
        for node in reversed(recording.graph.nodes):
            for role in node.roles:
                key = f"{node.name}/{role}"
                trained = self.side.parameters.get(key, ("", False))[1]
                if trained and self._is_alone(key) and (off := self._at(key, node, role)):
                    found.append(off)
            inner = node.name in self.side.values and node.name not in recording.graph.outputs
            if inner and (off := self._at(node.name, None, "")):
                found.append(off)
        return found

    def _is_alone(self, key: str) -> bool:
        """Whether no other node has the same weight."""
        name = self.side.parameters[key][0]
        return sum(other == name for other, _ in self.side.parameters.values()) == 1

    def _at(self, place: str, node: Node | None, role: str) -> Off | None:
        recording = self.side.recording
        x = recording.values[place] if node is None else recording.weights[place]
        if x.dtype != np.float64 or not x.size:
            return None
        gradient = self.side.values.get(place) if node is None else self.side.weights.get(place)
        own = np.zeros(x.shape) if gradient is None else gradient
        worst: Off | None = None
        for number in range(N_DIRECTIONS):
            v = 2 * randomness.uniform(x.size, f"direction {place}", number).reshape(x.shape) - 1
            found = self._shares(place, node, role, x, v)
            if found is None:
                return None
            shares, kinks = found
            if not shares:
                return None  # only the loss takes it, as Keras's takes the logits in front of a softmax
            actual = float((own * v).sum())
            expected, size = sum(shares.values()), sum(abs(share) for share in shares.values()) + abs(actual)
            room = OFF * size + kinks
            if size == 0 or abs(actual - expected) <= room:
                return None  # one direction that fits is enough: it would not fit by chance
            gap = abs(actual - expected) / max(abs(expected), abs(actual))
            worst = Off(place, tuple(shares), self._silent(shares, actual, room), tuple(self.passed), gap)
        return worst

    def _silent(self, shares: Mapping[str, float], actual: float, room: float) -> tuple[str, ...]:
        """Return the takers that the gradient lacks; () if leaving some out does not explain it."""
        names = list(shares)
        for mask in range(1, min(1 << len(names), 256)):
            gone = [name for k, name in enumerate(names) if mask >> k & 1]
            rest = sum(share for name, share in shares.items() if name not in gone)
            if abs(actual - rest) <= room:
                return tuple(gone)
        return ()

    def _shares(
        self, place: str, node: Node | None, role: str, x: np.ndarray, v: np.ndarray
    ) -> tuple[dict[str, float], float] | None:
        """Return what each taker's gradient adds to the gradient along v, and the tolerance at kinks. At a kink each
        side has its own slope, and any slope between them is right. Return None if it is not known."""
        sizes = np.abs(x)
        step = STEP * max(float(sizes[sizes < MASKED].max(initial=0)), 1e-3)
        up, here, down = (self._ahead(place, node, role, x + sign * step * v) for sign in (1, 0, -1))
        if up is None or here is None or down is None:
            return None
        shares, kinks = {}, 0.0
        for name, value in up.items():
            gradient = self.side.values[name]
            shares[name] = float((gradient * (value - down[name])).sum()) / (2 * step)
            kinks += float(np.abs(gradient * (value - 2 * here[name] + down[name])).sum()) / (2 * step)
            # Terms that add up to 0 leave their rounding, such as the bias in front of a batch normalisation.
            kinks += ROUNDED * float(np.abs(gradient * (value - down[name])).sum()) / (2 * step)
        return shares, kinks

    def _ahead(self, place: str, node: Node | None, role: str, changed: np.ndarray) -> Arrays | None:
        """Return the nearest values after a changed one that have a gradient of their own."""
        recording = self.side.recording
        moved: Arrays = {} if node is not None else {place: changed}
        reached: Arrays = {}
        ahead = [node] if node is not None else list(self.takers.get(place, ()))
        order = {each.name: k for k, each in enumerate(recording.graph.nodes)}
        seen = {each.name for each in ahead}
        self.passed.clear()
        while ahead:
            ahead.sort(key=lambda each: order[each.name])
            each = ahead.pop(0)
            weights = weights_of(each, recording.weights)
            if each is node:
                weights = {**weights, role: changed}
            inputs = [moved.get(name, recording.values[name]) for name in each.inputs]
            try:
                value = evaluate_node(each, inputs, weights)
            except NoReference:
                if each is node:
                    return None
                value = self.fallback(each, inputs)
            except (ValueError, IndexError, KeyError):
                return None
            if each.name in self.side.values:
                reached[each.name] = value
                continue
            self.passed[each.name] = None
            moved[each.name] = value
            for taker in self.takers.get(each.name, ()):
                if taker.name not in seen:
                    seen.add(taker.name)
                    ahead.append(taker)
        return reached


def explained(
    left: Differentiated,
    right: Differentiated,
    alignment: Alignment,
    fallbacks: tuple[Fallback, Fallback],
    pairs: Iterable[GradientPair],
    forward_differs: bool,
    known: Container[str],
) -> tuple[list[LearnedCause], list[Puzzle]]:
    """Return the causes for which gradients differ, and the first pair that none of them explains. `known` are the
    left's weights whose difference is explained."""
    sides = (left, right)
    offs = [Check(side, fallback).off() for side, fallback in zip(sides, fallbacks, strict=True)]
    offs = [[off for off in some if _on_the_left(off.place, alignment, which) not in known]
            for which, some in enumerate(offs)]  # fmt: skip
    named = [{off.key for off in some} for some in offs]
    to_right, to_left = alignment.to_right, alignment.to_left
    differing = {pair.left: pair for pair in pairs if pair.differs}
    found: dict[tuple[str, str | None, str | None], LearnedCause] = {}
    for which, (own, partner) in enumerate(((offs[0], to_right), (offs[1], to_left))):
        other = named[1 - which]
        for off in own:
            if {(partner.get(name), off.role) for name in off.nearest} & other and not differing:
                continue  # the other side does the same
            for name in off.nearest:
                two = (name, partner.get(name)) if which == 0 else (partner.get(name), name)
                cause = "gradient.stopped" if off.stopped else "gradient.custom"
                if any(key[1:] == two for key in found) or (partner.get(name), off.role) in other:
                    continue
                found[cause, *two] = _cause(cause, two, which, off.gap)
    causes = _joined(list(found.values()))
    puzzles = []
    if not causes and not forward_differs:
        first = next(iter(differing.values()), None)
        if first is not None:
            puzzles.append(Puzzle(first.left, first.right, first.distance, "gradients"))
    return causes, puzzles


def _on_the_left(place: str, alignment: Alignment, which: int) -> str:
    """Return the left's name of a weight of the left (0) or right side (1)."""
    node, _, role = place.rpartition("/")
    return place if which == 0 or not node else f"{alignment.to_left.get(node)}/{role}"


def _cause(cause: str, two: tuple[str | None, str | None], which: int, gap: float) -> LearnedCause:
    """Return the cause that lies on side `which` of a pair: its value and fix there, then those of the other side."""
    here, there = two[which] or "", two[1 - which] or "its counterpart"
    if cause == "gradient.stopped":
        values = "passes no gradient back", "passes it back"
        mend = f"take the detach, no_grad or stop_gradient in front of {here} out"
        other = f"stop the gradient in front of {there}, as the other side does"
    else:
        values = "another gradient than its values' derivative", "the derivative"
        mend = f"give {here} the derivative of what it computes as its gradient"
        other = f"write the same gradient for {there}"
    left, right = values if which == 0 else values[::-1]
    fix = (mend, other) if which == 0 else (other, mend)
    return LearnedCause(cause, "gradients", (two,), left, right, fix, gap, None)


def _joined(causes: list[LearnedCause]) -> list[LearnedCause]:
    """Join causes of one name and the same values into one with several pairs."""
    made: dict[tuple[str, str, str], LearnedCause] = {}
    for cause in causes:
        key = (cause.cause, cause.left, cause.right)
        known = made.get(key, replace(cause, pairs=()))
        worst = max(known.before or 0, cause.before or 0)
        made[key] = replace(known, pairs=(*known.pairs, *cause.pairs), before=worst)
    return list(made.values())
