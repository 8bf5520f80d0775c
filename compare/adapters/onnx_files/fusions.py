"""Turn the patterns that exporters write for one layer back into that layer."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import pi, sqrt
from typing import Any

import numpy as np

from compare.adapters.onnx_files.reading import Reading, Source
from compare.graphs.node import Graph, Node

CLOSE = 1e-5  # relative: constants of a file are float32


def fused(reading: Reading, outputs: tuple[str, ...]) -> tuple[Graph, bool]:
    """Return the graph of a reading, with each pattern as one node, and without nodes that no output needs.

    Also return whether a pattern had a constant such as the root of two, which the file only has in float32.
    """
    fusions = Fusions(reading, outputs)
    for node in list(reading.nodes):
        if node.name in fusions.nodes:
            fusions.try_all(fusions.nodes[node.name])
    return fusions.graph(), fusions.rounded


class Fusions:
    """A graph whose nodes are replaced, one pattern at a time; the last node of a pattern keeps its name."""

    def __init__(self, reading: Reading, outputs: tuple[str, ...]) -> None:
        self.reading, self.outputs = reading, outputs
        self.nodes = {node.name: node for node in reading.nodes}
        self.rounded = False

    def try_all(self, node: Node) -> None:
        """Replace `node` and the nodes that it is computed from, if they are a pattern."""
        if node.kind == "Mul" or _divided(node):
            self._gated(node)
        elif node.kind == "onnx:Where":
            self._softplus(node)
        elif node.kind == "Add" and not self._bias(node):
            self._group_norm(node)
            self._layer_norm(node)
            self._layer_norm_of_keras(node)

    def graph(self) -> Graph:
        """Return the nodes that an output needs, in order; and the inputs."""
        needed, waiting = set(self.outputs), list(self.outputs)
        while waiting:
            new = set(self.nodes[waiting.pop()].inputs) - needed
            needed |= new
            waiting += new
        kept = [node for node in self.nodes.values() if node.name in needed or node.kind == "Input"]
        return Graph(tuple(kept), self.outputs)

    def _uses(self) -> Counter[str]:
        return Counter([*(name for node in self.nodes.values() for name in node.inputs), *self.outputs])

    def _operands(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """Yield both orders of a node's two inputs."""
        if len(node.inputs) == 2:
            one, other = (self.nodes[name] for name in node.inputs)
            yield one, other
            yield other, one

    def _bias(self, node: Node) -> bool:
        """Join a product or a convolution with a constant for each of its channels: its bias."""
        for layer, constant in self._operands(node):
            if layer.kind not in {"Conv", "ConvTranspose", "Gemm"} or "B" in layer.roles or not _held(constant):
                continue
            value = self.reading.values[constant.name]
            axis: Any = layer.attributes.get("axis", 1)
            rank = len(layer.shape)
            wide = (1,) * (rank - value.ndim) + value.shape
            fits = len(wide) == rank and value.size == layer.shape[axis] == wide[axis]
            if not fits or self._uses()[layer.name] != 1:
                continue
            self._give(layer.name, "B", constant, (layer.shape[axis],))
            whole = replace(layer, roles=(*layer.roles, "B"))
            self._rename(node.name, layer.name, whole)
            return True
        return False

    def _gated(self, node: Node) -> None:
        """Join Swish, HardSwish, Mish, Gelu: a value times a function of itself."""
        factors, scale = self._factors(node)
        if len(factors) != 2:
            return
        for x, gate in (factors, factors[::-1]):
            found = self._gate(x, self.nodes[gate], scale)
            if found:
                kind, attributes = found
                self.rounded |= kind in {"Gelu", "HardSwish"}
                self.nodes[node.name] = Node(node.name, kind, (x,), attributes, (), node.layer, node.shape)
                return

    def _factors(self, node: Node) -> tuple[list[str], float]:
        """Return the factors of a product of products without other uses, and the number among them."""
        uses, factors = self._uses(), list(node.inputs)
        scale = 1 / _number(node, 1.0) if node.kind == "Div" else _number(node, 1.0)
        for _ in range(3):
            for place, name in enumerate(factors):
                inner = self.nodes[name]
                if uses[name] == 1 and (inner.kind == "Mul" or _divided(inner)):
                    number = _number(inner, 1.0)
                    scale *= number if inner.kind == "Mul" else 1 / number
                    factors[place : place + 1] = inner.inputs
                    break
        return factors, scale

    def _gate(self, x: str, gate: Node, scale: float) -> tuple[str, dict[str, Any]] | None:
        value = self.reading.values[x]
        before = self.nodes[gate.inputs[0]] if gate.inputs else gate
        if gate.kind == "Sigmoid" and gate.inputs == (x,) and scale == 1:
            return "Swish", {}
        if gate.kind == "HardSigmoid" and gate.inputs == (x,) and scale == 1:
            slope: Any = gate.attributes["alpha"]
            return ("HardSwish", {}) if _near(slope, 1 / 6) and gate.attributes["beta"] == 0.5 else None
        if gate.kind == "Clip" and gate.attributes == {"min": 0.0, "max": 6.0} and _near(scale, 1 / 6):
            added = before.kind == "Add" and before.inputs == (x,) and _number(before, 0.0) == 3
            return ("HardSwish", {}) if added else None
        if gate.kind == "Tanh" and before.kind == "Softplus" and before.inputs == (x,) and scale == 1:
            return "Mish", {}
        if gate.kind == "Add" and _number(gate, 0.0) == 1 and _near(scale, 0.5) and before.kind in {"Erf", "Tanh"}:
            inner = self.reading.values[before.inputs[0]]
            exact = before.kind == "Erf"
            expected = value * sqrt(0.5) if exact else sqrt(2 / pi) * (value + 0.044715 * value**3)
            if inner.shape == expected.shape and np.allclose(inner, expected, rtol=CLOSE, atol=CLOSE):
                return "Gelu", {"approximate": "none" if exact else "tanh"}
        return None

    def _softplus(self, node: Node) -> None:
        """Join Softplus that gives the value itself beyond a threshold."""
        if len(node.inputs) != 3:
            return
        condition, x, soft = node.inputs
        given = self.reading.others.get(condition)
        if self.nodes[soft].kind != "Softplus" or self.nodes[soft].inputs != (x,) or not given:
            return
        bounds = [each for each in given[1].values() if not isinstance(each, str)]
        greater = self.nodes[condition].kind == "onnx:Greater" and self.nodes[condition].inputs == (x,)
        if greater and len(bounds) == 1 and bounds[0].size == 1:
            own = {"beta": 1.0, "threshold": float(bounds[0].item())}
            self.nodes[node.name] = Node(node.name, "Softplus", (x,), own, (), node.layer, node.shape)

    def _group_norm(self, node: Node) -> None:
        """Join GroupNormalization: groups as channels, normalized, as channels again, times a scale, plus a shift."""
        found = self._affine(node)
        if not found:
            return
        core, scale, shift = found
        if core.kind not in {"Reshape", "Flatten"}:
            return
        inner = self.nodes[core.inputs[0]]
        if inner.kind != "GroupNormalization" or not self._neutral(inner):
            return
        opened = self.nodes[inner.inputs[0]]
        if opened.kind not in {"Reshape", "Flatten"} or self.nodes[opened.inputs[0]].shape != node.shape:
            return
        attributes = {"num_groups": opened.shape[1], "epsilon": inner.attributes["epsilon"]}
        self._affine_layer(node, "GroupNormalization", opened.inputs[0], attributes, (scale, shift), (node.shape[1],))

    def _layer_norm(self, node: Node) -> None:
        """Join (x - mean) / sqrt(variance + epsilon) * scale + shift, in nine nodes."""
        found = self._affine(node)
        if not found or found[0].kind != "Div" or len(found[0].inputs) != 2:
            return
        core, scale, shift = found
        centred, root = (self.nodes[name] for name in core.inputs)
        if centred.kind != "Sub" or root.kind != "Sqrt":
            return
        plus = self.nodes[root.inputs[0]]
        mean = self.nodes[centred.inputs[-1]]
        if (
            plus.kind != "Add"
            or len(plus.inputs) != 1
            or mean.kind != "ReduceMean"
            or mean.inputs != centred.inputs[:1]
        ):
            return
        axes: Any = mean.attributes["axes"]
        x = self.reading.values[centred.inputs[0]]
        if np.allclose(self.reading.values[plus.inputs[0]], x.var(axis=axes, keepdims=True), rtol=1e-4, atol=1e-12):
            attributes = {"axes": axes, "epsilon": _number(plus, 0.0)}
            lengths = tuple(node.shape[axis] for axis in axes)
            self._affine_layer(node, "LayerNormalization", centred.inputs[0], attributes, (scale, shift), lengths)

    def _layer_norm_of_keras(self, node: Node) -> None:
        """Join x * factor + (shift - mean * factor) with the factor scale / sqrt(variance + epsilon)."""
        for product, rest in self._operands(node):
            for x, factor in self._operands(product) if product.kind == "Mul" else ():
                held = [each for each in self._operands(factor) if _held(each[0])] if factor.kind == "Mul" else []
                inverse = held[0][1] if held else factor
                root = self.nodes[inverse.inputs[0]] if inverse.kind == "Reciprocal" else inverse
                plus = self.nodes[root.inputs[0]] if root.kind == "Sqrt" else root
                variance = self.nodes[plus.inputs[0]] if plus.kind == "Add" and len(plus.inputs) == 1 else plus
                if variance.kind != "ReduceMean" or not held:
                    continue
                axes: Any = variance.attributes["axes"]
                epsilon = _number(plus, 0.0)
                lengths = tuple(node.shape[axis] for axis in axes)
                shifts = [each for each in self._operands(rest) if _held(each[0])] if rest.kind == "Add" else []
                constants = [held[0][0], *(each[0] for each in shifts)]
                if self._normalizes(node, x, axes, epsilon, constants):
                    own = {"axes": axes, "epsilon": epsilon}
                    self._affine_layer(node, "LayerNormalization", x.name, own, constants, lengths)
                    return

    def _normalizes(self, node: Node, x: Node, axes: tuple[int, ...], epsilon: float, constants: list[Node]) -> bool:
        """Whether the values of `node` are those of a LayerNormalization of `x`."""
        value = self.reading.values[x.name]
        scale, *shift = (self.reading.values[each.name] for each in constants)
        root = np.sqrt(value.var(axis=axes, keepdims=True) + epsilon)
        expected = (value - value.mean(axis=axes, keepdims=True)) / root * scale + (shift[0] if shift else 0)
        found = self.reading.values[node.name]
        return expected.shape == found.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-4)

    def _affine(self, node: Node) -> tuple[Node, Node, Node] | None:
        """Return the value, the scale and the shift of `value * scale + shift`."""
        for product, shift in self._operands(node):
            if product.kind == "Mul" and _held(shift):
                for core, scale in self._operands(product):
                    if _held(scale) and not _held(core):
                        return core, scale, shift
        return None

    def _affine_layer(
        self,
        node: Node,
        kind: str,
        x: str,
        attributes: Mapping[str, Any],
        constants: Sequence[Node],
        shape: tuple[int, ...],
    ) -> None:
        if any(self.reading.values[each.name].size != np.prod(shape) for each in constants):
            return
        roles = ("scale", "B")[: len(constants)]
        for role, constant in zip(roles, constants, strict=True):
            self._give(node.name, role, constant, shape)
        self.nodes[node.name] = Node(node.name, kind, (x,), attributes, roles, node.layer, node.shape)

    def _neutral(self, node: Node) -> bool:
        """Whether a normalization multiplies by one and adds zero."""
        weights = self.reading.weights
        return bool(np.all(weights[f"{node.name}/scale"] == 1) and not np.any(weights.get(f"{node.name}/B", 0)))

    def _give(self, node: str, role: str, constant: Node, shape: tuple[int, ...]) -> None:
        """Make a constant a weight of `node`, in this shape."""
        reading, key = self.reading, f"{constant.name}/value"
        before = reading.weights[key].shape
        reading.weights[f"{node}/{role}"] = reading.weights[key].reshape(shape)
        if source := reading.sources.get(key):
            reading.sources[f"{node}/{role}"] = Source(
                source.value,
                lambda x: source.forward(x).reshape(shape),
                lambda x: source.backward(x.reshape(before)),
            )

    def _rename(self, old: str, new: str, node: Node) -> None:
        """Replace `old` by `node`, with the name `new`."""
        reading = self.reading
        reading.values[new] = reading.values.pop(old)
        if old in reading.named:
            reading.named[new] = reading.named.pop(old)
        renamed = {}
        for name, each in self.nodes.items():
            if name == old:
                renamed[new] = node
            elif name != new:
                inputs = tuple(new if source == old else source for source in each.inputs)
                renamed[name] = replace(each, inputs=inputs)
        self.nodes = renamed
        self.outputs = tuple(new if name == old else name for name in self.outputs)


def _held(node: Node) -> bool:
    return node.kind in {"Parameter", "Constant"}


def _number(node: Node, default: float) -> float:
    value: Any = node.attributes.get("scalar")
    return default if value is None else float(value)


def _divided(node: Node) -> bool:
    """Whether a division is by a number."""
    return node.kind == "Div" and "scalar" in node.attributes and not node.attributes["scalar_first"]


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) <= CLOSE * abs(expected)
