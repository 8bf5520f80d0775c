"""The losses of every task (shared/task.py), each the mean over the batch and over the outputs."""

from collections.abc import Callable
from typing import Any

import keras

from shared.choices import LossName

LOSSES: dict[LossName, Callable[[], keras.losses.Loss]] = {
    "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "binary_cross_entropy": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
}


def of_each_image(loss: LossName, labels: Any, outputs: Any) -> Any:
    """The loss of each image (N,), of which no strategy has taken a part yet."""
    match loss:
        case "cross_entropy":
            return keras.ops.sparse_categorical_crossentropy(labels, outputs, from_logits=True)
        case "mse":
            return keras.losses.mean_squared_error(labels, outputs)
        case "mae":
            return keras.losses.mean_absolute_error(labels, outputs)
        case "binary_cross_entropy":
            return keras.losses.binary_crossentropy(labels, outputs, from_logits=True)
