"""One network as a graph in the vocabulary of ONNX, from any framework.

Values are in canonical layout: the batch first, then channels, then spatial axes (N, C, H, W); a flattened image has
its channels outermost. Weights have ONNX's layouts: a convolution's kernel is (output, input / group, height, width),
a product's (output, input). Kinds, attributes and roles: docs/port.md.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

Attribute = Any  # a bool, number or text, a tuple of numbers, or None
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Node:
    """One operation.

    `name` is unique in its graph: the owner's name of the module or layer ("layer1.0.bn1"). If a layer has several
    operations, all but the first have the suffix ":KIND". `kind` is an operator of ONNX, one of "Input", "Parameter"
    and "Constant", or "framework:operation" if ONNX has no counterpart. `inputs` are the names of the nodes whose
    outputs it takes, in order. `roles` are ONNX's names of its weights. `layer` is the class or function in the owner's
    notation ("BatchNorm2d"). `shape` is that of its output, in canonical layout.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    layer: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes, each after those whose outputs it takes, and the names of the network's output nodes."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def body(self) -> dict[str, Any]:
        """Return the graph in JSON's types."""
        return {"nodes": [asdict(node) for node in self.nodes], "outputs": list(self.outputs)}

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "Graph":
        """Return the graph of `body`. Raises KeyError or TypeError if it is not one."""
        return cls(tuple(_node(each) for each in body["nodes"]), tuple(body["outputs"]))


@dataclass(frozen=True)
class Recording:
    """A recorded call of a network: its graph, the output of every node by name, and every weight by "NODE/ROLE".
    After a call in training mode `statistics` are those that batch normalisations keep, by the same names."""

    graph: Graph
    values: Arrays
    weights: Arrays
    statistics: Arrays = field(default_factory=dict)


def without_values(recording: Recording) -> Recording:
    """Return the recording without the values of its nodes, which can be gigabytes."""
    return replace(recording, values={})


def needed(recording: Recording) -> Recording:
    """Return the recording without nodes that no output depends on; inputs stay."""
    graph = recording.graph
    used = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in used:
            used.update(node.inputs)
    nodes = tuple(node for node in graph.nodes if node.name in used or node.kind == "Input")
    names = {node.name for node in nodes}

    def kept(arrays: Arrays) -> Arrays:
        return {name: array for name, array in arrays.items() if name.rpartition("/")[0] in names or name in names}

    return Recording(
        Graph(nodes, graph.outputs), kept(recording.values), kept(recording.weights), kept(recording.statistics)
    )


def renamed(recording: Recording, names: Mapping[str, str]) -> Recording:
    """Return the recording with other names for some nodes without weights."""

    def new(name: str) -> str:
        return names.get(name, name)

    graph = recording.graph
    nodes = tuple(replace(node, name=new(node.name), inputs=tuple(map(new, node.inputs))) for node in graph.nodes)
    values = {new(name): array for name, array in recording.values.items()}
    return replace(recording, graph=Graph(nodes, tuple(map(new, graph.outputs))), values=values)


def _node(body: Mapping[str, Any]) -> Node:
    attributes = {
        name: tuple(value) if isinstance(value, list) else value for name, value in body["attributes"].items()
    }
    lists = {name: tuple(body[name]) for name in ("inputs", "roles", "shape")}
    return Node(body["name"], body["kind"], attributes=attributes, layer=body["layer"], **lists)
