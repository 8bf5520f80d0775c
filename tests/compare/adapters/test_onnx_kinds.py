"""Single nodes of ONNX files of many versions, compared with ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_node import close
from onnx_models import by_runtime, float32, model, one, saved

from compare.adapters.onnx_adapter import OnnxAdapter
from compare.graphs.node import Recording

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 8, 8))


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def checked(folder: Path, content: Any, x: np.ndarray = X) -> Recording:
    """Return the recording of a file in float64, after comparing it with ONNX Runtime's in float32."""
    path = saved(folder, content)
    recording = OnnxAdapter(path).record({"x": x}, training=False)
    close(recording.values[recording.graph.outputs[0]], by_runtime(path, x), 1e-5)
    return recording


W, B = float32(RNG, 4, 3, 3, 3), float32(RNG, 4)
C = [float32(RNG, 3) for _ in range(3)] + [np.abs(float32(RNG, 3)) + 0.5]
CASES: list[tuple[str, str, dict[str, Any], int, dict[str, Any]]] = [
    ("Conv", "Conv", {"w": W, "b": B}, 11, {"pads": [1, 0, 0, 1], "strides": [2, 1]}),
    ("Conv", "Conv", {"w": W}, 11, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Conv", "Conv", {"w": W}, 11, {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    (
        "ConvTranspose",
        "ConvTranspose",
        {"w": float32(RNG, 3, 2, 3, 3)},
        11,
        {"strides": [2, 2], "output_shape": [16, 15]},
    ),
    (
        "ConvTranspose",
        "ConvTranspose",
        {"w": float32(RNG, 3, 2, 3, 3)},
        11,
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ),
    ("BatchNormalization", "BatchNormalization", dict(zip("sbmv", C, strict=True)), 15, {"epsilon": 0.01}),
    ("InstanceNormalization", "GroupNormalization", {"s": C[0], "b": C[1]}, 11, {}),
    ("LayerNormalization", "LayerNormalization", {"s": float32(RNG, 8, 8)}, 17, {"axis": 2}),
    ("MaxPool", "MaxPool", {}, 12, {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("MaxPool", "MaxPool", {}, 12, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("AveragePool", "AveragePool", {}, 11, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("GlobalMaxPool", "GlobalMaxPool", {}, 11, {}),
    ("PRelu", "PRelu", {"a": float32(RNG, 3, 1, 1)}, 9, {}),
    ("Clip", "Clip", {}, 7, {"min": -0.5, "max": 0.25}),
    ("Clip", "Clip", {"low": None, "high": np.array(0.25, np.float32)}, 13, {}),
    ("Dropout", "Dropout", {}, 7, {"ratio": 0.25}),
    ("Dropout", "Dropout", {"r": np.array(0.25, np.float32)}, 13, {}),
    ("Softmax", "Softmax", {}, 11, {"axis": 3}),
    ("Softmax", "Softmax", {}, 13, {"axis": 1}),
    ("Pad", "Pad", {}, 10, {"pads": [0, 0, 1, 2, 0, 0, 3, 0], "value": 0.5}),
    ("Pad", "Pad", {"p": ints(0, 0, 1, 2, 0, 0, 3, 0)}, 13, {"mode": "reflect"}),
    ("Pad", "Pad", {"p": ints(1, 2), "v": np.array(2.5, np.float32), "a": ints(-1)}, 18, {}),
    ("Slice", "Slice", {}, 9, {"starts": [1], "ends": [2**40], "axes": [2]}),
    ("Slice", "Slice", {"s": ints(6), "e": ints(-(2**60)), "a": ints(3), "t": ints(-2)}, 13, {}),
    ("Unsqueeze", "Unsqueeze", {}, 11, {"axes": [2]}),
    ("Unsqueeze", "Unsqueeze", {"a": ints(-1)}, 13, {}),
    ("ReduceMean", "GlobalAveragePool", {}, 13, {"axes": [2, 3]}),
    ("ReduceMean", "ReduceMean", {"a": ints(1)}, 18, {"keepdims": 0}),
    ("ReduceSum", "ReduceSum", {"a": ints(-1)}, 13, {}),
    ("Upsample", "Resize", {"s": np.array([1, 1, 2, 3], np.float32)}, 9, {"mode": "nearest"}),
    ("Resize", "Resize", {"r": None, "s": np.array([1, 1, 1.6, 0.7], np.float32)}, 13, {"mode": "linear"}),
    ("Resize", "Resize", {"r": None, "s": None, "n": ints(2, 3, 5, 12)}, 13, {"mode": "cubic", "exclude_outside": 1}),
    ("Resize", "Resize", {"r": None, "s": None, "n": ints(2, 3, 4, 4)}, 18, {"mode": "linear", "antialias": 1}),
    ("Flatten", "Flatten", {}, 13, {}),
    ("Reshape", "Reshape", {"n": ints(0, -1, 4)}, 13, {}),
    ("MatMul", "Gemm", {"w": float32(RNG, 8, 5)}, 13, {}),
    ("Add", "Add", {"c": float32(RNG, 3, 1, 8)}, 13, {}),
    ("Pow", "Pow", {"c": np.array([[2.0]], np.float32)}, 13, {}),
    ("Max", "Clip", {"c": np.array(0.25, np.float32)}, 13, {}),
    ("Shrink", "Softshrink", {}, 9, {"lambd": 0.25, "bias": 0.25}),
    ("Gather", "Slice", {"i": np.array(-1, np.int64)}, 13, {"axis": 2}),
    ("CumSum", "onnx:CumSum", {"a": np.array(2, np.int64)}, 14, {}),
]


@pytest.mark.parametrize(("kind", "canonical", "weights", "opset", "own"), CASES)
def test_a_node_is_what_onnx_runtime_computes(
    tmp_path: Path, kind: str, canonical: str, weights: dict[str, Any], opset: int, own: dict[str, Any]
) -> None:
    recording = checked(tmp_path, one(kind, weights, opset, **own))
    assert recording.graph.nodes[1 + len(weights) if kind == "Add" else 1].kind in {canonical, "Parameter"}
    assert canonical in {node.kind for node in recording.graph.nodes}


@pytest.mark.parametrize("bias", [(5,), (1, 5), (1,)])
def test_the_factors_of_a_product(tmp_path: Path, bias: tuple[int, ...]) -> None:
    weights = {"w": float32(RNG, 5, 7), "b": float32(RNG, *bias)}
    own = {"alpha": 0.5, "beta": 2.0, "transB": 1}
    x = RNG.standard_normal((2, 7))
    recording = checked(tmp_path, one("Gemm", weights, shape=("n", 7), **own), x)
    assert recording.graph.nodes[1].kind == ("Gemm" if bias != (1,) else "onnx:Gemm")


def test_numbers_are_what_their_author_wrote(tmp_path: Path) -> None:
    recording = checked(tmp_path, one("LeakyRelu", {}, alpha=0.2))
    assert recording.graph.nodes[1].attributes == {"alpha": 0.2}
    for number in (1 / 255, 2**0.5, -(0.5**0.5), 0.1, 1e-5, 3.0, 16.0, 1e20):
        own = checked(tmp_path, one("Mul", {"c": np.array(number, np.float32)})).graph.nodes[1].attributes
        assert own["scalar"] == pytest.approx(number, rel=1e-15)


def test_splits_are_slices(tmp_path: Path) -> None:
    for opset, weights, own in ((11, {}, {"split": [1, 2]}), (13, {"n": ints(1, 2)}, {})):
        steps = [("Split", ["x", *weights], ["a", "b"], {"axis": 1, **own}), ("Mul", ["a", "b"], ["y"], {})]
        recording = checked(tmp_path, model(steps, weights, opset=opset))
        assert [node.kind for node in recording.graph.nodes] == ["Input", "Slice", "Slice", "Mul"]


def test_shapes_are_known_before_the_values(tmp_path: Path) -> None:
    steps = [
        ("Shape", ["x"], ["shape"], {}),
        ("Gather", ["shape", "zero"], ["batch"], {}),
        ("Unsqueeze", ["batch", "axes"], ["row"], {}),
        ("Concat", ["row", "rest"], ["new"], {"axis": 0}),
        ("Reshape", ["x", "new"], ["y"], {}),
    ]
    weights = {"zero": np.array(0, np.int64), "axes": ints(0), "rest": ints(24, 8)}
    recording = checked(tmp_path, model(steps, weights))
    assert recording.graph.nodes[1].attributes == {"shape": (-1, 24, 8)}


FUSIONS: dict[str, list[Any]] = {
    "Swish": [("Sigmoid", ["x"], ["s"], {}), ("Mul", ["s", "x"], ["y"], {})],
    "HardSwish": [
        ("Add", ["x", "three"], ["a"], {}),
        ("Clip", ["a", "zero", "six"], ["c"], {}),
        ("Mul", ["x", "c"], ["m"], {}),
        ("Div", ["m", "six"], ["y"], {}),
    ],
    "Mish": [("Softplus", ["x"], ["s"], {}), ("Tanh", ["s"], ["t"], {}), ("Mul", ["x", "t"], ["y"], {})],
    "Gelu": [
        ("Div", ["x", "root"], ["d"], {}),
        ("Erf", ["d"], ["e"], {}),
        ("Add", ["e", "one"], ["a"], {}),
        ("Mul", ["x", "a"], ["m"], {}),
        ("Mul", ["m", "half"], ["y"], {}),
    ],
    "LayerNormalization": [
        ("ReduceMean", ["x"], ["mean"], {"axes": [-1]}),
        ("Sub", ["x", "mean"], ["d"], {}),
        ("Pow", ["d", "two"], ["q"], {}),
        ("ReduceMean", ["q"], ["v"], {"axes": [-1]}),
        ("Add", ["v", "small"], ["e"], {}),
        ("Sqrt", ["e"], ["s"], {}),
        ("Div", ["d", "s"], ["n"], {}),
        ("Mul", ["n", "scale"], ["m"], {}),
        ("Add", ["m", "shift"], ["y"], {}),
    ],
    "LayerNormalization of Keras": [
        ("ReduceMean", ["x"], ["mean"], {"axes": [-1]}),
        ("Sub", ["x", "mean"], ["d"], {}),
        ("Mul", ["d", "d"], ["q"], {}),
        ("ReduceMean", ["q"], ["v"], {"axes": [-1]}),
        ("Add", ["v", "small"], ["e"], {}),
        ("Sqrt", ["e"], ["s"], {}),
        ("Reciprocal", ["s"], ["i"], {}),
        ("Mul", ["i", "scale"], ["f"], {}),
        ("Mul", ["x", "f"], ["xf"], {}),
        ("Neg", ["mean"], ["minus"], {}),
        ("Mul", ["minus", "f"], ["mf"], {}),
        ("Add", ["mf", "shift"], ["r"], {}),
        ("Add", ["xf", "r"], ["y"], {}),
    ],
    "GroupNormalization": [
        ("Reshape", ["x", "groups"], ["r"], {}),
        ("InstanceNormalization", ["r", "ones", "zeros"], ["i"], {"epsilon": 0.01}),
        ("Shape", ["x"], ["shape"], {}),
        ("Reshape", ["i", "shape"], ["b"], {}),
        ("Mul", ["b", "channels"], ["m"], {}),
        ("Add", ["m", "channels"], ["y"], {}),
    ],
    "Conv": [("Conv", ["x", "w"], ["c"], {}), ("Add", ["c", "bias"], ["y"], {})],
}
NUMBERS = {"zero": 0, "half": 0.5, "one": 1, "two": 2, "three": 3, "six": 6, "root": 2**0.5, "small": 1e-5}


@pytest.mark.parametrize("kind", FUSIONS)
def test_patterns_are_one_layer_again(tmp_path: Path, kind: str) -> None:
    weights = {name: np.array(value, np.float32) for name, value in NUMBERS.items()}
    weights |= {"scale": float32(RNG, 8), "shift": float32(RNG, 8), "groups": ints(0, 3, -1)}
    weights |= {"ones": np.ones(3, np.float32), "zeros": np.zeros(3, np.float32)}
    weights |= {"channels": float32(RNG, 3, 1, 1), "w": W, "bias": float32(RNG, 1, 4, 1, 1)}
    used = {name for _, inputs, _, _ in FUSIONS[kind] for name in inputs}
    recording = checked(tmp_path, model(FUSIONS[kind], {name: weights[name] for name in weights if name in used}))
    assert [node.kind for node in recording.graph.nodes] == ["Input", kind.partition(" ")[0]]


def test_a_threshold_of_softplus(tmp_path: Path) -> None:
    steps = [
        ("Softplus", ["x"], ["s"], {}),
        ("Greater", ["x", "bound"], ["g"], {}),
        ("Where", ["g", "x", "s"], ["y"], {}),
    ]
    recording = checked(tmp_path, model(steps, {"bound": np.array(0.5, np.float32)}))
    assert recording.graph.nodes[1].attributes == {"beta": 1.0, "threshold": 0.5}


def test_a_gelu_with_another_constant_is_none(tmp_path: Path) -> None:
    weights = {name: np.array(NUMBERS[name], np.float32) for name in ("root", "one", "half")}
    weights["root"] = np.array(1.5, np.float32)
    recording = checked(tmp_path, model(FUSIONS["Gelu"], weights))
    assert "Gelu" not in {node.kind for node in recording.graph.nodes}
