"""Walk through an ONNX graph, with real values, and write it as canonical nodes.

Every value of the file is either a constant (known from weights and shapes alone) or a view of a canonical node's
output. Transposes around convolutions, which exporters write for models with channels last, are therefore not nodes.
They are a permutation that is kept until something needs the value itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import copysign, sqrt
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from compare.adapters.adapter import Unreadable
from compare.adapters.onnx_files import single
from compare.graphs.evaluate import NoReference, evaluate_node
from compare.graphs.node import Arrays, Attribute, Node

Change = Callable[[np.ndarray], np.ndarray]
MANY = 4096


def unchanged(x: np.ndarray) -> np.ndarray:
    """Return `x` itself."""
    return x


@dataclass(frozen=True)
class View:
    """A value of the file: the output of the canonical node `name`, transposed by `perm`, with its columns (axis 1 of
    two) in the order `columns`."""

    name: str
    perm: tuple[int, ...]
    columns: np.ndarray | None = None

    @property
    def plain(self) -> bool:
        """Whether the value is the node's output, unchanged."""
        return self.columns is None and self.perm == tuple(range(len(self.perm)))


@dataclass(frozen=True)
class Source:
    """The value of the file that a weight comes from, how it gets canonical layout, and the reverse. If the weight is a
    part of the value, `into` puts it into the earlier value."""

    value: str
    forward: Change = unchanged
    backward: Change = unchanged
    into: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None


class Reading:
    """The canonical graph of one call, up to the present point of the walk."""

    def __init__(
        self, model: Any, opset: int, dtype: np.dtype[Any], overrides: Mapping[str, np.ndarray], last: bool
    ) -> None:
        self.opset, self.opsets, self.dtype = opset, list(model.opset_import), dtype
        self.last = last  # whether the network's inputs have their channels last
        self.overrides = overrides
        self.graph = model.graph
        self.nodes: list[Node] = []
        self.values: Arrays = {}
        self.weights: Arrays = {}
        self.sources: dict[str, Source] = {}
        self.views: dict[str, View] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.named: dict[str, str] = {}  # canonical node -> the first value of the file that is a view of it
        self.others: dict[str, tuple[Any, dict[str, str | np.ndarray], int]] = {}
        for each in self.graph.initializer:
            self.set_constant(each.name, array_of(each))

    def set_constant(self, name: str, value: np.ndarray) -> None:
        """Note a known value; one that a file sets replaces it."""
        self.constants[name] = self.overrides.get(name, value)

    def computed(self, value: np.ndarray) -> np.ndarray:
        """Return `value` in the type in which the model computes, if it has real numbers."""
        return value.astype(self.dtype) if _real(value) else value

    def emit(
        self,
        name: str,
        kind: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute] | None = None,
        weights: Mapping[str, tuple[np.ndarray, Source | None]] | None = None,
        layer: str = "",
    ) -> str:
        """Append a node, compute its output, and return its name, which is `name` or that with a number as a suffix."""
        name = self.unused(name)
        own = {role: self.computed(value) for role, (value, _) in (weights or {}).items()}
        node = Node(name, kind, tuple(inputs), dict(attributes or {}), tuple(own), layer)
        try:
            value = evaluate_node(node, [self.values[each] for each in inputs], own)
        except (NoReference, ValueError, MemoryError) as error:
            raise Unreadable(f"the ONNX file cannot be computed: {error}") from error
        self.append(replace(node, shape=value.shape), value)
        for role, (_, source) in (weights or {}).items():
            self.weights[f"{name}/{role}"] = own[role]
            if source:
                self.sources[f"{name}/{role}"] = source
        return name

    def append(self, node: Node, value: np.ndarray) -> None:
        """Append a node with a known output."""
        self.nodes.append(node)
        self.values[node.name] = value

    def unused(self, name: str) -> str:
        """Return `name`, or `name` with the first number as a suffix that is unused."""
        number, free = 1, name
        while free in self.values:
            number += 1
            free = f"{name}:{number}"
        return free

    def define(
        self, value: str, node: str, perm: Sequence[int] | None = None, columns: np.ndarray | None = None
    ) -> None:
        """Define the file's `value` as the output of `node`, transposed by `perm`."""
        rank = self.values[node].ndim
        self.views[value] = View(node, tuple(range(rank) if perm is None else perm), columns)
        self.named.setdefault(node, value)

    def shape(self, value: str) -> tuple[int, ...]:
        """Return the shape of a value in the file."""
        if value in self.constants:
            return self.constants[value].shape
        view = self.views[value]
        shape = self.values[view.name].shape
        return tuple(shape[axis] for axis in view.perm)

    def plain(self, value: str) -> str:
        """Return the canonical node whose output is the file's `value`, unchanged; append one if there is none."""
        if value in self.constants and value not in self.views:
            name = self.constant(value)
            self.views[value] = View(name, tuple(range(self.values[name].ndim)))
        view = self.views[value]
        if view.plain:
            return view.name
        if view.columns is not None:
            order = self.emit(f"{value}:order", "Constant", (), {}, {"value": (view.columns, None)})
            name = self.emit(f"{value}:columns", "Gather", (view.name, order), {"axis": 1})
        else:
            name = self.emit(f"{value}:transposed", "Transpose", (view.name,), {"perm": view.perm}, layer="Transpose")
        self.define(value, name)
        return name

    def constant(self, value: str, forward: Change = unchanged, backward: Change = unchanged) -> str:
        """Append and return a node for a constant of the file."""
        kind = "Parameter" if any(each.name == value for each in self.graph.initializer) else "Constant"
        content = forward(self.constants[value])
        return self.emit(value, kind, (), {}, {"value": (content, Source(value, forward, backward))}, layer=kind)

    def known(self, proto: Any, place: int) -> np.ndarray | None:
        """Return the constant that is a node's input number `place`; None if it has none there.

        Raises Unknown if the input depends on the network's input.
        """
        if place >= len(proto.input) or not proto.input[place]:
            return None
        if (value := self.constants.get(proto.input[place])) is None:
            raise Unknown
        return value

    def call(self, proto: Any, inputs: Mapping[str, np.ndarray]) -> list[Any]:
        """Return the outputs of one node of the file, computed by onnx.reference."""
        return single.run(proto, inputs, self.opsets)


