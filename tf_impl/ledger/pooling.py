"""Keras's forms of the rows about pooling."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@both("pool-same", "pool-ceil")
def max_pool_with_same(x: np.ndarray) -> Any:
    return layers.MaxPooling2D(3, strides=2, padding="same")(x)


@both("pool-odd")
def max_pool(x: np.ndarray) -> Any:
    return layers.MaxPooling2D(2)(x)


@own("pool-indices")
def indices_of_maxima(x: np.ndarray) -> Any:
    _, indices = tf.nn.max_pool_with_argmax(x, ksize=2, strides=2, padding="VALID")
    return indices


@aligned("pool-indices")
def indices_of_maxima_within_channel(x: np.ndarray) -> Any:
    _, indices = tf.nn.max_pool_with_argmax(x, ksize=2, strides=2, padding="VALID")
    return indices // x.shape[-1]


@own("pool-nan")
def nans_after_max_pool(x: np.ndarray) -> Any:
    logarithms = ops.log(x)
    return ops.sum(ops.isnan(layers.MaxPooling2D(2)(logarithms)))


@aligned("pool-nan")
def nans_after_maximum(x: np.ndarray) -> Any:
    logarithms = ops.reshape(ops.log(x), (1, 1, 2, 2, 2, 1))  # images, rows, 2, columns, 2, channels
    return ops.sum(ops.isnan(ops.max(logarithms, axis=(2, 4))))


@both("average-pool-border")
def average_pool_of_same_size(x: np.ndarray) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same")(x)


@both("average-pool-same")
def average_pool_with_same(x: np.ndarray) -> Any:
    return layers.AveragePooling2D(3, strides=2, padding="same")(x)


@both("adaptive-pool")
def adaptive_average_pool(x: np.ndarray) -> Any:
    return layers.AdaptiveAveragePooling2D(3)(x)


@own("global-pool-shape")
def global_average_pool(x: np.ndarray) -> Any:
    return layers.GlobalAveragePooling2D()(x)


@aligned("global-pool-shape")
def global_average_pool_with_axes(x: np.ndarray) -> Any:
    return layers.GlobalAveragePooling2D(keepdims=True)(x)
