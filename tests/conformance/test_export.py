"""Exported files give the NumPy reference's predictions in scripts that do not know this project."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from reference import LAYERS, Network

from compare.commands.export import FORMATS, writer_of
from compare.processes.session import Session
from shared.choices import Format
from shared.models import MODELS, ModelSpec
from shared.weights import Weights, initial_weights

N_IMAGES = 5  # no multiple of a batch size that an exporter may have fixed
OWN_EPSILON = 1e-5  # PyTorch's own, as in the idiomatic recipe

# A user's script. Importing a framework takes longer than predicting, so one process serves all files of a framework.
# Each input line is [format, file, images, logits], with channels-last images. The process writes the logits.
SCRIPTS: dict[Format, str] = {
    "torch": """
import torch
def predict(path, images):
    network = torch.export.load(path).module()
    with torch.no_grad():
        return network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
""",
    "onnx": """
import onnxruntime
def predict(path, images):
    session = onnxruntime.InferenceSession(path)
    return session.run(None, {session.get_inputs()[0].name: images.transpose(0, 3, 1, 2).copy()})[0]
""",
    "keras": """
import keras
def predict(path, images):
    return keras.saving.load_model(path).predict(images, verbose=0)
""",
    "tf_savedmodel": """
import tensorflow as tf
def predict(path, images):
    return tf.saved_model.load(path).signatures["serving_default"](tf.constant(images))["logits"].numpy()
""",
}
MAIN = """
import json, sys
import numpy as np
scripts, ready = json.loads(sys.argv[1]), {}
for line in sys.stdin:
    to, path, images, logits = json.loads(line)
    if to not in ready:
        exec(scripts[to], ready.setdefault(to, {}))
    np.save(logits, ready[to]["predict"](path, np.load(images)))
    print("done", flush=True)
ours = {"compare", "shared", "torch_impl", "tf_impl", "tf_lowlevel_impl"} & set(sys.modules)
assert not ours, ours
assert not ("torch" in sys.modules and "tensorflow" in sys.modules), "one framework per process"
"""


FRAMEWORK: dict[Format, str] = {"torch": "torch", "onnx": "torch", "keras": "tf", "tf_savedmodel": "tf"}
Predict = Callable[[Format, Path, Path, Path], None]


@pytest.fixture(scope="module")
def predict() -> Iterator[Predict]:
    """predict(format, file, images, logits): have a plain process read an exported file and write its logits."""
    processes: dict[str, subprocess.Popen[str]] = {}

    def run(to: Format, *paths: Path) -> None:
        if (framework := FRAMEWORK[to]) not in processes:
            command = [sys.executable, "-I", "-c", MAIN, json.dumps(SCRIPTS)]
            processes[framework] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = processes[framework]
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps([to, *map(str, paths)]), file=process.stdin, flush=True)
        said = iter(process.stdout.readline, "")
        assert any(line.endswith("done\n") for line in said), f"the plain process for {framework} failed"

    yield run
    for process in processes.values():
        process.communicate()
        assert process.returncode == 0


@pytest.mark.parametrize("to", list(FORMATS))
@pytest.mark.parametrize(
    "names",
    [
        # Covers colours, both kinds of batch normalisation, dropout, and a dense layer on pixels.
        pytest.param(("cnn_bn_cifar", "cnn_deep_dropout", "dense_baseline"), id="some", marks=pytest.mark.slow),
        pytest.param(tuple(MODELS), id="all", marks=pytest.mark.long),
    ],
)
def test_plain_scripts_predict_what_the_reference_does(
    to: Format, names: tuple[str, ...], session_for: Callable[[str, str], Session], predict: Predict, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    for number, name in enumerate(names):
        spec = MODELS[name]
        weights = _trained(spec, random)
        images = random.random((N_IMAGES, *spec.input_shape), np.float32)
        scaled = number % 2 == 0  # every other one includes its scaling, and uses PyTorch's own epsilon
        mean, deviation = random.random(spec.input_shape[-1]), 0.2 + random.random(spec.input_shape[-1])
        epsilon = OWN_EPSILON if scaled else 1e-3
        path = tmp_path / f"{name}{FORMATS[to].suffix}"
        session = session_for(writer_of(to), name)
        session.export(to, path, spec, weights, epsilon, (mean, deviation) if scaled else None, images)
        np.save(tmp_path / f"{name}.images.npy", images)
        predict(to, path, tmp_path / f"{name}.images.npy", tmp_path / f"{name}.logits.npy")
        seen = (images - mean) / deviation if scaled else images
        exact = {key: value.astype(np.float64) for key, value in weights.items()}
        logits = Network(LAYERS[name], exact, epsilon).logits(seen.astype(np.float64))
        found = np.load(tmp_path / f"{name}.logits.npy")
        assert found.shape == (N_IMAGES, 10)
        assert np.abs(found - logits).max() < 1e-5 * np.abs(logits).max(), name


def _trained(spec: ModelSpec, random: np.random.Generator) -> Weights:
    """Return weights without zeros and ones, so that every one of them matters."""
    return {
        name: (value + 0.3 * random.random(value.shape) if value.ndim == 1 else value).astype(np.float32)
        for name, value in initial_weights(spec, seed=4).items()
    }
