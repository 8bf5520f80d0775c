"""`.onnx` files as models: layouts, weights, fixed batches, and errors in files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_node import close
from onnx import helper
from onnx_models import Step, by_runtime, float32, model, one, saved
from patience import GENEROUS_S

from compare.adapters.adapter import Unreadable
from compare.adapters.onnx_adapter import OnnxAdapter
from compare.graphs.evaluate import evaluate

RNG = np.random.default_rng(0)
TO_FIRST, TO_LAST = {"perm": [0, 3, 1, 2]}, {"perm": [0, 2, 3, 1]}
# Exporters write a channels-last model like this: each convolution between two transposes, all else unchanged.
CHANNELS_LAST: list[Step] = [
    ("Mul", ["x", "number"], ["scaled"], {}),
    ("Transpose", ["scaled"], ["x1"], TO_FIRST),
    ("Conv", ["x1", "w"], ["c1"], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Transpose", ["c1"], ["c2"], TO_LAST),
    ("Add", ["c2", "bias"], ["c3"], {}),
    ("PRelu", ["c3", "slope"], ["c4"], {}),
    ("ReduceMean", ["c4"], ["g"], {"axes": [1, 2], "keepdims": 0}),
    ("Reshape", ["g", "one_place"], ["g4"], {}),
    ("Mul", ["c4", "g4"], ["gated"], {}),
    ("Transpose", ["gated"], ["p1"], TO_FIRST),
    ("MaxPool", ["p1"], ["p2"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Transpose", ["p2"], ["p3"], TO_LAST),
    ("MatMul", ["p3", "pointwise"], ["p4"], {}),
    ("Reshape", ["p4", "flat"], ["f"], {}),
    ("Concat", ["g", "f"], ["both"], {"axis": 1}),
    ("Mul", ["both", "each"], ["f2"], {}),
    ("MatMul", ["f2", "dense"], ["d"], {}),
    ("Add", ["d", "dense_bias"], ["logits"], {}),
    ("Softmax", ["logits"], ["y"], {"axis": -1}),
]
WEIGHTS = {
    "number": np.array(1 / 255, np.float32),
    "w": float32(RNG, 5, 3, 3, 3),
    "bias": float32(RNG, 5),
    "slope": float32(RNG, 1, 1, 5),
    "one_place": np.array([-1, 1, 1, 5], np.int64),
    "flat": np.array([-1, 2 * 3 * 6], np.int64),
    "pointwise": float32(RNG, 5, 6),
    "each": float32(RNG, 41),
    "dense": float32(RNG, 41, 4),
    "dense_bias": float32(RNG, 4),
}
X = RNG.standard_normal((2, 3, 8, 12)) * 255


@pytest.fixture
def channels_last(tmp_path: Path) -> Path:
    return saved(tmp_path, model(CHANNELS_LAST, WEIGHTS, ("n", 8, 12, 3)))


def last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


def test_channels_last_become_canonical(channels_last: Path) -> None:
    adapter = OnnxAdapter(channels_last)
    assert adapter.stated_inputs() == {"x": (3, 8, 12)}
    recording = adapter.record({"x": X}, training=False)
    kinds = [node.kind for node in recording.graph.nodes if node.kind != "Parameter"]
    assert kinds == [
        "Input", "Mul", "Conv", "PRelu", "GlobalAveragePool", "Reshape", "Mul", "MaxPool", "Gemm", "Flatten", "Concat",
        "Mul", "Gemm", "Softmax",
    ]  # fmt: skip
    close(recording.values[recording.graph.outputs[0]], by_runtime(channels_last, last(X)), 1e-5)
    assert recording.graph["MaxPool_p2"].shape == (2, 5, 2, 3)
    again = evaluate(recording.graph, {"x": X}, recording.weights)
    for name, value in recording.values.items():
        close(again[name], value)


def test_float32_is_that_of_onnx_runtime(channels_last: Path) -> None:
    adapter = OnnxAdapter(channels_last)
    single = adapter.record({"x": X.astype(np.float32)}, training=False)
    assert np.array_equal(single.values[single.graph.outputs[0]], by_runtime(channels_last, last(X)))
    double = adapter.record({"x": X}, training=False)
    for name, value in double.values.items():
        assert single.values[name].dtype == np.float32
        close(single.values[name], value, 1e-5)


def test_weights_go_in_and_come_out_of_a_saved_copy(channels_last: Path, tmp_path: Path) -> None:
    """This includes weights after the transposes and the column order after a flattening."""
    adapter = OnnxAdapter(channels_last)
    before = adapter.record({"x": X}, training=False)
    new = {key: value + RNG.standard_normal(value.shape) for key, value in before.weights.items()}
    adapter.set_weights(new)
    after = adapter.record({"x": X}, training=False)
    for key, value in new.items():
        close(after.weights[key], value, 0)
    output = after.graph.outputs[0]
    close(after.values[output], evaluate(before.graph, {"x": X}, new)[output])
    adapter.save_weights(tmp_path / "copy.onnx")
    close(by_runtime(tmp_path / "copy.onnx", last(X)), after.values[output], 1e-5)
    gemm = next(node for node in after.graph.nodes if node.kind == "Gemm" and node.roles == ("W", "B"))
    inputs = [after.values[name] for name in gemm.inputs]
    close(adapter.apply(gemm.name, inputs, training=False), after.values[gemm.name])


def test_a_fixed_batch_is_called_as_often_as_needed(tmp_path: Path) -> None:
    steps = [
        ("Reshape", ["x", "shape"], ["f"], {}),
        ("MatMul", ["f", "w"], ["m"], {}),
        ("CumSum", ["m", "a"], ["y"], {}),
    ]
    weights = {"shape": np.array([1, 192], np.int64), "w": float32(RNG, 192, 4), "a": np.array(1, np.int64)}
    path = saved(tmp_path, model(steps, weights, (1, 3, 8, 8)))
    x = RNG.standard_normal((3, 3, 8, 8))
    adapter = OnnxAdapter(path)
    assert adapter.fixed_batch() == 1
    recording = adapter.record({"x": x}, training=False)
    close(recording.values["CumSum_y"], np.concatenate([by_runtime(path, each[None]) for each in x]), 1e-5)
    assert recording.graph["CumSum_y"].kind == "onnx:CumSum"
    assert recording.graph["CumSum_y"].shape == (3, 4)
    applied = adapter.apply("CumSum_y", [recording.values["MatMul_m"] * 2], training=False)
    close(applied, recording.values["CumSum_y"] * 2)


def test_a_condition_that_is_known_is_no_node(tmp_path: Path) -> None:
    branches = {
        name: helper.make_graph(
            [helper.make_node(kind, ["x"], [kind])], name, [], [helper.make_empty_tensor_value_info(kind)]
        )
        for name, kind in (("then_branch", "Relu"), ("else_branch", "Neg"))
    }
    content = model([("If", ["yes"], ["y"], branches)], {"yes": np.array(True)})
    recording = OnnxAdapter(saved(tmp_path, content)).record({"x": X[..., :8]}, training=False)
    assert [node.kind for node in recording.graph.nodes] == ["Input", "Relu"]


def test_tokens_are_looked_up(tmp_path: Path) -> None:
    table = float32(RNG, 10, 4)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "x"], ["y"], "look")],
        "tokens",
        [helper.make_tensor_value_info("x", onnx.TensorProto.INT64, ("n", 5))],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ("n", 5, 4))],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    path = saved(tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    recording = OnnxAdapter(path).record({"x": np.array([[1, 2, 3, 9, 0]])}, training=False)
    assert recording.graph["look"].roles == ("W",)
    close(recording.values["look"], table[[[1, 2, 3, 9, 0]]].astype(np.float64), 0)


def test_external_data_beside_the_file_are_read(tmp_path: Path) -> None:
    content = model([("MatMul", ["x", "w"], ["y"], {})], {"w": float32(RNG, 8, 40)})
    path = tmp_path / "small.onnx"
    onnx.save_model(content, str(path), save_as_external_data=True, location="small.data", size_threshold=0)
    recording = OnnxAdapter(path).record({"x": X[..., :8]}, training=False)
    close(recording.values["MatMul_y"], by_runtime(path, X[..., :8]), 1e-5)


@pytest.mark.parametrize("location", ["../small.data", "/etc/hostname", "link.data", "pipe.data"])
def test_external_data_elsewhere_are_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "small.data").write_bytes(bytes(4 * 320))
    (folder / "link.data").symlink_to(tmp_path / "small.data")
    os.mkfifo(folder / "pipe.data")
    content = model([("MatMul", ["x", "w"], ["y"], {})], {"w": float32(RNG, 8, 40)})
    weight = content.graph.initializer[0]
    onnx.external_data_helper.set_external_data(weight, location, length=4 * 320)
    weight.ClearField("raw_data")
    (folder / "small.onnx").write_bytes(content.SerializeToString())
    with pytest.raises(Unreadable, match="external data"):
        OnnxAdapter(folder / "small.onnx")


def test_external_data_of_no_stated_length_are_as_long_as_their_file(tmp_path: Path) -> None:
    """This holds in the body of a branch, too."""
    with (tmp_path / "huge.data").open("wb") as stream:
        stream.truncate(1 << 40)  # takes no space on the disk
    tensor = onnx.numpy_helper.from_array(float32(RNG, 8, 40), "w")
    onnx.external_data_helper.set_external_data(tensor, "huge.data")
    tensor.ClearField("raw_data")
    value = onnx.helper.make_tensor_value_info("b", onnx.TensorProto.FLOAT, [8, 40])
    body = onnx.helper.make_graph([onnx.helper.make_node("Constant", [], ["b"], value=tensor)], "body", [], [value])
    branch = onnx.helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)
    content = onnx.helper.make_model(onnx.helper.make_graph([branch], "net", [], []))
    (tmp_path / "small.onnx").write_bytes(content.SerializeToString())
    with pytest.raises(Unreadable, match="names 2,199,023,255,552 bytes of external data"):
        OnnxAdapter(tmp_path / "small.onnx")


def test_files_that_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    for content in (b"", b"not a model at all", bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(Unreadable, match=r"small\.onnx is not an ONNX file"):
            OnnxAdapter(path)
    with pytest.raises(Unreadable, match="cannot be read"):
        OnnxAdapter(tmp_path / "missing.onnx")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_damaged_files_give_a_sentence_or_a_graph(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(model(CHANNELS_LAST, WEIGHTS, ("n", 8, 12, 3)).SerializeToString())
    for place in rng.integers(0, len(content), 3):
        content[place] = rng.integers(0, 256)
    path = tmp_path_factory.mktemp("damaged") / "small.onnx"
    path.write_bytes(bytes(content[: int(rng.integers(len(content) // 2, 2 * len(content)))]))
    said = ""
    try:
        OnnxAdapter(path).record({"x": X}, training=False)
    except Unreadable as error:
        said = str(error)
    assert "\n" not in said


def test_constants_that_would_fill_the_memory(tmp_path: Path) -> None:
    steps = [("ConstantOfShape", ["huge"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})]
    content = model(steps, {"huge": np.array([1], np.int64)})
    content.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.array([2**40], np.int64), "huge"))
    with pytest.raises(Unreadable, match=r"asks for 1\.1e\+12 values"):
        OnnxAdapter(saved(tmp_path, content)).record({"x": X[..., :8]}, training=False)


def test_what_a_file_cannot_do(channels_last: Path, tmp_path: Path) -> None:
    adapter = OnnxAdapter(channels_last)
    with pytest.raises(Unreadable, match="has not been called yet"):
        adapter.set_weights({})
    with pytest.raises(Unreadable, match="training mode"):
        adapter.record({"x": X}, training=True)
    with pytest.raises(Unreadable, match="takes 3 x 8 x 12 for an example"):
        adapter.record({"x": last(X)}, training=False)
    with pytest.raises(Unreadable, match="has the inputs x, not z"):
        adapter.record({"z": X}, training=False)
    recording = adapter.record({"x": X}, training=False)
    key = "Conv_c1/W"
    with pytest.raises(Unreadable, match="has no weight other/W"):
        adapter.set_weights({"other/W": recording.weights[key]})
    with pytest.raises(Unreadable, match=r"Conv_c1/W .* has the shape \(5, 3, 3, 3\)"):
        adapter.set_weights({key: recording.weights[key][:1]})
    with pytest.raises(Unreadable, match=r"Name an \.onnx file"):
        adapter.save_weights(tmp_path / "w.safetensors")


def test_a_layer_that_draws_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="draws at random"):
        OnnxAdapter(saved(tmp_path, one("RandomNormalLike", {}))).record({"x": X[..., :8]}, training=False)


EXPORT = """
import sys, warnings
import numpy as np, torch
from torch import nn
warnings.filterwarnings("ignore")

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.SiLU(), nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(8, 8, 3, groups=4), nn.GroupNorm(2, 8), nn.GELU(), nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(8, 16, 1), nn.PixelShuffle(2), nn.Hardswish(), nn.ConvTranspose2d(4, 4, 3, 2, 1, 1), nn.Mish())
        self.head = nn.Sequential(nn.Linear(4, 10), nn.LayerNorm(10), nn.Dropout(), nn.Softplus(), nn.Softmax(1))

    def forward(self, x):
        x = self.features(x)
        left, right = x.chunk(2, 1)
        return self.head(torch.cat([left * torch.sigmoid(right), right], 1).mean((2, 3)))

