"""Pair the nodes of two networks by data flow.

Nodes are sorted branch by branch, independently of the order in which a library defines them. The operands of an
addition are visited longest first, those of a concatenation in their order. The two sequences are then aligned
(Needleman and Wunsch 1970) by kinds, shapes of weights and shapes of outputs. Leftover nodes are paired if their
neighbours are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Graph, Node, Recording

FAMILIES = (
    [
        "Relu",
        "LeakyRelu",
        "Elu",
        "Celu",
        "Selu",
        "Gelu",
        "Swish",
        "Sigmoid",
        "Tanh",
        "Softplus",
        "Softsign",
        "HardSigmoid",
        "HardSwish",
        "Mish",
        "LogSigmoid",
        "Clip",
        "ThresholdedRelu",
        "PRelu",
        "Softshrink",
        "Hardshrink",
        "Tanhshrink",
        "Softmax",
        "LogSoftmax",
        "Erf",
    ],
    ["MaxPool", "AveragePool", "AdaptiveAveragePool", "AdaptiveMaxPool", "GlobalAveragePool", "GlobalMaxPool"],
    ["BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization"],
    ["Add", "Mul", "Max", "Min", "Sub", "Div", "Concat"],
    ["Conv", "ConvTranspose"],
    ["Flatten", "Reshape"],
    ["Resize", "ConvTranspose"],
    ["LSTM", "GRU", "RNN"],
    ["Parameter", "Constant"],
    ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum"],
)
NEVER = -1e9


@dataclass(frozen=True)
class Alignment:
    """The `pairs`, in the order of the left network's nodes, and the nodes without a partner."""

    pairs: tuple[tuple[str, str], ...]
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]

    @property
    def to_right(self) -> dict[str, str]:
        """The partner of every left node that has one."""
        return dict(self.pairs)

    @property
    def to_left(self) -> dict[str, str]:
        """The partner of every right node that has one."""
        return {right: left for left, right in self.pairs}


def align(left: Recording, right: Recording) -> Alignment:
    """Return the alignment of two networks in normal form."""
    order_l, order_r = branch_order(left), branch_order(right)
    score = _scores(order_l, order_r, left, right)
    pairs = _sequence_alignment(score)
    found = {order_l[i].name: order_r[j].name for i, j in pairs}
    _pair_inputs(found, left.graph, right.graph)
    _pair_by_neighbours(found, left.graph, right.graph, order_l, order_r, score)
    names_l = [node.name for node in left.graph.nodes]
    taken = set(found.values())
    return Alignment(
        tuple((name, found[name]) for name in names_l if name in found),
        tuple(name for name in names_l if name not in found),
        tuple(node.name for node in right.graph.nodes if node.name not in taken),
    )


def branch_order(recording: Recording) -> list[Node]:
    """Return the nodes branch by branch, each after the nodes whose outputs it takes."""
    by_name = recording.graph.by_name
    depth: dict[str, int] = {}
    for node in recording.graph.nodes:
        depth[node.name] = 1 + max((depth[name] for name in node.inputs), default=0)
    volume = {
        node.name: sum(recording.weights[f"{node.name}/{role}"].size for role in node.roles)
        for node in recording.graph.nodes
    }
    order: list[Node] = []
    done: set[str] = set()
    stack = [(name, False) for name in reversed(recording.graph.outputs)]
    while stack:
        name, ready = stack.pop()
        if name in done:
            continue
        if ready:
            done.add(name)
            order.append(by_name[name])
            continue
        stack.append((name, True))
        inputs: Sequence[str] = by_name[name].inputs
        if by_name[name].kind in ("Add", "Mul", "Max", "Min"):
            inputs = sorted(inputs, key=lambda one: (-depth[one], -volume[one]))
        stack += [(one, False) for one in reversed(inputs) if one not in done]
    return order + [node for node in recording.graph.nodes if node.name not in done]


def _scores(order_l: list[Node], order_r: list[Node], left: Recording, right: Recording) -> np.ndarray:
    """Return how well each left node matches each right one."""
    known: dict[tuple[object, object], float] = {}
    features_l = [_feature(node, left) for node in order_l]
    features_r = [_feature(node, right) for node in order_r]
    score = np.empty((len(order_l), len(order_r)))
    for i, a in enumerate(features_l):
        for j, b in enumerate(features_r):
            if (a, b) not in known:
                known[a, b] = _score(a, b)
            score[i, j] = known[a, b]
    place_l = np.linspace(0, 1, len(order_l))[:, None]
    place_r = np.linspace(0, 1, len(order_r))[None]
    return score + np.where(score > 0, 0.2 * (1 - np.abs(place_l - place_r)), 0)


