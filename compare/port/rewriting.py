"""A recording while its nodes are rewritten: what normal forms of several steps share."""

from dataclasses import replace

import numpy as np

from compare.graphs.evaluate import evaluate_node
from compare.graphs.node import Arrays, Graph, Node, Recording


class Rewriting:
    """The nodes, values and outputs of a recording, and changes of them."""

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
        """The recording as it is now."""
        return replace(self.recording, graph=Graph(tuple(self.nodes), tuple(self.outputs)), values=self.values)

    def uses(self, name: str) -> list[Node]:
        """What takes a node's output."""
        return [node for node in self.nodes if name in node.inputs]

    def alone(self, name: str) -> Node | None:
        """The one node that takes a node's output; None if there are more, or if it is the network's."""
        takers = self.uses(name)
        return takers[0] if len(takers) == 1 and name not in self.outputs else None

    def stand_for(self, name: str, other: str) -> None:
        """Let everything take another node in place of one."""
        self.nodes = [
            replace(node, inputs=tuple(other if each == name else each for each in node.inputs)) for node in self.nodes
        ]
        self.outputs = [other if each == name else each for each in self.outputs]

    def put(self, node: Node) -> Node:
        """Add a node in front of what takes it, with its value."""
        value = np.asarray(evaluate_node(node, [self.values[name] for name in node.inputs], {}))
        self.values[node.name] = value
        made = replace(node, shape=tuple(value.shape))
        place = max(k for k, other in enumerate(self.nodes) if other.name in node.inputs) + 1
        self.nodes.insert(place, made)
        return made


def in_dependency_order(nodes: list[Node]) -> list[Node]:
    """The nodes, each behind its inputs, else in their order."""
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
    """The recording with other nodes, where what took `name` takes `stands_for[name]`."""

    def final(name: str) -> str:
        while name in stands_for:
            name = stands_for[name]
        return name

    wired = tuple(replace(node, inputs=tuple(map(final, node.inputs))) for node in nodes)
    outputs = tuple(map(final, recording.graph.outputs))
    return replace(recording, graph=Graph(wired, outputs), values=recording.values | (values or {}))
