"""The ledger of differences: where the frameworks' own forms part, line by line, and the form in which they agree.

A row is one small question with one input. It is asked twice of every implementation that it is about: of its
framework's `own` form, as a user has it who states nothing, and of the `aligned` one, with everything stated that has
to be. An implementation package answers in its `ledger.py`; the harness asks, compares and writes the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared import randomness

Arrays = dict[str, np.ndarray]
Half = Literal["own", "aligned"]
Answer = Callable[[Mapping[str, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Answers:
    """One implementation's two halves of a row: functions of the row's input."""

    own: Answer
    aligned: Answer


@dataclass(frozen=True)
class LedgerRow:
    """One line. `first` and `second` say what is the own form of the implementations `between`, `aligned` in which form
    they agree: to `aligned_to`, by the relative norm of the difference (0: to the bit).

    `stable` is False where the last digits depend on the processor.
    """

    name: str
    what: str
    first: str
    second: str
    aligned: str
    inputs: Callable[[], Arrays]
    between: tuple[str, str] = ("torch", "keras")
    aligned_to: float = 1e-12
    stable: bool = True


def _values(key: str, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    unit = randomness.uniform(int(np.prod(shape)), "ledger", key)
    return (low + (high - low) * unit).reshape(shape)


def _steps(n: int, low: float, high: float) -> Arrays:
    return {"p": _values("p", 4, low=0.5), "gradients": _values("gradients", n, 4, low=low, high=high)}


def _batches() -> Arrays:
    return {"x": 0.1 * _values("x", 5, 8, 4) + 0.3}


def _image(size: int) -> Arrays:
    return {"x": _values("image", 1, size, size, 1)}


def _dense() -> Arrays:
    return {"x": _values("x", 2, 4), "kernel": _values("kernel", 4, 4)}


def _flat() -> Arrays:
    return {"x": _values("x", 2, 3, 3, 2), "kernel": _values("kernel", 18, 4)}


def _loss() -> Arrays:
    return {"logits": np.array([[0.0, 20.0]]), "labels": np.array([0])}


def _kernel() -> Arrays:
    return {"kernel": _values("kernel", 256, 128), "bias": _values("bias", 128)}


def _product() -> Arrays:
    return {"a": _values("a", 64, 512), "b": _values("b", 512, 64)}


def _epoch() -> Arrays:
    return {"x": _values("x", 6, 4), "kernel": _values("kernel", 4, 3), "labels": np.array([0, 1, 2, 2, 1, 0])}


def _nothing() -> Arrays:
    return {}


ROWS: dict[str, LedgerRow] = {
    row.name: row
    for row in (
        LedgerRow(
            "adam-defaults",
            "Adam, 5 steps with gradients near 1e-7",
            "epsilon 1e-8, added to the root of the corrected second moment",
            "epsilon 1e-7, added to the root of the uncorrected one",
            "the paper's form with epsilon 1e-7; for Keras a small optimizer of our own",
            lambda: _steps(5, 0.5e-7, 1.5e-7),
        ),
        LedgerRow(
            "adam-formula",
            "Adam with the same epsilon of 1e-7, 5 steps with gradients near 1e-7",
            "sqrt(v / (1 - beta2^t)) + epsilon",
            "sqrt(v) + epsilon, and the correction outside (epsilon hat)",
            "the paper's form in both",
            lambda: _steps(5, 0.5e-7, 1.5e-7),
        ),
        LedgerRow(
            "adam-bias-correction",
            "Adam's first step in float32, epsilon 0",
            "1 - beta^t is computed in Python's float64",
            "it is computed in the parameter's float32",
            "computed in float64, then rounded",
            lambda: {**_steps(1, 0.5, 1.5), "p": np.zeros(4)},
            aligned_to=3e-7,
            stable=False,
        ),
        LedgerRow(
            "adam-constants",
            "Adam in float64, epsilon 0, 5 steps",
            "beta1 and beta2 as they were given",
            "beta1 and beta2 rounded to float32 on their way",
            "float64 throughout; for Keras a small optimizer of our own",
            lambda: _steps(5, 0.5, 1.5),
        ),
        LedgerRow(
            "adamw-decay",
            "AdamW, 5 steps",
            "weight decay 0.01",
            "weight decay 0.004",
            "1/128 in both (Keras rounds it to float32), after the paper's Adam",
            lambda: _steps(5, 0.5, 1.5),
        ),
        LedgerRow(
            "adam-weight-decay",
            "Adam with weight_decay=1/8, epsilon 0, 5 steps",
            "the decay is added to the gradient (L2)",
            "the decay is taken off the parameter (decoupled)",
            "PyTorch's AdamW; for Keras a small optimizer of our own with a decay of 1/8",
            lambda: _steps(5, 0.5, 1.5),
        ),
        LedgerRow(
            "l2-regulariser",
            "a step of gradient descent with an L2 penalty of 1/128",
            "weight_decay=1/128 adds w / 128 to the gradient",
            "an L2(1/128) regulariser adds w^2 / 128 to the loss, so w / 64 to the gradient",
            "weight_decay=1/64 in PyTorch",
            lambda: _steps(1, 0.5, 1.5),
        ),
        LedgerRow(
            "sgd-learning-rate",
            "gradient descent, a step with the default learning rate",
            "0.001",
            "0.01",
            "0.01 in both",
            lambda: _steps(1, 0.5, 1.5),
        ),
        LedgerRow(
            "sgd-momentum",
            "momentum 0.9, learning rate 0.1 for 5 steps and 0.001 for 5 more",
            "the velocity is a sum of gradients; each step multiplies it by the rate",
            "the velocity has the old rate in it, and goes on with it",
            "a sum of gradients; for Keras a small optimizer of our own",
            lambda: _steps(10, 0.5, 1.5),
        ),
        LedgerRow(
            "rmsprop",
            "RMSprop, 5 steps",
            "learning rate 0.01, decay 0.99, epsilon 1e-8 outside the root",
            "learning rate 0.001, decay 0.9, epsilon 1e-7 inside the root",
            "0.001 and 0.9 in both, and epsilon 0, so that its place does not matter",
            lambda: _steps(5, 0.5, 1.5),
        ),
        LedgerRow(
            "batchnorm-epsilon",
            "batch normalisation in training: the output",
            "epsilon 1e-5",
            "epsilon 1e-3",
            "1e-3 in all; layers of our own",
            _batches,
        ),
        LedgerRow(
            "batchnorm-momentum",
            "batch normalisation: the moving mean after 5 batches",
            "0.9 of the old and 0.1 of the new one (momentum=0.1)",
            "0.99 of the old and 0.01 of the new one (momentum=0.99)",
            "0.9 and 0.1 in all",
            _batches,
        ),
        LedgerRow(
            "batchnorm-variance",
            "batch normalisation: the moving variance after a batch of 8, both with 0.1 of the new one",
            "of the unbiased variance (n - 1)",
            "of the biased variance (n)",
            "the biased one in all, which is what the batch was normalised by",
            _batches,
        ),
        LedgerRow(
            "batchnorm-fused",
            "batch normalisation: the variance for the moving average of a batch of 8",
            "the biased one (Keras)",
            "the unbiased one (tf.compat.v1.nn.fused_batch_norm)",
            "the biased one in all, from means of our own",
            _batches,
            between=("keras", "tf_lowlevel"),
        ),
        LedgerRow(
            "convolution-same",
            "a convolution with stride 2 that halves the size",
            "padding=1: one row and column on every side",
            "padding='same': one row and column at the bottom and right",
            "the padding stated as a layer of its own",
            lambda: {**_image(8), "kernel": _values("kernel", 3, 3, 1, 1)},
        ),
        LedgerRow(
            "pool-same",
            "max-pooling of 3 x 3 with stride 2 that halves the size",
            "padding=1: -inf on every side",
            "padding='same': -inf at the bottom and right",
            "the padding stated as a layer of its own",
            lambda: _image(8),
        ),
        LedgerRow(
            "pool-odd",
            "max-pooling of 2 x 2 on 7 x 7 pixels",
            "the last row and column are left out: 3 x 3",
            "padding='same' rounds up: 4 x 4",
            "padding='valid'",
            lambda: _image(7),
        ),
        LedgerRow(
            "init-kernel",
            "initial kernel of a dense layer of 256 to 128: standard deviation",
            "uniform up to 1 / sqrt(fan in)",
            "uniform up to sqrt(6 / (fan in + fan out))",
            "the same array for all",
            _kernel,
            aligned_to=0.0,
        ),
        LedgerRow(
            "init-bias",
            "initial bias of the same layer: standard deviation",
            "uniform up to 1 / sqrt(fan in)",
            "0",
            "the same array for all",
            _kernel,
            aligned_to=0.0,
        ),
        LedgerRow(
            "dense-layout",
            "a dense layer with a kernel of 4 x 4 as it is",
            "(out, in)",
            "(in, out)",
            "transposed for PyTorch",
            _dense,
        ),
        LedgerRow(
            "flatten-order",
            "an image of 3 x 3 x 2 flattened, and a dense layer with the transposed kernel",
            "channels, then rows, then columns",
            "rows, then columns, then channels",
            "the kernel's rows permuted for PyTorch",
            _flat,
        ),
        LedgerRow(
            "loss-of-probabilities",
            "cross-entropy of a class whose logit is lower by 20",
            "of logits: 20",
            "of probabilities, clipped at 1e-7: 16.12",
            "from_logits=True",
            _loss,
        ),
        LedgerRow(
            "gradient-of-probabilities",
            "the gradient of that loss by the logits",
            "-1 and 1",
            "0, beyond the clip",
            "from_logits=True",
            _loss,
        ),
        LedgerRow(
            "epoch-loss",
            "the training loss told of an epoch: batches of 4 and 2, gradient descent at a rate of 0.5",
            "a loop has the loss of its last step in hand",
            "fit: the average over the epoch's images, each before the step it was in",
            "that average, in both",
            _epoch,
        ),
        LedgerRow(
            "dropout-streams",
            "dropout at 0.5 of 64 ones, both seeded with 0",
            "its own random numbers",
            "other random numbers",
            "none can be aligned; parity is shown at rate 0, and rate and scaling by statistics",
            lambda: {"x": np.ones((1, 64))},
        ),
        LedgerRow(
            "parameter-count",
            "the parameters counted of batch normalisation with 4 channels",
            "8: moving statistics are buffers",
            "16: count_params() includes them",
            "trainable ones alone, or all by name",
            _nothing,
            aligned_to=0.0,
        ),
        LedgerRow(
            "tf32",
            "whether TF32 may be used, in matrix products and in convolutions",
            "no, yes",
            "yes, yes",
            "no, no",
            _nothing,
            aligned_to=0.0,
        ),
        LedgerRow(
            "rounding",
            "a matrix product of 512 terms",
            "float32, summed in its order",
            "float32, summed in another order",
            "float64",
            _product,
            stable=False,
        ),
    )
}
