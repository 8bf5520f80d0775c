"""Keras's forms of the rows about penalties and dropout."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops, optimizers, regularizers

from tf_impl.ledger.forms import aligned, both, own


@both("l2-regulariser")
def penalty(p: np.ndarray, gradient: np.ndarray) -> Any:
    variable = keras.Variable(p)
    with tf.GradientTape() as tape:
        loss = ops.sum(variable * gradient) + regularizers.L2(1 / 128)(variable)
    optimizers.SGD(0.1).apply(tape.gradient(loss, [variable.value]), [variable])
    return variable


@both("l2-of-biases")
def spared_bias(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Any:
    layer = layers.Dense(4, kernel_regularizer=regularizers.L2(1 / 16))
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    with tf.GradientTape() as tape:
        loss = ops.mean(layer(x)) + sum(layer.losses)
    weights = layer.trainable_variables
    optimizers.SGD(1.0).apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
    return layer.bias


@both("l2-in-the-loss")
def evaluated(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Any:
    layer = layers.Dense(4, kernel_regularizer=regularizers.L2(1 / 16))
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.set_weights([kernel, bias])
    model.compile(loss="mse")
    return np.array(model.evaluate(x, np.zeros((6, 4)), verbose=0))


@both("activity-regulariser")
def activity(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Any:
    layer = layers.Dense(4, activity_regularizer=regularizers.L2(1 / 8))
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    layer(x)
    return layer.losses[0]


@own("dropout-streams")
def dropped(x: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    return layers.Dropout(0.5)(x, training=True)


@aligned("dropout-streams")
def not_dropped(x: np.ndarray) -> Any:
    return layers.Dropout(0.0)(x, training=True)


@both("dropout-called")
def called(x: np.ndarray) -> Any:
    return layers.Dropout(0.5)(x)


@both("dropout-scaling")
def scaled(x: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    return ops.max(layers.Dropout(0.25)(x, training=True))


@own("dropout-channels")
def dropped_values(x: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    outputs = np.array(layers.Dropout(0.5)(x, training=True))
    zeros = (outputs == 0).mean((1, 2))
    return np.mean((zeros > 0) & (zeros < 1))


@aligned("dropout-channels")
def dropped_channels(x: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    outputs = np.array(layers.SpatialDropout2D(0.5)(x, training=True))
    zeros = (outputs == 0).mean((1, 2))
    return np.mean((zeros > 0) & (zeros < 1))
