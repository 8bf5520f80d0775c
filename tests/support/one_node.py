"""Evaluate one node of a canonical graph by onnx.reference, which shares no code with the evaluator."""

from typing import Any

import numpy as np
from onnx import helper
from onnx.reference import ReferenceEvaluator

from compare.graphs.evaluate import evaluate_node
from compare.graphs.node import Node


def node(kind: str, **attributes: Any) -> Node:
    """Return a node of this kind, called "it"."""
    return Node("it", kind, attributes=attributes)


def ours(kind: str, *inputs: np.ndarray, weights: dict[str, np.ndarray] | None = None, **attributes: Any) -> np.ndarray:
    """Return the evaluator's output of one node."""
    return evaluate_node(node(kind, **attributes), inputs, weights or {})


def onnx(kind: str, *inputs: np.ndarray | None, opset: int = 22, outputs: int = 1, **attributes: Any) -> Any:
    """Return the first output of onnx.reference for one node. An input that is None is left out."""
    names = [f"x{number}" if each is not None else "" for number, each in enumerate(inputs)]
    results = [f"y{number}" for number in range(outputs)]
    given = {name: each for name, each in zip(names, inputs, strict=True) if each is not None}
    graph = helper.make_graph(
        [helper.make_node(kind, names, results, **attributes)],
        "one_node",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
            for name, x in given.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in results],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return ReferenceEvaluator(model).run(None, given)[0]


def close(found: np.ndarray, expected: np.ndarray, bound: float = 1e-13) -> None:
    """Assert equal shapes, and values within `bound` of the largest."""
    assert found.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    assert np.abs(found - expected).max(initial=0) <= bound * scale
