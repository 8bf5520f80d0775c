"""Arithmetic of several values, with NumPy's rules of broadcasting, and reductions."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import NoReference, Operator, Weights, integers

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.true_divide,
    "Pow": np.power,
    "Max": np.maximum,
    "Min": np.minimum,
    "MatMul": np.matmul,
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceMean": np.mean,
    "ReduceSum": np.sum,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
}


def _binary(function: Callable[[Any, Any], Any]) -> Operator:
    def operator(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
        operands: list[Any] = list(inputs)
        scalar: Any = node.attributes.get("scalar")
        if scalar is not None:  # a Python number, which keeps float32
            operands.insert(0 if node.attributes.get("scalar_first") else len(operands), scalar)
        if node.kind == "Div" and all(np.asarray(each).dtype.kind in "iu" for each in operands):
            raise NoReference(f"{node.name}: frameworks differ in how they divide integers")
        return np.asarray(reduce(function, operands))

    return operator


def _reduction(function: Callable[..., Any]) -> Operator:
    def operator(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
        (x,) = inputs
        axes = integers(node, "axes", ()) or None
        return np.asarray(function(x, axis=axes, keepdims=bool(node.attributes.get("keepdims", True))))

    return operator


OPERATORS: dict[str, Operator] = {kind: _binary(function) for kind, function in BINARY.items()} | {
    kind: _reduction(function) for kind, function in REDUCTIONS.items()
}
