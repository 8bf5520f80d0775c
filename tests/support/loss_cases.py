# a case is a line
"""Read the losses of one framework, and compare their records, evaluated in NumPy: `loss_cases.py torch|keras`.

It prints one line of JSON. Each case has the kind that was read, and the distances of the value and of the gradient.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from compare.graphs.losses import LossRecord, value_and_gradient

RNG = np.random.default_rng(4)
Z = RNG.normal(size=(6, 4))  # logits or values
IMAGE = RNG.normal(size=(2, 4, 3, 5))  # channels first
P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
S = 1 / (1 + np.exp(-Z))
CLASSES = np.array([0, 3, 1, 1, 2, 3])
PLACES = RNG.integers(0, 4, size=(2, 3, 5))
SHARES = RNG.dirichlet(np.ones(4), 6)
BITS = (RNG.random((6, 4)) > 0.5).astype(np.float64)
WEIGHTS = (1.0, 2.0, 0.5, 3.0)


def torch_cases() -> Iterator[tuple[str, Any, np.ndarray, np.ndarray]]:
    import torch
    from torch import nn

    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    for reduction in ("mean", "sum"):
        yield f"ce {reduction}", nn.CrossEntropyLoss(reduction=reduction), Z, CLASSES
        yield f"ce image {reduction}", nn.CrossEntropyLoss(reduction=reduction), IMAGE, PLACES
        yield f"ce smooth {reduction}", nn.CrossEntropyLoss(label_smoothing=0.1, reduction=reduction), Z, CLASSES
        yield f"ce shares {reduction}", nn.CrossEntropyLoss(reduction=reduction), Z, SHARES
        yield f"ce weights {reduction}", nn.CrossEntropyLoss(weights, reduction=reduction), Z, CLASSES
        yield f"ce ignore {reduction}", nn.CrossEntropyLoss(ignore_index=1, reduction=reduction), Z, CLASSES
        yield (
            f"ce all {reduction}",
            nn.CrossEntropyLoss(weights, ignore_index=3, label_smoothing=0.2, reduction=reduction),
            Z,
            CLASSES,
        )
        yield f"nll {reduction}", nn.NLLLoss(weights, reduction=reduction), np.log(P), CLASSES
        yield f"bce {reduction}", nn.BCELoss(reduction=reduction), S, BITS
        yield f"bce logits {reduction}", nn.BCEWithLogitsLoss(reduction=reduction), Z, BITS
        yield f"bce positive {reduction}", nn.BCEWithLogitsLoss(pos_weight=weights, reduction=reduction), Z, BITS
        yield f"mse {reduction}", nn.MSELoss(reduction=reduction), Z, BITS
        yield f"mae {reduction}", nn.L1Loss(reduction=reduction), Z, BITS
        yield f"huber {reduction}", nn.HuberLoss(delta=0.7, reduction=reduction), Z, BITS
        yield f"smooth l1 {reduction}", nn.SmoothL1Loss(beta=0.3, reduction=reduction), Z, BITS
        yield f"kl {reduction}", nn.KLDivLoss(reduction=reduction), np.log(P), SHARES
        yield f"poisson {reduction}", nn.PoissonNLLLoss(reduction=reduction), Z, BITS
        yield f"poisson values {reduction}", nn.PoissonNLLLoss(log_input=False, reduction=reduction), S, BITS
    yield "kl batchmean", nn.KLDivLoss(reduction="batchmean"), np.log(P), SHARES


def of_torch(loss: Any, outputs: np.ndarray, targets: np.ndarray) -> tuple[LossRecord | None, float, np.ndarray]:
    import torch

    from compare.adapters.torch_losses import LossWatch

    z = torch.tensor(outputs, requires_grad=True)
    with LossWatch() as seen:
        value = loss(z, torch.tensor(targets))
    (slope,) = torch.autograd.grad(value, z)
    return seen.record, float(value.detach()), slope.numpy()


def keras_cases() -> Iterator[tuple[str, Any, np.ndarray, np.ndarray]]:
    import keras

    made = keras.losses
    for reduction in ("sum_over_batch_size", "sum"):
        r = {"reduction": reduction}
        yield f"sparse {reduction}", made.SparseCategoricalCrossentropy(**r), P, CLASSES
        yield f"sparse of no probabilities {reduction}", made.SparseCategoricalCrossentropy(**r), S, CLASSES
        yield f"sparse of logits {reduction}", made.SparseCategoricalCrossentropy(from_logits=True, **r), Z, CLASSES
        yield (
            f"sparse ignoring {reduction}",
            made.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1, **r),
            Z,
            CLASSES,
        )
        yield f"categorical {reduction}", made.CategoricalCrossentropy(**r), P, SHARES
        yield f"categorical of no probabilities {reduction}", made.CategoricalCrossentropy(**r), S, SHARES
        yield (
            f"categorical of logits {reduction}",
            made.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, **r),
            Z,
            SHARES,
        )
        yield f"binary {reduction}", made.BinaryCrossentropy(**r), S, BITS
        yield (
            f"binary of logits {reduction}",
            made.BinaryCrossentropy(from_logits=True, label_smoothing=0.2, **r),
            Z,
            BITS,
        )
        yield f"mse {reduction}", made.MeanSquaredError(**r), Z, BITS
        yield f"mae {reduction}", made.MeanAbsoluteError(**r), Z, BITS
        yield f"huber {reduction}", made.Huber(delta=0.7, **r), Z, BITS
        yield f"kl {reduction}", made.KLDivergence(**r), P, SHARES
        yield f"poisson {reduction}", made.Poisson(**r), S, BITS
        yield f"log cosh {reduction}", made.LogCosh(**r), Z, BITS
        yield f"hinge {reduction}", made.Hinge(**r), Z, BITS
        yield f"squared hinge {reduction}", made.SquaredHinge(**r), Z, BITS
    yield "function", made.mean_squared_error, Z, BITS


def of_keras(loss: Any, outputs: np.ndarray, targets: np.ndarray) -> tuple[LossRecord | None, float, np.ndarray]:
    import tensorflow as tf

    from compare.adapters import keras_losses

    z = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = keras_losses.computed(loss, tf.constant(targets), z, True)
    slope = tape.gradient(value, z)
    return keras_losses.record_of(loss, 1, False), float(value), slope.numpy()


def main(framework: str) -> None:
    if framework == "keras":
        import keras

        keras.config.set_floatx("float64")
    cases, given = (torch_cases, of_torch) if framework == "torch" else (keras_cases, of_keras)
    answers = {}
    for name, loss, outputs, targets in cases():
        record, value, slope = given(loss, outputs, targets)
        assert record is not None, name
        back = LossRecord.of_body(json.loads(json.dumps(record.body())))
        found, gradient = value_and_gradient(back, outputs, targets)
        gap = [abs(found - value) / abs(value), float(np.abs(gradient - slope).max() / np.abs(slope).max())]
        answers[name] = [record.kind, *gap]
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])
