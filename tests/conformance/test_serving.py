"""Networks that only infer give the NumPy reference's logits, and load no other framework."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from patience import GENEROUS_S
from pydantic import TypeAdapter
from reference import LAYERS, Network

from compare.processes.serving import ServingSession
from compare.registry import IMPLEMENTATIONS
from compare.worker.served import NETWORK, WEIGHTS
from shared.models import MODELS, ModelSpec
from shared.weights import Weights, initial_weights

MODEL = MODELS["cnn_bn_cifar"]  # its moving statistics and its epsilon matter
BOUND = 1e-5
ALWAYS = [("torch", "eager")]
BUILT_IN = ("torch", "keras", "tf_lowlevel")
EVERY = [(name, mode) for name in BUILT_IN for mode in IMPLEMENTATIONS[name].modes]
LONG = [pytest.param(*way, marks=pytest.mark.long) for way in EVERY if way not in ALWAYS]  # each imports a framework
# TensorFlow's own import loads Keras, and nothing is hidden from a process whose start is measured.
FRAMEWORKS = {"torch": {"torch"}, "keras": {"tensorflow", "keras"}, "tf_lowlevel": {"tensorflow", "keras"}}


def weights() -> Weights:
    """Return initial weights, with moving statistics like those of a trained network."""
    random = np.random.default_rng(0)
    made = initial_weights(MODEL, 0)
    for parameter in MODEL.parameters:
        if not parameter.trainable:
            made[parameter.name] = random.uniform(0.3, 1.5, parameter.shape).astype(np.float32)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), [*ALWAYS, *LONG])
def test_a_network_that_only_infers_is_the_reference(name: str, mode: str, tmp_path: Path) -> None:
    made = weights()
    (tmp_path / NETWORK).write_bytes(TypeAdapter(ModelSpec).dump_json(MODEL))
    np.savez(tmp_path / WEIGHTS, **made)  # type: ignore[arg-type]
    images = np.random.default_rng(1).random((3, *MODEL.input_shape), np.float32)
    exact = {name: value.astype(np.float64) for name, value in made.items()}
    right = Network(LAYERS[MODEL.name], exact).logits(images.astype(np.float64))
    how = f"{IMPLEMENTATIONS[name].module}:{mode}"
    session = ServingSession(name, [how, str(tmp_path)], tmp_path / "log", 1, GENEROUS_S, {}, "passive")
    try:
        for n in (1, 3):
            distance = np.abs(session.logits(images[:n]) - right[:n]).max() / np.abs(right).max()
            assert distance < BOUND
        modules = set(session.describe().modules)
    finally:
        session.close()
    assert modules & {"torch", "tensorflow", "keras", "onnxruntime"} == FRAMEWORKS[name]
    # Its start and memory include everything that the framework imports, and little of this suite.
    installed = {one for one in ("matplotlib", "pandas", "sklearn") if importlib.util.find_spec(one)}
    assert installed <= modules or name == "torch"
    assert "pydantic" not in modules or name != "torch"
