"""Keras's forms of the rows about attention."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


def attention(x: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, o: np.ndarray) -> Any:
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([q, k, v, o])
    return layer


@own("attention-key-dim")
def attention_parameters() -> np.ndarray:
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=8)
    layer.build((None, None, 8), (None, None, 8))
    return np.array(layer.count_params())


@aligned("attention-key-dim")
def attention_parameters_of_smaller_heads() -> np.ndarray:
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    layer.build((None, None, 8), (None, None, 8))
    return np.array(layer.count_params())


@both("attention-projections", "attention-batch-first")
def self_attention(x: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(x, **kernels)
    return layer(x, x)


@both("attention-mask")
def attention_with_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(x, **kernels)
    return layer(x, x, key_mask=mask)


@both("attention-mask-function")
def attention_function_with_mask(query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray) -> Any:
    q, k, v = query[:, :, None], key[:, :, None], value[:, :, None]
    return ops.dot_product_attention(q, k, v, mask=mask[None])[:, :, 0]


@own("attention-additive-mask")
def attention_with_additive_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(x, **kernels)
    return layer(x, x, attention_mask=mask[None])


@aligned("attention-additive-mask")
def attention_with_boolean_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(x, **kernels)
    return layer(x, x, attention_mask=mask[None] == 0)


@both("attention-all-masked")
def attention_to_padding_alone(x: np.ndarray) -> Any:
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    output = layer(x, x, key_mask=np.array([[False, False, False]]))
    return ops.sum(ops.isnan(output))


@both("attention-causal")
def causal_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> Any:
    q, k, v = query[:, :, None], key[:, :, None], value[:, :, None]
    return ops.dot_product_attention(q, k, v, is_causal=True)[:, :, 0]


@both("attention-scale")
def dot_product_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> Any:
    return layers.Attention()([query, value, key])


@own("attention-arguments")
def attention_by_position(query: np.ndarray, key: np.ndarray, value: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(query, **kernels)
    return layer(query, key, value)


@aligned("attention-arguments")
def attention_by_name(query: np.ndarray, key: np.ndarray, value: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(query, **kernels)
    return layer(query, key=key, value=value)


@both("attention-scores")
def attention_weights(x: np.ndarray, **kernels: np.ndarray) -> Any:
    layer = attention(x, **kernels)
    _, scores = layer(x, x, return_attention_scores=True)
    return scores


@both("attention-scores-dropout")
def attention_weights_in_training(x: np.ndarray) -> np.ndarray:
    keras.utils.set_random_seed(0)
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.5)
    _, scores = layer(x, x, return_attention_scores=True, training=True)
    return np.array(np.allclose(ops.sum(scores, -1), 1))


@own("attention-initialiser")
def query_kernel(kernel: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.MultiHeadAttention(num_heads=4, key_dim=16)
    layer.build((None, None, 64), (None, None, 64))
    return ops.std(layer.query_dense.kernel)


@aligned("attention-initialiser")
def query_kernel_from_an_array(kernel: np.ndarray) -> Any:
    layer = layers.MultiHeadAttention(num_heads=4, key_dim=16)
    layer.build((None, None, 64), (None, None, 64))
    layer.query_dense.kernel.assign(kernel)
    return ops.std(layer.query_dense.kernel)
