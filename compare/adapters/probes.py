"""Recognise arithmetic by its results: it is tried on random numbers next to the operations that it may be.

A cone is a node with the nodes that it is computed from, back to one value and parameters. Its operations can have any
order and form. It is an operation if both give the same for random numbers, in every parameter.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from compare.graphs.evaluate import NoReference, evaluate, evaluate_node
from compare.graphs.node import Arrays, Attribute, Graph, Node

_ARITHMETIC = {
    *("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Neg", "Abs", "Sqrt", "Rsqrt", "Square", "Exp", "Log", "Erf"),
    *("Tanh", "Sigmoid", "Reciprocal", "Softplus", "Relu", "Clip", "ReduceMean", "ReduceSum", "Identity"),
    *("Reshape", "Cast", "Squeeze", "Unsqueeze"),
}
_ROOTS = {"Add", "Sub", "Mul", "Div", "Max", "Identity"}
_TELLING = {"Rsqrt", "Sqrt", "Pow", "Erf", "Tanh", "Sigmoid", "Relu", "Clip", "Softplus", "Exp", "Max", "Min"}
_MOST = 24  # nodes of a cone
_CLOSE = 2e-6  # arithmetic in float64 includes float32 constants, too


@dataclass(frozen=True)
class Found:
    """What a cone is. `roles`: each role's parameter, and the shape that the role has."""

    kind: str
    input: str
    attributes: Mapping[str, Attribute]
    roles: Mapping[str, tuple[str, tuple[int, ...]]]
    members: tuple[Node, ...]


@dataclass(frozen=True)
class _Cone:
    x: Node
    parameters: tuple[Node, ...]
    inner: tuple[Node, ...]

    @property
    def root(self) -> Node:
        return self.inner[-1]

    @property
    def scalars(self) -> list[float]:
        """The numbers in it, without those of every formula."""
        return [
            float(node.attributes["scalar"])
            for node in self.inner
            if node.kind in ("Add", "Mul", "Max", "Sub") and node.attributes.get("scalar") is not None
        ]


def recognised(
    nodes: Sequence[Node], by_name: Mapping[str, Node], weights: Arrays, uses: Counter[str], root: Node
) -> Found | None:
    """Return what the largest recognisable cone above `root` is. None if there is none."""
    if root.kind not in _ROOTS:
        return None
    for cone in _cones(nodes, by_name, uses, root):
        if len(cone.inner) > 1 and {node.kind for node in cone.inner} & _TELLING:
            try:
                found = _activation(cone) if not cone.parameters else None
                found = found or _normalization(cone, weights)
            except (NoReference, ValueError):
                continue
            if found is not None:
                return found
    return None


def _cones(nodes: Sequence[Node], by_name: Mapping[str, Node], uses: Counter[str], root: Node) -> Iterator[_Cone]:
    """Yield every cone of a root, the largest first: the nodes between it and one value that all of it depends on."""
    within, edge = {root.name}, [root]
    while edge and len(within) <= _MOST:
        for name in edge.pop().inputs:
            if name not in within and by_name[name].kind in _ARITHMETIC:
                within.add(name)
                edge.append(by_name[name])
    order = {node.name: place for place, node in enumerate(nodes)}
    around = {name for inner in within for name in by_name[inner].inputs} | within
    for name in sorted(around - {root.name}, key=order.__getitem__):
        if (cone := _between(by_name, uses, root, by_name[name], order)) is not None:
            yield cone


def _between(
    by_name: Mapping[str, Node], uses: Counter[str], root: Node, x: Node, order: Mapping[str, int]
) -> _Cone | None:
    if x.kind in ("Parameter", "Constant"):
        return None
    inner, parameters, edge = {root.name}, {}, [root]
    meets = False
    while edge:
        for name in edge.pop().inputs:
            node = by_name[name]
            if name == x.name:
                meets = True
            elif node.kind in ("Parameter", "Constant"):
                parameters[name] = node
            elif node.kind not in _ARITHMETIC or len(inner) > _MOST:
                return None
            elif name not in inner:
                inner.add(name)
                edge.append(node)
    if not meets:
        return None
    members = tuple(by_name[name] for name in sorted(inner, key=order.__getitem__))
    own = Counter(name for node in members for name in node.inputs)
    if any(uses[node.name] != own[node.name] for node in members[:-1]) or x.shape != root.shape:
        return None
    return _Cone(x, tuple(sorted(parameters.values(), key=lambda node: order[node.name])), members)


def _computed(cone: _Cone, x: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
    given = (Node(cone.x.name, "Input"), *(Node(node.name, "Input") for node in cone.parameters))
    graph = Graph((*given, *cone.inner), (cone.root.name,))
    weights: Arrays = {}
    return evaluate(graph, {cone.x.name: x, **values}, weights)[cone.root.name]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=_CLOSE, atol=_CLOSE))


