"""The losses of every task (shared/task.py): each is the mean over the batch and the outputs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from shared.choices import LossName

LOSSES: dict[LossName, Callable[[], keras.losses.Loss]] = {
    "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "binary_cross_entropy": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
}


OF_EACH: dict[LossName, Callable[[Any, Any], Any]] = {  # a table, because TensorFlow cannot trace a `match`
    "cross_entropy": partial(keras.ops.sparse_categorical_crossentropy, from_logits=True),
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "binary_cross_entropy": partial(keras.losses.binary_crossentropy, from_logits=True),
}


def of_each_image(loss: LossName, labels: Any, outputs: Any) -> Any:
    """Return the loss of each image (N,), before any strategy divides it."""
    return OF_EACH[loss](labels, outputs)
