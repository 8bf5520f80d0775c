"""Keras's forms of the rows about embeddings."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from keras.constraints import MaxNorm

from tf_impl.ledger.forms import aligned, both, own


@both("embedding-layout")
def embedded(tokens: np.ndarray, table: np.ndarray) -> Any:
    return layers.Embedding(6, 3, weights=table)(tokens)


@own("embedding-initialiser")
def initial_table(table: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Embedding(1000, 64)
    layer.build()
    return ops.std(layer.embeddings)


@aligned("embedding-initialiser")
def table_from_an_array(table: np.ndarray) -> Any:
    return ops.std(layers.Embedding(1000, 64, weights=table).embeddings)


@both("embedding-padding")
def gradient_with_mask(tokens: np.ndarray, table: np.ndarray) -> Any:
    layer = layers.Embedding(6, 3, mask_zero=True, weights=table)
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(layer(tokens)))
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    return tf.convert_to_tensor(gradient)


@own("embedding-padding-row")
def initial_vector_of_padding() -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Embedding(6, 3, mask_zero=True)
    layer.build()
    return ops.norm(layer.embeddings[0])


@aligned("embedding-padding-row")
def initial_vector_of_padding_set_to_zeros() -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Embedding(6, 3, mask_zero=True)
    layer.build()
    layer.embeddings.assign(ops.slice_update(layer.embeddings, (0, 0), ops.zeros((1, 3))))
    return ops.norm(layer.embeddings[0])


@both("embedding-mask-mean")
def mean_of_unmasked_steps(tokens: np.ndarray, table: np.ndarray) -> Any:
    layer = layers.Embedding(6, 3, mask_zero=True, weights=table)
    return layers.GlobalAveragePooling1D()(layer(tokens))


@own("embedding-max-norm")
def embedded_with_max_norm(tokens: np.ndarray, table: np.ndarray) -> Any:
    return layers.Embedding(6, 3, embeddings_constraint=MaxNorm(1.0), weights=table)(tokens)


@aligned("embedding-max-norm")
def embedded_from_a_limited_table(tokens: np.ndarray, table: np.ndarray) -> Any:
    limit = MaxNorm(1.0, axis=1)
    return layers.Embedding(6, 3, embeddings_constraint=limit, weights=limit(table))(tokens)