def _activation(cone: _Cone) -> Found | None:
    if any(node.kind.startswith("Reduce") or node.kind in ("Reshape", "Squeeze", "Unsqueeze") for node in cone.inner):
        return None
    x = np.linspace(-8, 8, 97)
    made = _computed(cone, x, {})
    slopes: list[dict[str, Attribute]] = [{"alpha": value} for value in cone.scalars if 0 < value < 4 and value != 1]
    tries: list[tuple[str, dict[str, Attribute]]] = [
        ("Gelu", {"approximate": "none"}),
        ("Gelu", {"approximate": "tanh"}),
        ("Swish", {}),
        ("HardSwish", {}),
        ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
        ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
        ("Mish", {}),
        ("Relu", {}),
        ("Clip", {"min": 0.0, "max": 6.0}),
        *(("LeakyRelu", slope) for slope in slopes),
    ]
    for kind, attributes in tries:
        node = Node(cone.root.name, kind, (cone.x.name,), attributes)
        # The two forms of Gelu differ by at most 5e-4.
        if _same(made, evaluate_node(node, [x], {})):
            return Found(kind, cone.x.name, attributes, {}, cone.inner)
    return None


def _normalization(cone: _Cone, weights: Arrays) -> Found | None:
    """Recognise a batch, layer, RMS or L2 normalisation, with or without each of its weights."""
    rank = len(cone.x.shape)
    if len(cone.parameters) > 4 or rank < 2:
        return None
    reduces = [node for node in cone.inner if node.kind in ("ReduceMean", "ReduceSum")]
    axes = {tuple(int(axis) for axis in node.attributes["axes"]) for node in reduces}
    wide = {node.name: (1,) * (rank - len(node.shape)) + node.shape for node in cone.parameters}
    if any(len(shape) > rank for shape in wide.values()) or len(axes) > 1:
        return None
    if any(node.kind in ("Reshape", "Squeeze", "Unsqueeze") for node in cone.inner) and not _only_narrow(cone):
        return None
    draw = np.random.default_rng(0)
    needed = [max((shape[axis] for shape in wide.values()), default=1) for axis in range(rank)]
    reshaped = any(node.kind in ("Reshape", "Squeeze", "Unsqueeze") for node in cone.inner)
    sizes = tuple(size if reshaped or needed[axis] > 1 else min(size, 3) for axis, size in enumerate(cone.x.shape))
    x = draw.standard_normal(sizes) * 2 + 0.5
    values = {node.name: draw.uniform(0.5, 1.5, node.shape) for node in cone.parameters}
    made = _computed(cone, x, values)
    epsilons = [value for value in dict.fromkeys(cone.scalars) if 0 < value < 0.1] or [0.0]
    for kind, attributes, roles, shape in _normalizations(cone, axes, wide, rank):
        for names in permutations([node.name for node in cone.parameters]):
            given = {role: values[name].reshape(shape) for role, name in zip(roles, names, strict=True)}
            for epsilon in epsilons:
                own = attributes if kind == "LpNormalization" else {**attributes, "epsilon": epsilon}
                node = Node(cone.root.name, kind, (cone.x.name,), own)
                if _same(made, evaluate_node(node, [x], given)):
                    where = {role: (name, shape) for role, name in zip(roles, names, strict=True)}
                    members = (*cone.parameters, *cone.inner)
                    return Found(kind, cone.x.name, node.attributes, where, members)
    return None


def _only_narrow(cone: _Cone) -> bool:
    """Whether only values with one number per channel are reshaped, and none of the value's own size."""
    moved = [node for node in cone.inner if node.kind in ("Reshape", "Squeeze", "Unsqueeze")]
    return all(np.prod(node.shape) < np.prod(cone.x.shape) for node in moved)


def _normalizations(
    cone: _Cone, axes: set[tuple[int, ...]], wide: Mapping[str, tuple[int, ...]], rank: int
) -> Iterator[tuple[str, dict[str, Attribute], tuple[str, ...], tuple[int, ...]]]:
    """Yield what it can be: kind, attributes, roles of its parameters, and the shape of each role."""
    n = len(wide)
    reduced = next(iter(axes), ())
    if 0 not in reduced and reduced:
        shape = tuple(cone.x.shape[axis] for axis in reduced)
        if not n:
            yield "LpNormalization", {"axes": reduced}, (), shape
        if all(np.prod(each) == np.prod(shape) for each in wide.values()):
            for kind in ("LayerNormalization", "RMSNormalization"):
                for roles in combinations(("scale", "B"), n):
                    yield kind, {"axes": reduced}, roles, shape
        return
    every = ("scale", "B") if reduced else ("scale", "B", "mean", "var")
    for axis in range(1, rank):
        size = cone.x.shape[axis]
        if any(np.prod(each) != size for each in wide.values()) or (reduced and axis in reduced):
            continue
        if reduced and len(reduced) != rank - 1:
            continue
        attributes: dict[str, Attribute] = {"momentum": None, "axis": axis}
        attributes |= {"training_mode": bool(reduced), "unbiased": False}
        for roles in combinations(every, n):
            if reduced or {"mean", "var"} <= set(roles):
                yield "BatchNormalization", attributes, roles, (size,)
