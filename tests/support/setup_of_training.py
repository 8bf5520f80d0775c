"""How the networks of the conformance tests are trained."""

from functools import cache
from pathlib import Path

from shared.choices import Dtype
from shared.data import Data, DataSpec, load
from shared.models import MODELS
from shared.training import SGD, Adam, TrainSpec

# Only these first steps are done, while the rate rises. At the full rate batch normalisation makes training
# chaotic: a change of 1 ulp in the initial weights becomes 1e-11 in 20 steps (docs/decisions.md), which would hide
# what these tests look for. The falling rate is tested in tests/compare/worker/test_service.py.
EPOCHS = 10
SEED = 5
N_IMAGES = 12  # for activations and logits
OPTIMIZERS = {"adam": Adam(), "sgd": SGD()}


def n_steps(model: str, optimizer: str) -> int:
    """20 steps of Adam and 10 of SGD; a third as many of the network whose steps take longest."""
    steps = {"adam": 20, "sgd": 10}[optimizer]
    return steps // 3 if model == "cnn_bn_cifar" else steps


@cache
def images_for(model: str) -> Data:
    """Real images of the shape that `model` takes."""
    if MODELS[model].input_shape == (28, 28, 1):
        return load(DataSpec(dataset="digits"), Path())
    return load(DataSpec(dataset="photographs"), Path())


def batch_size_of(model: str) -> int:
    """Fewer take less time, and make batch normalisation so chaotic that rounding grows to 1e-12 within 20 steps."""
    return 16


def training(model: str, optimizer: str, dtype: Dtype, dropout: float = 0.0) -> TrainSpec:
    rate = None if MODELS[model].dropout is None else dropout
    return TrainSpec(
        epochs=EPOCHS,
        batch_size=batch_size_of(model),
        seed=SEED,
        optimizer=OPTIMIZERS[optimizer],
        dropout=rate,
        dtype=dtype,
    )
