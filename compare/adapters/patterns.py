"""Join nodes that are one operation together: a product and its bias, a written-out normalisation or activation.

It works on canonical recordings and serves every adapter. Written-out arithmetic is recognised by its results
(probes.py), whatever the order of its operations.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.adapters.changes import Change, Reshaped, apply, undo
from compare.adapters.probes import Found, recognised
from compare.graphs.node import Arrays, Attribute, Graph, Node, Recording


@dataclass(frozen=True)
class Source:
    """The origin of a joined node's weight: a weight of the recording before, and its changes."""

    key: str
    changes: tuple[Change, ...] = ()

    def changed(self, array: np.ndarray) -> np.ndarray:
        """Return the joined node's array for an array of the recording before."""
        return apply(self.changes, array)


@dataclass(frozen=True)
class Joined:
    """A recording with joined nodes; `sources`: all its weights; `members`: the nodes of each joined one, in order."""

    recording: Recording
    sources: Mapping[str, Source]
    members: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)

    def without_arrays(self) -> "Joined":
        """Return this without values, and only with the weights that a joined node is computed from."""
        weights = {
            name: array
            for name, array in self.recording.weights.items()
            if name.rpartition("/")[0] in self.members and self.sources[name].key.endswith("/value")
        }
        return replace(self, recording=replace(self.recording, values={}, weights=weights))

    def before(self, name: str) -> str:
        """Return the node of the recording before that has the output of a node."""
        return self.members[name][-1].name if name in self.members else name

    def unjoined(self, weights: Mapping[str, np.ndarray]) -> Arrays:
        """Return weights by the names of the recording before. Raises Unreadable for an unknown name."""
        found = {}
        for name, array in weights.items():
            if (source := self.sources.get(name)) is None:
                raise Unreadable(f"{name}: no such weight.")
            found[source.key] = undo(source.changes, np.asarray(array))
        return found

    def apply(
        self, name: str, inputs: Sequence[np.ndarray], call: Callable[[str, list[np.ndarray]], np.ndarray]
    ) -> np.ndarray:
        """Return the output of one node for other inputs; `call` does so for a node of the recording before."""
        if name not in self.members:
            return call(name, list(inputs))
        taken = map(self.before, self.recording.graph[name].inputs)
        values = dict(zip(taken, inputs, strict=True))
        made = np.empty(0)
        for node in self.members[name]:
            if node.kind in ("Parameter", "Constant"):
                made = self._parameter(name, node)
            else:
                made = call(node.name, [values[each] for each in node.inputs])
            values[node.name] = made
        return made

    def _parameter(self, name: str, node: Node) -> np.ndarray:
        key = f"{node.name}/value"
        for own, source in self.sources.items():
            if source.key == key and own.startswith(f"{name}/"):
                return undo(source.changes, self.recording.weights[own])
        raise Unreadable(f"{name}: it cannot be called alone.")


@dataclass(frozen=True)
class _Match:
    """A node that replaces `members`, the last of which is the root."""

    kind: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    sources: Mapping[str, Source]
    members: tuple[Node, ...]
    named: str | None = None


class _Graph:
    """A recording whose nodes are being joined."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.nodes = list(recording.graph.nodes)
        self.sources = {name: Source(name) for name in recording.weights}
        self.weights = dict(recording.weights)
        self.members: dict[str, tuple[Node, ...]] = {}
        self.renamed: dict[str, str] = {}
        self.values = dict(recording.values)

    @property
    def by_name(self) -> dict[str, Node]:
        """Return every node by its name."""
        return {node.name: node for node in self.nodes}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The present names of the outputs."""
        return tuple(self.renamed.get(name, name) for name in self.recording.graph.outputs)

    def uses(self) -> Counter[str]:
        """Return how many nodes take each output."""
        return Counter([*self.outputs, *(name for node in self.nodes for name in node.inputs)])

    def join(self, match: _Match) -> None:
        """Replace several nodes by one."""
        root = match.members[-1]
        inside = {node.name for node in match.members}
        weighted = [node for node in match.members if node.roles and node.kind not in ("Parameter", "Constant")]
        name = match.named or (weighted[0].name if weighted else root.name)
        taken = {node.name for node in self.nodes} - inside
        if name in taken:
            name = root.name
        original = self.recording.graph.by_name
        old = tuple(
            each
            for node in match.members
            for each in (self.members.pop(node.name) if node.name in self.members else (original[node.name],))
        )
        sources = {
            role: Source(self.sources[source.key].key, (*self.sources[source.key].changes, *source.changes))
            for role, source in match.sources.items()
        }
        arrays = {role: source.changed(self.weights[source.key]) for role, source in match.sources.items()}
        node = Node(name, match.kind, match.inputs, dict(match.attributes), tuple(sources), root.layer, root.shape)
        used = Counter(each for other in self.nodes if other.name not in inside for each in other.inputs)
        made: list[Node] = []
        for other in self.nodes:
            if other is root:
                made.append(node)
            elif other.name not in inside or (other.kind in ("Parameter", "Constant") and used[other.name]):
                inputs = tuple(name if each == root.name else each for each in other.inputs)
                made.append(replace(other, inputs=inputs))
        value = self.values[root.name]
        for role, source in sources.items():
            self.sources[f"{name}/{role}"], self.weights[f"{name}/{role}"] = source, arrays[role]
        self.nodes, self.members[name], self.values[name] = made, old, value
        for before, after in [*self.renamed.items(), (root.name, name)]:
            if after in (root.name, name) and (before in self.recording.graph.outputs):
                self.renamed[before] = name

    def result(self) -> Joined:
        """Return the result."""
        names = {node.name for node in self.nodes}
        keys = {f"{node.name}/{role}" for node in self.nodes for role in node.roles}
        recording = Recording(
            Graph(tuple(self.nodes), self.outputs),
            {name: value for name, value in self.values.items() if name in names},
            {name: array for name, array in self.weights.items() if name in keys},
            {name: array for name, array in self.recording.statistics.items() if name.rpartition("/")[0] in names},
        )
        return Joined(recording, {name: self.sources[name] for name in keys}, self.members)


