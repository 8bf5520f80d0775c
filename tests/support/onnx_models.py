"""Build small ONNX files for tests, and run them in ONNX Runtime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

Step = tuple[str, Sequence[str], Sequence[str], dict[str, Any]]


def model(
    steps: Sequence[Step],
    weights: Mapping[str, np.ndarray],
    shape: Sequence[int | str] = ("n", 3, 8, 8),
    opset: int = 17,
    output: str = "y",
) -> Any:
    """Return a model with the float32 input "x" and the steps (kind, inputs, outputs, attributes)."""
    graph = helper.make_graph(
        [
            helper.make_node(kind, inputs, outputs, f"{kind}_{outputs[0]}", **own)
            for kind, inputs, outputs, own in steps
        ],
        "small",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_empty_tensor_value_info(output)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return onnx.shape_inference.infer_shapes(whole)


def one(kind: str, weights: Mapping[str, np.ndarray | None], opset: int = 17, shape: Any = None, **own: Any) -> Any:
    """Return a model of one node. Its inputs are "x" and the weights in order, without those that are None."""
    names = [name if value is not None else "" for name, value in weights.items()]
    given = {name: value for name, value in weights.items() if value is not None}
    return model([(kind, ["x", *names], ["y"], own)], given, shape or ("n", 3, 8, 8), opset)


def saved(folder: Path, content: Any) -> Path:
    """Write the model to a file, and return its path."""
    path = folder / "small.onnx"
    onnx.save_model(content, str(path))
    return path


def by_runtime(path: Path, x: np.ndarray) -> np.ndarray:
    """Return the file's first output for `x`, by ONNX Runtime in float32, in the file's layout."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {session.get_inputs()[0].name: x.astype(np.float32)})[0]
    return found


def float32(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return normal values."""
    return rng.standard_normal(shape).astype(np.float32)
