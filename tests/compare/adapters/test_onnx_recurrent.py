"""Recurrent layers of ONNX files, compared with ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_node import close
from onnx_models import by_runtime, float32, model, saved

from compare.adapters.onnx_adapter import OnnxAdapter
from compare.graphs.node import Recording

RNG = np.random.default_rng(7)
X = RNG.standard_normal((2, 6, 5))  # (N, T, F); the exporter puts a transpose in front of the layer
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def weights(kind: str, ways: int) -> dict[str, np.ndarray]:
    rows = GATES[kind] * 4
    return {"w": float32(RNG, ways, rows, 5), "r": float32(RNG, ways, rows, 4), "b": float32(RNG, ways, 2 * rows)}


def exported(kind: str, ways: int, **own: Any) -> Any:
    """Return a layer as PyTorch exports it with batch_first: the sequence, (N, T, ways * 4)."""
    direction = {"direction": "bidirectional"} if ways == 2 else {}
    return model(
        [
            ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
            (kind, ["t", "w", "r", "b"], ["s", "h"], {"hidden_size": 4, **direction, **own}),
            ("Transpose", ["s"], ["s2"], {"perm": [0, 2, 1, 3]}),
            ("Reshape", ["s2", "shape"], ["s3"], {}),
            ("Transpose", ["s3"], ["y"], {"perm": [1, 0, 2]}),
        ],
        {**weights(kind, ways), "shape": np.array([0, 0, -1])},
        ("n", 6, 5),
    )


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize(("kind", "own"), [("LSTM", {}), ("GRU", {"linear_before_reset": 1}), ("GRU", {}), ("RNN", {})])
def test_a_layer_of_one_or_two_directions(kind: str, own: dict[str, Any], ways: int, tmp_path: Path) -> None:
    path = saved(tmp_path, exported(kind, ways, **own))
    adapter = OnnxAdapter(path)
    recording = adapter.record({"x": X}, training=False)
    close(recording.values[recording.graph.outputs[0]], by_runtime(path, X), 1e-5)
    layers = [node for node in recording.graph.nodes if node.kind == kind]
    assert [node.attributes["direction"] for node in layers] == ["forward", "reverse"][:ways]
    assert {role for node in layers for role in node.roles} == {"W", "R", "B"} | ({"RB"} if own else set())
    _given_other_weights(adapter, recording, path)


def _given_other_weights(adapter: OnnxAdapter, recording: Recording, path: Path) -> None:
    """Each direction's weights go into a part of one array of the file, and the written file has them."""
    new = {name: float32(RNG, *array.shape).astype(np.float64) for name, array in recording.weights.items()}
    adapter.set_weights(new)
    again = adapter.record({"x": X}, training=False)
    for name, array in new.items():
        close(again.weights[name], array, 1e-6)
    adapter.save_weights(path.with_name("copy.onnx"))
    close(again.values[again.graph.outputs[0]], by_runtime(path.with_name("copy.onnx"), X), 1e-5)


def test_states_and_activations(tmp_path: Path) -> None:
    whole = model(
        [
            ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
            (
                "LSTM",
                ["t", "w", "r", "b"],
                ["", "h", "c"],
                {"hidden_size": 4, "activations": ["Sigmoid", "Relu", "Tanh"]},
            ),
            ("Add", ["h", "c"], ["y"], {}),
        ],
        weights("LSTM", 1),
        ("n", 6, 5),
    )
    path = saved(tmp_path, whole)
    recording = OnnxAdapter(path).record({"x": X}, training=False)
    close(recording.values[recording.graph.outputs[0]], by_runtime(path, X), 1e-5)


def test_what_has_no_canonical_form_is_of_its_own_kind(tmp_path: Path) -> None:
    path = saved(tmp_path, exported("RNN", 1, clip=0.5))
    recording = OnnxAdapter(path).record({"x": X}, training=False)
    assert "onnx:RNN" in {node.kind for node in recording.graph.nodes}