def joined(recording: Recording, arithmetic: bool = False) -> Joined:
    """Return the recording with nodes joined; with `arithmetic`, only written-out arithmetic is joined."""
    graph = _Graph(recording)
    of_graphs = () if arithmetic else (_sequence_convolution,)
    for find in (*of_graphs, _bias, _written_out, *(() if arithmetic else (_product_of_rows,))):
        while (match := _first(graph, find)) is not None:
            graph.join(match)
    return graph.result()


def _first(graph: _Graph, find: Callable[[_Graph, Node, Counter[str]], _Match | None]) -> _Match | None:
    uses = graph.uses()
    for node in reversed(graph.nodes):
        if (match := find(graph, node, uses)) is not None:
            return match
    return None


def _bias(graph: _Graph, node: Node, uses: Counter[str]) -> _Match | None:
    """Match a sum with one number per channel after a convolution or product."""
    if node.kind != "Add" or len(node.inputs) != 2:
        return None
    by_name = graph.by_name
    for first, second in (node.inputs, node.inputs[::-1]):
        made, bias = by_name[first], by_name[second]
        if made.kind not in ("Conv", "ConvTranspose", "Gemm") or "B" in made.roles or uses[first] != 1:
            continue
        axis = made.attributes["axis"] if made.kind == "Gemm" else 1
        shape = (1,) * (len(made.shape) - len(bias.shape)) + bias.shape
        wanted = tuple(size if place == axis else 1 for place, size in enumerate(made.shape))
        if bias.kind not in ("Parameter", "Constant") or shape != wanted or made.shape != node.shape:
            continue
        sources = {role: Source(f"{made.name}/{role}") for role in made.roles}
        sources["B"] = Source(f"{bias.name}/value", (Reshaped(bias.shape, (max(shape),)),))
        return _Match(made.kind, made.inputs, made.attributes, sources, (made, bias, node))
    return None


def _sequence_convolution(graph: _Graph, node: Node, uses: Counter[str]) -> _Match | None:
    """Match a convolution of a sequence that has an axis of length 1 for the time."""
    by_name = graph.by_name
    if node.kind != "Squeeze" or len(node.attributes["axes"]) != 1:
        return None
    middle = by_name[node.inputs[0]]
    axis = int(node.attributes["axes"][0])
    if middle.kind != "Conv" or len(middle.shape) != 4 or uses[middle.name] != 1 or axis < 2:
        return None
    before = by_name[middle.inputs[0]]
    if before.kind != "Unsqueeze" or before.attributes["axes"] != (axis,) or uses[before.name] != 1:
        return None
    place, kept = axis - 2, 3 - axis
    shape = graph.weights[f"{middle.name}/W"].shape
    pads = middle.attributes["pads"]
    assert isinstance(pads, tuple)
    if shape[axis] != 1 or pads[place] or pads[place + 2]:
        return None
    attributes: dict[str, Attribute] = dict(middle.attributes)
    for name in ("strides", "dilations"):
        attributes[name] = (int(attributes[name][kept]),)
    attributes["pads"] = (int(pads[kept]), int(pads[kept + 2]))
    narrow = Reshaped(shape, tuple(size for at, size in enumerate(shape) if at != axis))
    sources = {role: Source(f"{middle.name}/{role}", (narrow,) if role == "W" else ()) for role in middle.roles}
    return _Match("Conv", before.inputs, attributes, sources, (before, middle, node))


def _product_of_rows(graph: _Graph, node: Node, uses: Counter[str]) -> _Match | None:
    """Match a product over the last axis that is computed on (N * T, F) and reshaped back."""
    by_name = graph.by_name
    if node.kind != "Reshape" or len(node.shape) < 3 or by_name[node.inputs[0]].kind != "Gemm":
        return None
    product = by_name[node.inputs[0]]
    before = by_name[product.inputs[0]]
    if before.kind not in ("Reshape", "Flatten") or uses[before.name] != 1 or uses[product.name] != 1:
        return None
    whole = by_name[before.inputs[0]]
    if whole.shape[:-1] != node.shape[:-1] or len(product.shape) != 2 or whole.shape[-1] != before.shape[-1]:
        return None
    sources = {role: Source(f"{product.name}/{role}") for role in product.roles}
    axis = len(node.shape) - 1
    return _Match("Gemm", before.inputs, {"axis": axis}, sources, (before, product, node))


def _written_out(graph: _Graph, node: Node, uses: Counter[str]) -> _Match | None:
    """Match a normalisation or activation in arithmetic."""
    found: Found | None = recognised(graph.nodes, graph.by_name, graph.weights, uses, node)
    if found is None:
        return None
    sources = {
        role: Source(f"{name}/value", (Reshaped(graph.by_name[name].shape, shape),))
        for role, (name, shape) in found.roles.items()
    }
    owners = {name.rpartition(".")[0] for name, _ in found.roles.values()}
    named = owners.pop() if len(owners) == 1 else None
    return _Match(found.kind, (found.input,), found.attributes, sources, found.members, named or None)
