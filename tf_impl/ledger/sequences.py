"""Keras's forms of the rows about recurrent layers and padded sequences."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@both("lstm-gates", "lstm-batch-first")
def lstm_outputs(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.LSTM(4, use_bias=False, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    return layer(x)


@both("lstm-biases")
def lstm_outputs_with_bias(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Any:
    layer = layers.LSTM(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent, bias])
    return layer(x)


@both("lstm-parameters")
def lstm_parameters() -> np.ndarray:
    layer = layers.LSTM(4)
    layer.build((None, None, 3))
    return np.array(layer.count_params())


@both("lstm-forget-bias")
def lstm_bias() -> Any:
    layer = layers.LSTM(4)
    layer.build((None, None, 3))
    return ops.sum(ops.reshape(layer.cell.bias, (4, 4)), 1)


@both("lstm-recurrent-initialiser")
def lstm_recurrent_kernel() -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.LSTM(16)
    layer.build((None, None, 3))
    return ops.svd(layer.cell.recurrent_kernel, compute_uv=False)


@own("lstm-kernel-initialiser")
def lstm_kernel(kernel: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.LSTM(16)
    layer.build((None, None, 256))
    return ops.std(layer.cell.kernel)


@aligned("lstm-kernel-initialiser")
def lstm_kernel_from_an_array(kernel: np.ndarray) -> Any:
    layer = layers.LSTM(16)
    layer.build((None, None, 256))
    layer.cell.kernel.assign(kernel)
    return ops.std(layer.cell.kernel)


@both("lstm-output")
def lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.LSTM(4, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    return layer(x)


@both("lstm-state")
def lstm_state(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.LSTM(4, use_bias=False, return_state=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    _, h, _ = layer(x)
    return h


@own("lstm-backwards")
def lstm_backwards(
    x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, kernel_back: np.ndarray, recurrent_back: np.ndarray
) -> Any:
    layer = layers.LSTM(4, use_bias=False, return_sequences=True, go_backwards=True)
    layer.build(x.shape)
    layer.set_weights([kernel_back, recurrent_back])
    return layer(x)


@aligned("lstm-backwards")
def lstm_backwards_in_the_order_of_time(
    x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, kernel_back: np.ndarray, recurrent_back: np.ndarray
) -> Any:
    layer = layers.LSTM(4, use_bias=False, return_sequences=True, go_backwards=True)
    layer.build(x.shape)
    layer.set_weights([kernel_back, recurrent_back])
    return ops.flip(layer(x), axis=1)


@both("bidirectional-merge")
def lstm_both_ways(
    x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, kernel_back: np.ndarray, recurrent_back: np.ndarray
) -> Any:
    layer = layers.Bidirectional(layers.LSTM(4, use_bias=False, return_sequences=True))
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent, kernel_back, recurrent_back])
    return layer(x)


@both("bidirectional-last")
def lstm_both_ways_last(
    x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, kernel_back: np.ndarray, recurrent_back: np.ndarray
) -> Any:
    layer = layers.Bidirectional(layers.LSTM(4, use_bias=False))
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent, kernel_back, recurrent_back])
    return layer(x)


@both("lstm-padding")
def lstm_of_masked_tokens(tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    embedding = layers.Embedding(6, 3, mask_zero=True, weights=table)
    layer = layers.LSTM(4, use_bias=False)
    layer.build((None, None, 3))
    layer.set_weights([kernel, recurrent])
    return layer(embedding(tokens))


@own("lstm-padded-outputs")
def lstm_outputs_of_masked_tokens(
    tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray
) -> Any:
    embedding = layers.Embedding(6, 3, mask_zero=True, weights=table)
    layer = layers.LSTM(4, use_bias=False, return_sequences=True)
    layer.build((None, None, 3))
    layer.set_weights([kernel, recurrent])
    return layer(embedding(tokens))


@aligned("lstm-padded-outputs")
def lstm_outputs_with_zeros_for_masked_tokens(
    tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray
) -> Any:
    embedding = layers.Embedding(6, 3, mask_zero=True, weights=table)
    layer = layers.LSTM(4, use_bias=False, return_sequences=True, zero_output_for_mask=True)
    layer.build((None, None, 3))
    layer.set_weights([kernel, recurrent])
    return layer(embedding(tokens))


@own("pad-sequences")
def padded(tokens: np.ndarray) -> Any:
    return keras.utils.pad_sequences([tokens[:3], tokens[3:]])


@aligned("pad-sequences")
def padded_behind(tokens: np.ndarray) -> Any:
    return keras.utils.pad_sequences([tokens[:3], tokens[3:]], padding="post")


@both("lstm-dropout")
def lstm_dropout_varies(x: np.ndarray) -> np.ndarray:
    keras.utils.set_random_seed(0)
    layer = layers.LSTM(4, dropout=0.5)
    first, second = layer(x, training=True), layer(x, training=True)
    return np.array(not np.array_equal(first, second))


@both("rnn-dropout-steps")
def dropped_features(x: np.ndarray) -> np.ndarray:
    keras.utils.set_random_seed(0)
    layer = layers.SimpleRNN(
        8,
        activation=None,
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        dropout=0.5,
        return_sequences=True,
    )
    dropped = layer(x, training=True)
    return np.array(np.array_equal(dropped[:, :-1], dropped[:, 1:]))


@both("gru-gates")
def gru(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.GRU(4, use_bias=False, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    return layer(x)


@both("gru-biases")
def gru_with_biases(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Any:
    layer = layers.GRU(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent, bias])
    return layer(x)


@both("gru-reset")
def gru_that_resets_first(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.GRU(4, use_bias=False, return_sequences=True, reset_after=False)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    return layer(x)


@both("simple-rnn")
def simple_rnn(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Any:
    layer = layers.SimpleRNN(4, use_bias=False, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent])
    return layer(x)


@both("dense-on-sequences")
def dense(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Dense(4, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)
