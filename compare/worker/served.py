"""Load networks as a service does, with a function for each way. It only imports what a way needs, when it needs it,
and hides nothing from it: it starts like a process of the user's own in the same environment."""

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared.lean import import_plainly

Predict = Callable[[np.ndarray], np.ndarray]  # float32 images (N, H, W, C) to logits (N, classes)
NETWORK, WEIGHTS = "network.json", "weights.npz"


@dataclass(frozen=True)
class Loaded:
    """A network that answers, and the framework that computes it."""

    predict: Predict
    framework: str
    version: str


def load(how: str, source: str) -> Loaded:
    """Load a network: `how` is a format of `compare export`, with `source` the file; or MODULE:MODE, the code of an
    implementation in a mode, with `source` the folder of its contract and weights."""
    import_plainly()
    if how in LOADERS:
        return LOADERS[how](Path(source))
    module, _, mode = how.partition(":")
    return _from_code(module, mode, Path(source))


def _from_code(module: str, mode: Any, folder: Path) -> Loaded:
    """Build the network with the implementation's own code. Its export `serve` needs no optimizer; without that export,
    the network is built as for training."""
    implementation = importlib.import_module(module)
    from shared.models import BATCH_NORM_EPSILON, ModelSpec
    from shared.protocol import Build, Trained

    spec = ModelSpec.of_json(json.loads((folder / NETWORK).read_bytes()))
    with np.load(folder / WEIGHTS) as arrays:
        weights = dict(arrays)
    if hasattr(implementation, "serve"):
        predict = implementation.serve(Trained(spec, weights, BATCH_NORM_EPSILON, None), mode)
    else:
        from shared.training import TrainSpec

        predict = implementation.create(Build(spec, TrainSpec(epochs=1), weights, "cpu", mode)).logits
    framework = implementation.framework()
    return Loaded(predict, framework.name, framework.version)


def _onnx(path: Path) -> Loaded:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["COMPARE_THREADS"])
    options.inter_op_num_threads = 1
    if os.environ.get("OMP_WAIT_POLICY") == "PASSIVE":  # it has its own threads, which spin unless this is set
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(images: np.ndarray) -> np.ndarray:
        (logits,) = session.run(["logits"], {"images": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})
        return np.asarray(logits)

    return Loaded(predict, "onnxruntime", onnxruntime.__version__)


def _torch(path: Path) -> Loaded:
    import torch

    module = torch.export.load(path).module()

    @torch.inference_mode()
    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = module(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        return logits

    return Loaded(predict, "torch", torch.__version__)


def _saved_model(path: Path) -> Loaded:
    import tensorflow as tf

    serve = tf.saved_model.load(str(path)).signatures["serving_default"]

    def predict(images: np.ndarray) -> np.ndarray:
        (logits,) = serve(tf.constant(images)).values()
        return np.asarray(logits)

    return Loaded(predict, "tensorflow", tf.__version__)


def _keras(path: Path) -> Loaded:
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_on_batch(images))

    return Loaded(predict, "keras", f"{keras.__version__} (tensorflow {tf.__version__})")


LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "onnx": _onnx,
    "torch": _torch,
    "tf_savedmodel": _saved_model,
    "keras": _keras,
}