class Unknown(Exception):
    """A value that must be constant for a node to have a canonical kind is not."""


def array_of(tensor: Any) -> np.ndarray:
    """Return the array of a tensor of the file. Raises Unreadable if its shape or type does not match its bytes."""
    try:
        return numpy_helper.to_array(tensor)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"the values {tensor.name!r} of the ONNX file are damaged: {error}.") from error


def attributes(proto: Any) -> dict[str, Any]:
    """Return the attributes of a node of the file; numbers as their author wrote them."""
    found = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
    return {name: _python(value) for name, value in found.items()}


def decimal(value: float) -> float:
    """Return the number that a float32 was meant to be: 1e-05, not 9.999999747378752e-06.

    A file has float32; a network in float64 has its author's number. That is the number with the fewest digits that
    rounds to this one. If it would need all digits of float32, it is 1 / n, or the root of n or of 1 / n.
    """
    near = np.float32(value)
    short = float(str(near))
    if len(f"{short:.12g}".strip("-0.").replace(".", "")) < 7 or not MANY > abs(value) > 1 / MANY:
        return short
    size = abs(value)
    meant = (1 / max(1, round(1 / size)), sqrt(round(size * size)), sqrt(1 / max(1, round(1 / size / size))))
    return next((copysign(each, value) for each in meant if np.float32(each) == abs(near)), short)


def _python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, list) and value and isinstance(value[0], float):
        return [decimal(each) for each in value]
    return value


def _real(value: np.ndarray) -> bool:
    # bfloat16 and the types of 8 bits come from ml_dtypes: their kind in NumPy is "V".
    return value.dtype.kind in "fV"
