"""Keras's forms of the rows about layers that normalise."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@both("batchnorm-epsilon")
def batchnorm(x: np.ndarray) -> Any:
    return layers.BatchNormalization()(x[0], training=True)


@own("batchnorm-momentum")
def moving_mean(x: np.ndarray) -> Any:
    layer = layers.BatchNormalization()
    for batch in x:
        layer(batch, training=True)
    return layer.moving_mean


@aligned("batchnorm-momentum")
@both("batchnorm-momentum-copied")
def moving_mean_with_momentum(x: np.ndarray) -> Any:
    layer = layers.BatchNormalization(momentum=0.9)
    for batch in x:
        layer(batch, training=True)
    return layer.moving_mean


@both("batchnorm-variance")
def moving_variance(x: np.ndarray) -> Any:
    layer = layers.BatchNormalization(momentum=0.9)
    layer(x[0], training=True)
    return layer.moving_variance


@both("batchnorm-fused")
def variance_of_batch(x: np.ndarray) -> Any:
    layer = layers.BatchNormalization(momentum=0.0)  # keep nothing of the old variance
    layer(x[0], training=True)
    return layer.moving_variance


@both("batchnorm-called")
def new_batchnorm(x: np.ndarray) -> Any:
    return layers.BatchNormalization()(x)


@both("batchnorm-one")
def batchnorm_of_one(x: np.ndarray) -> Any:
    return layers.BatchNormalization(beta_initializer="ones")(x, training=True)


@both("batchnorm-sequence")
def batchnorm_in_training(x: np.ndarray) -> Any:
    return layers.BatchNormalization()(x, training=True)


@both("batchnorm-frozen")
def frozen_batchnorm(x: np.ndarray) -> Any:
    layer = layers.BatchNormalization()
    layer.trainable = False
    return layer(x, training=True)


@both("batchnorm-accumulation")
def moving_mean_of_accumulated_step(x: np.ndarray) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(momentum=0.9)])
    model.compile(keras.optimizers.SGD(0.01, gradient_accumulation_steps=4), "mse", run_eagerly=True)
    model.fit(x, x, batch_size=2, shuffle=False, verbose=0)
    return model.layers[0].moving_mean


@both("layernorm-epsilon", "layernorm-axes")
def layernorm(x: np.ndarray) -> Any:
    return layers.LayerNormalization()(x)


@both("groupnorm-epsilon")
def groupnorm(x: np.ndarray) -> Any:
    return layers.GroupNormalization(groups=2)(x)


@both("groupnorm-groups")
def groupnorm_by_default(x: np.ndarray) -> Any:
    return layers.GroupNormalization()(x)


@both("instancenorm-epsilon")
def instancenorm(x: np.ndarray) -> Any:
    return layers.GroupNormalization(groups=-1)(x)


@both("instancenorm-parameters")
def parameters_of_instancenorm() -> Any:
    layer = layers.GroupNormalization(groups=-1)
    layer.build((None, 4, 4, 8))
    return layer.count_params()


@both("rmsnorm-epsilon")
def rmsnorm(x: np.ndarray) -> Any:
    return layers.RMSNormalization()(x)


@own("unit-length")
def unit_length(x: np.ndarray) -> Any:
    return ops.normalize(x)


@aligned("unit-length")
def unit_length_with_epsilon(x: np.ndarray) -> Any:
    return ops.normalize(x, epsilon=1e-12)


@own("local-response-alpha")
def local_response(x: np.ndarray) -> Any:
    return tf.nn.local_response_normalization(x, depth_radius=2, bias=1.0, alpha=0.625, beta=0.75)


@aligned("local-response-alpha")
def local_response_with_divided_alpha(x: np.ndarray) -> Any:
    return tf.nn.local_response_normalization(x, depth_radius=2, bias=1.0, alpha=0.125, beta=0.75)


@own("input-normalisation")
def normalised_image(x: np.ndarray) -> Any:
    return layers.Normalization(mean=0.5, variance=0.25)(x)


@aligned("input-normalisation")
def normalised_image_by_variance(x: np.ndarray) -> Any:
    return layers.Normalization(mean=0.5, variance=0.25**2)(x)


@both("standard-deviation")
def deviation(x: np.ndarray) -> Any:
    return ops.std(x)
