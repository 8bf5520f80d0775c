"""A recording whose nodes are being rewritten: shared by normal forms of several steps."""

from dataclasses import replace

import numpy as np

from compare.graphs.evaluate import evaluate_node
from compare.graphs.node import Arrays, Graph, Node, Recording


class Rewriting:
    """The nodes, values and outputs of a recording, with methods that change them."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.nodes = list(recording.graph.nodes)
        self.values = dict(recording.values)
        self.outputs = list(recording.graph.outputs)

    @property
    def by_name(self) -> dict[str, Node]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def result(self) -> Recording:
        """Return the recording in its present state."""
        return replace(self.recording, graph=Graph(tuple(self.nodes), tuple(self.outputs)), values=self.values)

    def uses(self, name: str) -> list[Node]:
        """Return the nodes that take a node's output."""
        return [node for node in self.nodes if name in node.inputs]

    def alone(self, name: str) -> Node | None:
        """Return the only node that takes a node's output; None if there are several, or if the network returns it."""
        takers = self.uses(name)
        return takers[0] if len(takers) == 1 and name not in self.outputs else None

    def stand_for(self, name: str, other: str) -> None:
        """Connect everything that takes one node to another."""
        self.nodes = [
            replace(node, inputs=tuple(other if each == name else each for each in node.inputs)) for node in self.nodes
        ]
        self.outputs = [other if each == name else each for each in self.outputs]

    def put(self, node: Node) -> Node:
        """Insert a node after its inputs, compute its value, and return it."""
        value = np.asarray(evaluate_node(node, [self.values[name] for name in node.inputs], {}))
        self.values[node.name] = value
        made = replace(node, shape=tuple(value.shape))
        place = max(k for k, other in enumerate(self.nodes) if other.name in node.inputs) + 1
        self.nodes.insert(place, made)
        return made


def in_dependency_order(nodes: list[Node]) -> list[Node]:
    """Return the nodes, each after its inputs and otherwise in their order."""
    done: set[str] = set()
    order: list[Node] = []
    rest = list(nodes)
    while rest:
        ready = [node for node in rest if done.issuperset(node.inputs)]
        if not ready:
            return nodes
        first = ready[0]
        order.append(first)
        done.add(first.name)
        rest.remove(first)
    return order


def rewired(
    recording: Recording, nodes: list[Node], stands_for: dict[str, str], values: Arrays | None = None
) -> Recording:
    """Return the recording with other nodes; what took `name` now takes `stands_for[name]`."""

    def final(name: str) -> str:
        while name in stands_for:
            name = stands_for[name]
        return name

    wired = tuple(replace(node, inputs=tuple(map(final, node.inputs))) for node in nodes)
    outputs = tuple(map(final, recording.graph.outputs))
    return replace(recording, graph=Graph(wired, outputs), values=recording.values | (values or {}))
