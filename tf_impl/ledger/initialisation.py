"""Keras's forms of the rows about initial weights and the random numbers that they are made of."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, ops

from tf_impl.ledger.forms import aligned, both, own


def dense() -> layers.Dense:
    """A dense layer of 256 to 128 with weights of its own."""
    keras.utils.set_random_seed(0)
    layer = layers.Dense(128)
    layer.build((None, 256))
    return layer


@own("init-kernel")
def kernel_spread(kernel: np.ndarray, bias: np.ndarray) -> Any:
    return ops.std(dense().kernel)


@aligned("init-kernel")
def kernel_loaded(kernel: np.ndarray, bias: np.ndarray) -> Any:
    layer = dense()
    layer.set_weights([kernel, bias])
    return layer.kernel


@own("init-bias")
def bias_spread(kernel: np.ndarray, bias: np.ndarray) -> Any:
    return ops.std(dense().bias)


@aligned("init-bias")
def bias_loaded(kernel: np.ndarray, bias: np.ndarray) -> Any:
    layer = dense()
    layer.set_weights([kernel, bias])
    return layer.bias


@own("init-convolution")
def convolution_beyond() -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Conv2D(32, 3)
    layer.build((None, 8, 8, 16))
    return np.mean(abs(np.array(layer.kernel)) > 1 / math.sqrt(9 * 16) + 1e-6)


@aligned("init-convolution")
def convolution_scaled() -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Conv2D(32, 3, kernel_initializer=initializers.VarianceScaling(1 / 3, "fan_in", "uniform"))
    layer.build((None, 8, 8, 16))
    return np.mean(abs(np.array(layer.kernel)) > 1 / math.sqrt(9 * 16) + 1e-6)


@own("init-depthwise")
def depthwise_spread(kernel: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.DepthwiseConv2D(3, depthwise_initializer="he_normal")
    layer.build((None, 8, 8, 64))
    return ops.std(layer.kernel)


@aligned("init-depthwise")
def depthwise_loaded(kernel: np.ndarray) -> Any:
    layer = layers.DepthwiseConv2D(3, use_bias=False)
    layer.build((None, 8, 8, 64))
    layer.set_weights([kernel])
    return layer.kernel


@both("init-he-normal")
def he_normal() -> Any:
    keras.utils.set_random_seed(0)
    weight = np.array(initializers.HeNormal()((256, 128)))
    return np.mean(abs(weight) > 2.5 * math.sqrt(2 / 256))


@both("init-truncated-normal")
def truncated_normal() -> Any:
    keras.utils.set_random_seed(0)
    weight = np.array(initializers.TruncatedNormal(stddev=0.02)((256, 128)))
    return np.mean(abs(weight) > 0.04)


@both("init-normal")
def normal() -> Any:
    keras.utils.set_random_seed(0)
    weight = np.array(initializers.RandomNormal()((256, 128)))
    return np.mean(abs(weight) > 0.3)


@both("init-uniform")
def uniform() -> Any:
    keras.utils.set_random_seed(0)
    weight = np.array(initializers.RandomUniform()((256, 128)))
    return np.mean(abs(weight) > 0.05)


@both("init-orthogonal")
def orthogonal() -> Any:
    keras.utils.set_random_seed(0)
    columns = ops.reshape(initializers.Orthogonal()((3, 3, 4, 8)), (36, 8))
    return ops.matmul(ops.transpose(columns), columns)


@own("init-seed-reused")
def seeded() -> Any:
    initializer = initializers.GlorotUniform(seed=0)
    first, second = np.array(initializer((16, 16))), np.array(initializer((16, 16)))
    return np.mean(first == second)


@aligned("init-seed-reused")
def seeded_by_generator() -> Any:
    initializer = initializers.GlorotUniform(seed=keras.random.SeedGenerator(0))
    first, second = np.array(initializer((16, 16))), np.array(initializer((16, 16)))
    return np.mean(first == second)


@own("random-streams")
def numbers() -> Any:
    keras.utils.set_random_seed(0)
    return keras.random.uniform((8,))


@aligned("random-streams")
def numbers_of_numpy() -> Any:
    return tf.constant(np.random.default_rng(0).random(8))


@both("random-seeds")
def seeded_everywhere() -> Any:
    keras.utils.set_random_seed(0)
    first = np.random.rand()
    keras.utils.set_random_seed(0)
    return np.array(np.random.rand() == first)
