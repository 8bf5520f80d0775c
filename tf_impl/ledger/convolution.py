"""Keras's forms of the rows about convolutions."""

from typing import Any

import numpy as np
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@both("convolution-same", "convolution-same-stride")
def convolution_with_same_and_stride(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv(x, kernel, strides=2, padding="same")


@both("convolution-same-even")
def convolution_with_same(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv(x, kernel, padding="same")


@both("convolution-same-dilated")
def dilated_convolution_with_same(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv(x, kernel, padding="same", dilation_rate=2)


@own("convolution-dilated-stride")
def dilated_convolution_with_stride(x: np.ndarray, kernel: np.ndarray) -> Any:
    try:
        return ops.conv(x, kernel, strides=2, dilation_rate=2)
    except ValueError:  # `strides > 1` not supported in conjunction with `dilation_rate > 1`
        return np.empty(0)


@aligned("convolution-dilated-stride")
def dilated_convolution_then_every_second(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv(x, kernel, dilation_rate=2)[:, ::2, ::2]


@both("convolution-layout")
def convolution(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Conv2D(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("convolution-grouped")
def grouped_convolution(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Conv2D(6, 3, groups=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("depthwise-layout")
def depthwise_convolution(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("separable-bias")
def parameters_of_separable_convolution() -> Any:
    layer = layers.SeparableConv2D(8, 3)
    layer.build((None, 8, 8, 4))
    return layer.count_params()


@both("convolution-causal")
def causal_convolution(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Conv1D(2, 3, padding="causal", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("convolution-steps")
def convolution_of_sequences(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Conv1D(4, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@own("transposed-size")
@both("transposed-same")
def transposed_convolution(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv_transpose(x, kernel, strides=2, padding="same")


@aligned("transposed-size")
def transposed_convolution_with_output_padding(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv_transpose(x, kernel, strides=2, padding="same", output_padding=0)


@both("transposed-gap")
def transposed_convolution_with_wide_stride(x: np.ndarray, kernel: np.ndarray) -> Any:
    return ops.conv_transpose(x, kernel, strides=3, padding="valid")


@both("transposed-layout")
def transposed_convolution_of_channels(x: np.ndarray, kernel: np.ndarray) -> Any:
    layer = layers.Conv2DTranspose(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


@both("padding-order")
def padded(x: np.ndarray) -> Any:
    return layers.ZeroPadding2D(((1, 0), (0, 2)))(x)


@own("padding-replicate")
def padded_by_mirror(x: np.ndarray) -> Any:
    return ops.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")


@aligned("padding-replicate")
def padded_by_mirror_twice(x: np.ndarray) -> Any:
    once = ((0, 0), (1, 1), (1, 1), (0, 0))
    return ops.pad(ops.pad(x, once, mode="symmetric"), once, mode="symmetric")
