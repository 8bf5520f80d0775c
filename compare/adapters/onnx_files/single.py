"""Compute one node in onnx.reference: for values known without inputs, and for nodes without a canonical kind."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import helper
from onnx.reference import ReferenceEvaluator

from compare.adapters.adapter import Unreadable

MOST_VALUES = 2**28  # most values of a constant: a few bytes of a damaged file can ask for any number


def run(proto: Any, inputs: Mapping[str, np.ndarray], opsets: Sequence[Any]) -> list[Any]:
    """Return all outputs of one node, for its inputs by name. Raises Unreadable if onnx.reference cannot compute it."""
    _check_size(proto, [inputs[name] for name in proto.input if name])
    outputs = [name for name in proto.output if name]
    given = {name: value for name, value in inputs.items() if name in set(proto.input)}
    try:
        graph = helper.make_graph(
            [proto],
            "one",
            [
                helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                for k, v in given.items()
            ],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
        )
        model = helper.make_model(graph, opset_imports=opsets)
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(model).run(None, dict(given))
    except Exception as error:  # the evaluator raises anything that its operators do
        reason = str(error).strip().splitlines()
        raise Unreadable(
            f"{proto.op_type} {proto.name or outputs[0]} of the ONNX file cannot be computed: "
            f"{(reason or [type(error).__name__])[0][:300]}"
        ) from error
    return [dict(zip(outputs, found, strict=True)).get(name) for name in proto.output]


def _check_size(proto: Any, inputs: list[np.ndarray]) -> None:
    size = 0.0
    if proto.op_type in {"ConstantOfShape", "RandomNormal", "RandomUniform"} and inputs:
        size = prod(float(each) for each in inputs[0].ravel())
    elif proto.op_type in {"Expand", "Tile"} and len(inputs) > 1:
        size = max(inputs[0].size, 1) * prod(max(float(each), 1) for each in inputs[1].ravel())
    elif proto.op_type == "Range" and len(inputs) == 3:
        first, last, step = (float(each) for each in inputs)
        size = abs(last - first) / max(abs(step), 1e-300)
    if size > MOST_VALUES:
        raise Unreadable(f"{proto.op_type} {proto.name} of the ONNX file asks for {size:.3g} values.")
