"""Keras's forms of the rows about the order of axes and elements."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@both("dense-layout", "dense-axis")
def dense(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Dense(4, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("flatten-order")
def dense_of_flattened(x: np.ndarray, kernel: np.ndarray) -> Any:
    flat = layers.Flatten()(x)
    layer = layers.Dense(4, use_bias=False)
    layer.build(flat.shape)
    layer.set_weights([kernel])
    return layer(flat)


@both("flatten-batch")
def flattened(x: np.ndarray) -> Any:
    return layers.Flatten()(x)


@both("reshape-order")
def reshaped(x: np.ndarray) -> Any:
    return layers.Reshape((3, 3, 2))(x)


@both("reshape-image")
def image(x: np.ndarray) -> Any:
    return x


@both("pixel-shuffle")
def space_of_depth(x: np.ndarray) -> Any:
    return ops.depth_to_space(x, 2)


@both("patches-order")
def patches(x: np.ndarray) -> Any:
    return ops.reshape(ops.image.extract_patches(x, 2), (1, 4, 8))


@both("concat-axis")
def concatenated(x: np.ndarray) -> Any:
    return layers.Concatenate()([x, x])


@own("argmax-axis")
def index_of_maximum(x: np.ndarray) -> Any:
    return tf.argmax(x)


@aligned("argmax-axis")
def index_of_maximum_in_row(x: np.ndarray) -> Any:
    return tf.argmax(x, axis=-1)


@both("repeat-order")
def repeated(x: np.ndarray) -> Any:
    return ops.repeat(x, 2)


@both("split-meaning")
def first_of_split(x: np.ndarray) -> Any:
    return ops.split(x, 2)[0]


@both("gather-meaning")
def gathered(x: np.ndarray, indices: np.ndarray) -> Any:
    return tf.gather(x, indices)
