"""Keras and TensorFlow models are read as canonical graphs. One process with TensorFlow answers all questions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import GENEROUS_S

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "support" / "keras_cases.py"
# TensorFlow computes these in float32, so the results are only close.
SINGLE = ("raw", "saved", "sequence")

pytestmark = pytest.mark.slow
Answers = dict[str, Any]


@pytest.fixture(scope="module")
def answers() -> Answers:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, timeout=GENEROUS_S, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def kinds(answer: Any, mode: str = "evaluation") -> dict[str, str]:
    return {name: kind for name, (kind, _, _) in answer["modes"][mode]["nodes"].items()}


def test_every_node_is_what_the_reference_evaluator_computes(answers: Answers) -> None:
    far = {n: a["evaluated"] for n, a in answers.items() if a["evaluated"] > (2e-6 if n in SINGLE else 1e-12)}
    assert far == {}
    assert len(answers) > 100


def test_every_node_can_be_called_alone(answers: Answers) -> None:
    far = {n: a["applied"] for n, a in answers.items() if a["applied"] > (2e-6 if n in SINGLE else 1e-12)}
    assert far == {}


def test_weights_are_set_and_a_call_changes_nothing(answers: Answers) -> None:
    assert [name for name, answer in answers.items() if not answer["set"]] == []
    changing = [n for n, a in answers.items() if not all(mode["same_again"] for mode in a["modes"].values())]
    assert changing == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("conv1d_causal", ["Conv", "Tanh"]),
        ("separable2d", ["Conv", "Conv"]),
        ("transposed2d", ["ConvTranspose"]),
        ("dense", ["Gemm", "Gelu"]),
        ("einsum", ["Gemm"]),
        ("einsum_own", ["keras:EinsumDense"]),
        ("instance_norm", ["GroupNormalization"]),
        ("average", ["Input", "Add", "Div"]),
        ("rescaling", ["Mul", "Add"]),
        ("up_sampling", ["Resize"]),
        ("embedding", ["Gather"]),
        ("lstm", ["Dropout", "LSTM", "Identity"]),
        ("lambda", ["Mul", "Add"]),
        ("relu_max", ["Conv", "Clip"]),
        ("relu_slope", ["Conv", "LeakyRelu"]),
        ("relu_threshold", ["Conv", "ThresholdedRelu"]),
        ("relu_all", ["Conv", "keras:ReLU"]),
        ("activation_hard_sigmoid", ["HardSigmoid"]),
        ("activation_silu", ["Swish"]),
        ("activation_glu", ["Slice", "Slice", "Sigmoid", "Mul"]),
    ],
)
def test_a_layer_is_these_nodes(answers: Answers, case: str, expected: list[str]) -> None:
    assert list(kinds(answers[case]).values())[1:] == expected


def test_padding_is_that_of_the_sizes(answers: Answers) -> None:
    attributes = answers["conv2d"]["modes"]["evaluation"]["attributes"]
    assert next(a["pads"] for a in attributes.values() if "pads" in a) == [0, 0, 1, 0]
    causal = answers["conv1d_causal"]["modes"]["evaluation"]["attributes"]
    assert next(a["pads"] for a in causal.values() if "pads" in a) == [4, 0]


def test_inputs_are_stated_with_channels_first(answers: Answers) -> None:
    assert answers["conv2d"]["stated"] == {"input": [6, 8, 9]}
    assert answers["conv1d_causal"]["stated"] == {"input": [6, 11]}  # known from the convolution
    assert answers["layer_norm"]["stated"] == {"input": [11, 6]}  # no layer needs channels


def test_a_flattened_image_has_its_channels_outermost(answers: Answers) -> None:
    nodes = answers["flatten"]["modes"]["evaluation"]["nodes"]
    assert [kind for kind, *_ in nodes.values()][3:] == ["Flatten", "BatchNormalization", "Gemm"]
    back = [kind for kind, *_ in answers["there_and_back"]["modes"]["evaluation"]["nodes"].values()]
    assert back[3:] == ["Flatten", "BatchNormalization", "Reshape", "Conv"]  # without a transpose
    assert [kind for kind, *_ in answers["unflatten"]["modes"]["evaluation"]["nodes"].values()][1:] == [
        "Gemm",
        "Reshape",
        "ConvTranspose",
    ]


def test_a_dense_layer_on_an_image_takes_its_channels(answers: Answers) -> None:
    assert {"axis": 1} in answers["dense_image"]["modes"]["evaluation"]["attributes"].values()


def test_a_frozen_normalisation_is_in_evaluation(answers: Answers) -> None:
    for case, expected in (("batch_norm", True), ("batch_norm_frozen", False)):
        attributes = answers[case]["modes"]["training"]["attributes"].values()
        assert [a["training_mode"] for a in attributes if "training_mode" in a] == [expected], case
    assert len(answers["batch_norm"]["modes"]["training"]["statistics"]) == 2


def test_dropout_passes_on_and_says_whether_it_is_active(answers: Answers) -> None:
    for mode, active in (("evaluation", False), ("training", True)):
        attributes = answers["dropout"]["modes"][mode]["attributes"].values()
        assert {"ratio": 0.2, "active": active} in attributes


def test_names_are_the_owners(answers: Answers) -> None:
    names = set(answers["subclassed"]["modes"]["evaluation"]["nodes"])
    assert {"blocks.0.conv", "blocks.1.bn", "blocks.0.gain", "blocks.0:Relu", "pool", "head", "drop"} <= names
    assert {"inner.conv", "inner.bn", "first", "first:Relu", "shared", "shared:2"} <= set(
        answers["functional"]["modes"]["evaluation"]["nodes"]
    )


def test_saved_models(answers: Answers) -> None:
    said = answers["files"]
    assert said["types"] == ["float64"]
    assert said["written"] > 0
    assert ".weights.h5" in said["refused"]
    assert said["unreadable"].startswith("bad.keras cannot be read")
    bomb, nested = said["hostile"]
    assert "model.weights.h5 would unpack to 104,857,600 bytes" in bomb
    assert nested.endswith("config.json is nested too deeply.")
    assert "cannot be called with inputs of shape" in said["wrong_shape"]
    assert "first/W" in said["wrong_weight"]


def test_raw_tensorflow_is_read_as_operations_that_belong_together(answers: Answers) -> None:
    for case in ("raw", "saved"):
        found = kinds(answers[case])
        expected = {"c1": "Conv", "bn1": "BatchNormalization", "c2": "Conv", "bn2": "BatchNormalization", "w": "Gemm"}
        assert expected.items() <= found.items(), case
        assert "Gelu" in found.values()
        roles = answers[case]["modes"]["evaluation"]["roles"]
        assert roles["c1/W"] == [4, 3, 3, 3]
        assert roles["w/B"] == [6]
    assert answers["raw"]["precisions"] == ["float32"]
    assert answers["saved"]["stated"] == {"x": [3, 12, 12]}
    assert answers["saved"]["output"] == 0
    assert "signature cannot be called in training mode" in answers["saved"]["in_training"]


def test_what_a_hand_written_normalisation_keeps(answers: Answers) -> None:
    mode = answers["raw"]["modes"]["training"]
    assert mode["attributes"]["bn1"]["momentum"] == pytest.approx(0.9, abs=1e-3)
    assert mode["attributes"]["bn2"]["momentum"] == 1  # the statistics keep their values
    assert mode["statistics"] == ["bn1/mean", "bn1/var", "bn2/mean", "bn2/var"]


def test_a_sequence_in_raw_tensorflow(answers: Answers) -> None:
    found = kinds(answers["sequence"])
    assert found["table"] == "Gather"
    assert found["kernel"] == "Conv"
    assert {"LayerNormalization", "Swish", "MatMul", "Softmax"} <= set(found.values())
    assert not any(":" in kind for kind in found.values())


@pytest.mark.parametrize("case", ["subclassed", "raw", "saved"])
def test_nodes_are_timed_by_what_they_compute(answers: Answers, case: str) -> None:
    """In a graph, repeated runs give the recorded values."""
    said = answers[case]["timed"]
    assert said["far"] < (2e-6 if case in SINGLE else 1e-12)
    assert said["whole"] < (1e-5 if case in SINGLE else 1e-12)
    assert said["computed"] == len(said["nodes"]) > 3
    assert set(said["nodes"]) <= set(kinds(answers[case]))


def test_windows_of_training_begin_alike(answers: Answers) -> None:
    for windows in answers["functional"]["trained"]["losses"].values():
        assert windows[0] == pytest.approx(windows[1], rel=1e-12)
        assert windows[0][0] > windows[0][1] > windows[0][2]
    assert answers["functional"]["usual"] == ["graph", "eager", "xla", "graph"]
