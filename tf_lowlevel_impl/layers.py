"""The layers that hold variables, on `tf.Variable` and `tf.nn`; what has no variables is called from `tf.nn` directly.

Variables start at zero: the harness loads the canonical initial values before anything is computed.
"""

import tensorflow as tf


class Conv2D(tf.Module):
    """A convolution with stride 1 and a bias; kernel (size, size, channels_in, channels_out)."""

    def __init__(self, channels_in: int, channels_out: int, size: int, padding: str, dtype: tf.DType) -> None:
        super().__init__()
        self.padding = padding
        self.kernel = tf.Variable(tf.zeros((size, size, channels_in, channels_out), dtype))
        self.bias = tf.Variable(tf.zeros((channels_out,), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.nn.conv2d(x, self.kernel, strides=1, padding=self.padding)
        return tf.nn.bias_add(x, self.bias)


class Dense(tf.Module):
    """A dense layer with a bias; kernel (n_in, n_out)."""

    def __init__(self, n_in: int, n_out: int, dtype: tf.DType) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((n_in, n_out), dtype))
        self.bias = tf.Variable(tf.zeros((n_out,), dtype))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(tf.matmul(x, self.kernel), self.bias)


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """The largest of every 2 x 2 block; a row or column left over is dropped."""
    return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")


def flatten(x: tf.Tensor) -> tf.Tensor:
    """(N, ...) as (N, product of the rest), channels running fastest."""
    return tf.reshape(x, (-1, x.shape[1:].num_elements()))
