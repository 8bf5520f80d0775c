"""Build small networks as graphs by hand, and compute them with the reference evaluator."""

from collections.abc import Mapping

import numpy as np

from compare.graphs.evaluate import evaluate
from compare.graphs.node import Arrays, Graph, Node, Recording


class Builder:
    """Adds nodes one after the other. `made` returns the recording of a call on `inputs`."""

    def __init__(self, inputs: Mapping[str, np.ndarray], seed: int = 0) -> None:
        self.inputs = dict(inputs)
        self.nodes = [Node(name, "Input", shape=array.shape) for name, array in inputs.items()]
        self.weights: Arrays = {}
        self.random = np.random.default_rng(seed)

    @property
    def last(self) -> str:
        """Return the node added last."""
        return self.nodes[-1].name

    def add(self, kind: str, *inputs: str, name: str = "", layer: str = "", **attributes: object) -> str:
        """Add a node that takes `inputs`, or the last node's output."""
        unique = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(Node(unique, kind, inputs or (self.last,), attributes, layer=layer or kind))
        return unique

    def with_weights(self, **arrays: np.ndarray) -> str:
        """Give weights, by role, to the node added last."""
        node = self.nodes[-1]
        self.nodes[-1] = Node(node.name, node.kind, node.inputs, node.attributes, tuple(arrays), node.layer)
        self.weights |= {f"{node.name}/{role}": array for role, array in arrays.items()}
        return node.name

    def conv(
        self, n_in: int, n_out: int, *inputs: str, size: int = 3, pad: int = 1, name: str = "", **changed: object
    ) -> str:
        """Add a convolution with a bias."""
        usual = {"strides": (1, 1), "pads": (pad,) * 4, "dilations": (1, 1), "group": 1, "pad_mode": "constant"}
        self.add("Conv", *inputs, name=name, layer="Conv2d", **(usual | changed))
        draw = self.random.normal
        return self.with_weights(W=draw(size=(n_out, n_in, size, size)) / 3, B=draw(size=n_out))

    def batch_norm(self, n: int, *inputs: str, name: str = "", **changed: object) -> str:
        """Add a batch normalisation."""
        usual = {"epsilon": 1e-5, "momentum": 0.9, "axis": 1, "training_mode": False, "unbiased": True}
        self.add("BatchNormalization", *inputs, name=name, layer="BatchNorm2d", **(usual | changed))
        draw = self.random.uniform
        return self.with_weights(scale=draw(0.5, 1.5, n), B=draw(-1, 1, n), mean=draw(-1, 1, n), var=draw(0.5, 1.5, n))

    def gemm(self, n_in: int, n_out: int, *inputs: str, name: str = "") -> str:
        """Add a product with a bias."""
        self.add("Gemm", *inputs, name=name, layer="Linear", axis=1)
        return self.with_weights(W=self.random.normal(size=(n_out, n_in)), B=self.random.normal(size=n_out))

    def made(self, *outputs: str) -> Recording:
        """Return the recording."""
        graph = Graph(tuple(self.nodes), outputs or (self.last,))
        values = evaluate(graph, self.inputs, self.weights)
        shaped = tuple(
            Node(n.name, n.kind, n.inputs, n.attributes, n.roles, n.layer, values[n.name].shape) for n in graph.nodes
        )
        return Recording(Graph(shaped, graph.outputs), values, self.weights)