@dataclass(frozen=True)
class _Feature:
    kind: str
    weights: tuple[tuple[str, tuple[int, ...]], ...]
    shape: tuple[int, ...]
    attributes: tuple[tuple[str, object], ...]


def _feature(node: Node, recording: Recording) -> _Feature:
    shapes = tuple((role, recording.weights[f"{node.name}/{role}"].shape) for role in node.roles)
    return _Feature(node.kind, shapes, node.shape, tuple(sorted(node.attributes.items(), key=lambda item: item[0])))


def _score(a: _Feature, b: _Feature) -> float:
    if "Input" in (a.kind, b.kind):
        return NEVER
    same_shape = a.shape == b.shape
    if {a.kind, b.kind} <= {"Parameter", "Constant"}:
        wide, other = ([n for n in each.shape if n > 1] for each in (a, b))
        return 9.0 + same_shape if wide == other else 1.0
    if a.kind == b.kind:
        if not a.weights and not b.weights:
            return 3.0 + same_shape + 0.5 * (a.attributes == b.attributes)
        main_a, main_b = dict(a.weights), dict(b.weights)
        main = next(
            (role for role in ("W", "scale", "mean", "value", *main_a) if role in main_a and role in main_b), None
        )
        if main is None:
            return 3.0 + same_shape
        if main_a[main] == main_b[main]:
            return 9.0 + same_shape + 0.5 * (a.attributes == b.attributes)
        return 3.0 + same_shape if len(main_a[main]) == len(main_b[main]) else 1.0
    if any(a.kind in family and b.kind in family for family in FAMILIES):
        return 1.5 + 0.5 * same_shape
    if ":" in a.kind and ":" in b.kind and same_shape:
        return 0.6
    return NEVER


def _sequence_alignment(score: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs (i, j), increasing in both, with the largest total score."""
    n, m = score.shape
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    rows = score.tolist()
    for i in range(1, n + 1):
        above, here, row = best[i - 1], best[i], rows[i - 1]
        for j in range(1, m + 1):
            paired = above[j - 1] + row[j - 1]
            most = above[j] if above[j] >= here[j - 1] else here[j - 1]
            here[j] = paired if paired > most else most
    pairs = []
    i, j = n, m
    while i and j:
        if best[i][j] == best[i - 1][j - 1] + rows[i - 1][j - 1] and rows[i - 1][j - 1] > 0:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _pair_inputs(found: dict[str, str], left: Graph, right: Graph) -> None:
    inputs = [[node.name for node in graph.nodes if node.kind == "Input"] for graph in (left, right)]
    for a in inputs[0]:
        if a in inputs[1]:
            found[a] = a
    rest = [[name for name in names if name not in found and name not in found.values()] for names in inputs]
    found.update(zip(*rest, strict=False))


def _pair_by_neighbours(
    found: dict[str, str], left: Graph, right: Graph, order_l: list[Node], order_r: list[Node], score: np.ndarray
) -> None:
    """Pair leftover nodes if a neighbour of one is the partner of a neighbour of the other, best scores first."""
    around_l, around_r = neighbours(left), neighbours(right)
    for _ in range(3):
        taken = set(found.values())
        candidates = []
        for i, a in enumerate(order_l):
            if a.name in found:
                continue
            near = {found[name] for name in around_l[a.name] if name in found}
            for j, b in enumerate(order_r):
                if b.name not in taken and score[i, j] >= 3 and (shared := near & around_r[b.name]):
                    candidates.append((len(shared), score[i, j], a.name, b.name))
        if not candidates:
            return
        for _, _, a_name, b_name in sorted(candidates, reverse=True):
            if a_name not in found and b_name not in found.values():
                found[a_name] = b_name


def neighbours(graph: Graph) -> dict[str, set[str]]:
    """Return, for each node, the names of the nodes that it takes from and gives to."""
    around: dict[str, set[str]] = {node.name: set(node.inputs) for node in graph.nodes}
    for node in graph.nodes:
        for name in node.inputs:
            around[name].add(node.name)
    return around
