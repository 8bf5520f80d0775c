"""Remove differences from the right network: the result is a graph that the reference evaluator can run."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from compare.graphs.node import Arrays, Graph, Node, Recording
from compare.port.align import Alignment
from compare.port.difference import Difference

INSERTED = "left:"  # prefix for the name of a node inserted from the left network


@dataclass(frozen=True)
class Mended:
    """A graph, its weights by NODE/ROLE, and its outputs in the order of the left network's."""

    graph: Graph
    weights: Arrays


def mend(
    left: Recording, right: Recording, alignment: Alignment, weights: Arrays, changes: Iterable[Difference]
) -> Mended:
    """Return the right network, with `weights`, after `changes`."""
    changes = list(changes)
    nodes = {node.name: node for node in right.graph.nodes}
    arrays = dict(weights)
    for change in changes:
        if change.change == "kind" and change.left and change.right:
            _take_over(nodes, arrays, left, change.left, change.right)
        elif change.change == "attributes" and change.left and change.right:
            node, source = nodes[change.right], left.graph[change.left]
            attributes = dict(node.attributes) | {name: source.attributes.get(name) for name in change.attributes}
            nodes[change.right] = replace(node, attributes=attributes)
        elif change.change == "weights" and change.left and change.right:
            _take_weights(nodes, arrays, left, change)
    inserted = {d.left: INSERTED + d.left for d in changes if d.change in ("insert", "move") and d.left}
    bypassed = {d.right for d in changes if d.change in ("bypass", "move") and d.right}
    rewire = {d.left for d in changes if d.change == "wiring" and d.left}
    wired = _wired(left, alignment, nodes, inserted, bypassed, rewire, right.graph.outputs)
    for name_l, name in inserted.items():
        twin = next((d.right for d in changes if d.left == name_l and d.change == "move"), None)
        for role in left.graph[name_l].roles:
            moved = arrays.get(f"{twin}/{role}") if twin else None
            arrays[f"{name}/{role}"] = left.weights[f"{name_l}/{role}"] if moved is None else moved
    for node in wired.nodes:  # a parameter that only the left network has
        origin = node.name.removeprefix(INSERTED)
        if node.name.startswith(INSERTED) and origin not in inserted:
            arrays |= {f"{node.name}/{role}": left.weights[f"{origin}/{role}"] for role in node.roles}
    return Mended(wired, arrays)


def _take_over(nodes: dict[str, Node], arrays: Arrays, left: Recording, name_l: str, name_r: str) -> None:
    source = left.graph[name_l]
    nodes[name_r] = replace(nodes[name_r], kind=source.kind, attributes=source.attributes, roles=source.roles)
    for role in source.roles:
        arrays[f"{name_r}/{role}"] = left.weights[f"{name_l}/{role}"]


def _take_weights(nodes: dict[str, Node], arrays: Arrays, left: Recording, change: Difference) -> None:
    assert change.left
    assert change.right
    node, source = nodes[change.right], left.graph[change.left]
    for role in change.attributes:
        if role in source.roles:
            arrays[f"{change.right}/{role}"] = left.weights[f"{change.left}/{role}"]
            if role not in node.roles:
                node = replace(node, roles=(*node.roles, role))
        else:
            node = replace(node, roles=tuple(each for each in node.roles if each != role))
    nodes[change.right] = node


def _wired(
    left: Recording,
    alignment: Alignment,
    nodes: dict[str, Node],
    inserted: dict[str, str],
    bypassed: set[str],
    rewire: set[str],
    outputs: tuple[str, ...],
) -> Graph:
    to_right = alignment.to_right

    def past(name: str) -> str:
        while name in bypassed:
            name = nodes[name].inputs[0]
        return name

    def partner(name: str) -> str:
        """Return the name of a left node's counterpart in the right network."""
        while name not in inserted and name not in to_right:
            inputs = left.graph[name].inputs
            if not inputs:
                return INSERTED + name  # a constant that only the left has is inserted below
            name = inputs[0]
        return inserted.get(name) or past(to_right[name])

    kept = {
        name: replace(node, inputs=tuple(map(past, node.inputs)))
        for name, node in nodes.items()
        if name not in bypassed
    }
    outputs = tuple(map(past, outputs))
    for name_l, name in inserted.items():
        source = left.graph[name_l]
        kept[name] = replace(source, name=name, inputs=tuple(map(partner, source.inputs)))
    for node in left.graph.nodes:
        affected = node.name in rewire or any(name in inserted for name in node.inputs)
        if affected and node.name in to_right and to_right[node.name] in kept:
            mine = to_right[node.name]
            kept[mine] = replace(kept[mine], inputs=tuple(map(partner, node.inputs)))
    both = zip(left.graph.outputs, outputs, strict=False)
    outputs = tuple(inserted.get(name_l, name) for name_l, name in both)
    for node in list(kept.values()):
        for name in node.inputs:
            if name.startswith(INSERTED) and name not in kept:
                kept[name] = replace(left.graph[name.removeprefix(INSERTED)], name=name)
    return Graph(_sorted(kept, outputs), outputs)


def _sorted(nodes: dict[str, Node], outputs: tuple[str, ...]) -> tuple[Node, ...]:
    """Return the nodes that the outputs need, each after its inputs. Raises ValueError if they form a circle."""
    needed, ahead = set(outputs), list(outputs)
    while ahead:
        fresh = [name for name in nodes[ahead.pop()].inputs if name not in needed]
        needed.update(fresh)
        ahead += fresh
    order = TopologicalSorter({name: node.inputs for name, node in nodes.items() if name in needed}).static_order()
    return tuple(nodes[name] for name in order)
