"""The training of the networks in the conformance tests."""

import math
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from compare.conformance.reference import Arrays
from compare.conformance.steps import AdamSteps, MomentumSteps
from shared import randomness
from shared.choices import Dtype
from shared.data import N_CLASSES, Data, DataSpec, load
from shared.models import MODELS, ModelSpec
from shared.training import SGD, Adam, TrainSpec

# Only these first steps are done, while the rate rises. At the full rate batch normalisation makes training
# chaotic: a change of 1 ulp in the initial weights becomes 1e-11 in 20 steps (docs/decisions.md), which would hide
# the errors that these tests search for. The falling rate is tested in tests/compare/worker/test_service.py.
EPOCHS = 10
SEED = 5
N_IMAGES = 12  # for activations and logits
OPTIMIZERS = {"adam": Adam(), "sgd": SGD()}
# Their constants are repeated here: no default is shared with the code under test.
REFERENCE: dict[str, Callable[[Arrays], AdamSteps | MomentumSteps]] = {
    "adam": partial(AdamSteps, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7),
    "sgd": partial(MomentumSteps, lr=0.01, momentum=0.9),
}


def n_steps(model: str, optimizer: str) -> int:
    """Return 20 steps for Adam and 5 for SGD, whose form shows in the second. The network with the slowest steps gets a
    third as many, but at least 3."""
    steps = {"adam": 20, "sgd": 5}[optimizer]
    return max(3, steps // 3) if model == "cnn_bn_cifar" else steps


@cache
def images_for(model: str) -> Data:
    """Return images in the shape that `model` takes, with labels of its classes: real ones if available."""
    spec = MODELS[model]
    real: dict[tuple[int, ...], str] = {(28, 28, 1): "digits", (32, 32, 3): "photographs"}
    known = real.get(spec.input_shape)
    if known and spec.n_classes == N_CLASSES:
        return load(DataSpec(dataset=known), Path())
    return made_up(spec)


def made_up(spec: ModelSpec) -> Data:
    """Return images like photographs: nowhere plain, with detail of every size, and brighter for higher classes."""
    parts: dict[str, Any] = {}
    for part, n in (("train", 400), ("test", 120)):
        labels = randomness.permutation(n, "made up", part, spec.name) % spec.n_classes
        images = np.zeros((n, *spec.input_shape), np.float32)
        for size in (1, 4, 16):  # of a patch of one brightness
            height, width, channels = spec.input_shape
            coarse = (n, -(-height // size), -(-width // size), channels)
            drawn = randomness.uniform(math.prod(coarse), "made up", part, spec.name, size).reshape(coarse)
            images += drawn.repeat(size, 1).repeat(size, 2)[:, :height, :width] / 3
        bright = (1 + labels / spec.n_classes)[:, None, None, None] / 2
        parts |= {f"x_{part}": (images * bright).astype(np.float32), f"y_{part}": labels.astype(np.int64)}
    return Data(**parts)


def batch_size_of(model: str) -> int:
    """Return the batch size. Half as many take half the time, but make batch normalisation so chaotic that rounding
    grows to 1e-12 within 20 steps."""
    return 16 if MODELS[model].normalises else 8


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