torch.manual_seed(0)
net, x = Net().eval(), torch.randn(1, 3, 32, 32)
nn.init.uniform_(net.features[1].running_var, 0.5, 1.5)
torch.onnx.export(net, (x,), "dynamo.onnx", dynamo=True, verbose=False)
torch.onnx.export(net, (x,), "script.onnx", dynamo=False, opset_version=14, do_constant_folding=False,
                  training=torch.onnx.TrainingMode.PRESERVE)
x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
np.savez("origin.npz", x=x.numpy(), y=net.double()(x).detach().numpy())
"""


@pytest.mark.slow
def test_exports_of_pytorch_are_their_origin(tmp_path: Path) -> None:
    """The older exporter loses nothing if asked to keep batch normalizations. The newer one folds them in float32."""
    done = subprocess.run(
        [sys.executable, "-c", EXPORT], cwd=tmp_path, capture_output=True, text=True, timeout=GENEROUS_S, check=False
    )
    assert done.returncode == 0, done.stderr
    origin = np.load(tmp_path / "origin.npz")
    expected: dict[str, Any] = {"script.onnx": 1e-13, "dynamo.onnx": 1e-6}
    for name, bound in expected.items():
        adapter = OnnxAdapter(tmp_path / name)
        (its_input,) = adapter.stated_inputs() or {}
        recording = adapter.record({its_input: origin["x"]}, training=False)
        close(recording.values[recording.graph.outputs[0]], origin["y"], bound)
        kinds = {node.kind for node in recording.graph.nodes}
        assert {"Swish", "Gelu", "HardSwish", "Mish", "GroupNormalization", "LayerNormalization", "Resize"} <= kinds
        assert {"Softplus", "DepthToSpace", "ConvTranspose", "GlobalAveragePool"} <= kinds
        assert not [kind for kind in kinds if ":" in kind]
