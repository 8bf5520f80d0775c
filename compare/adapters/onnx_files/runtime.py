"""Run a model in ONNX Runtime, in float32, and return all of its values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compare.adapters.onnx_files.file import copy_with

FLOAT, WHOLE = 1, {6: np.int32, 7: np.int64, 9: np.bool_}  # TensorProto's numbers of types


def run(
    model: Any, inputs: Mapping[str, np.ndarray], values: Sequence[str], overrides: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray] | None:
    """Return the named values, as ONNX Runtime computes them without any optimization.

    Return None if ONNX Runtime is not installed or cannot run the model: it lacks some of ONNX's operators and types.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    kinds = {each.name: each.type.tensor_type.elem_type for each in model.graph.input}
    if any(kinds[name] != FLOAT and kinds[name] not in WHOLE for name in inputs):
        return None
    changed = copy_with(model, {name: _narrow(value) for name, value in overrides.items()})
    del changed.graph.value_info[:]
    wanted = [name for name in values if name not in inputs]
    del changed.graph.output[:]
    changed.graph.output.extend(type(model.graph.output[0])(name=name) for name in wanted)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    given: dict[str, np.ndarray] = {
        name: value.astype(WHOLE.get(kinds[name], np.float32)) for name, value in inputs.items()
    }
    try:
        session = onnxruntime.InferenceSession(changed.SerializeToString(), options, ["CPUExecutionProvider"])
        found = session.run(wanted, given)
    except Exception:  # ONNX Runtime's exceptions have no common class; the docstring gives the reasons
        return None
    return dict(zip(wanted, found, strict=True))


def _narrow(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float32) if value.dtype == np.float64 else value
