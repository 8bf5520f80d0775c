"""The architectures as `tf.Module`s; the contract that each must meet is in shared/models.py.

Images are channels-last here, (N, height, width, channels). `tap` is told every layer's output under the layer's name
in the contract and returns it unchanged; parity checks and pictures listen there.
"""

from collections.abc import Callable

import tensorflow as tf

from tf_lowlevel_impl.layers import Conv2D, Dense, flatten, max_pool

Tap = Callable[[str, tf.Tensor], tf.Tensor]


def untapped(name: str, output: tf.Tensor) -> tf.Tensor:
    """Nobody listens."""
    return output


class CnnSame(tf.Module):
    """Two padded convolutions, each with ReLU and max-pooling, then two dense layers: 421,642 parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 32, size=3, padding="SAME", dtype=dtype)
        self.conv2 = Conv2D(32, 64, size=3, padding="SAME", dtype=dtype)
        self.dense1 = Dense(3136, 128, dtype=dtype)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 28, 28, 32)
        x = tap("pool1", max_pool(x))  # (N, 14, 14, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 14, 14, 64)
        x = tap("pool2", max_pool(x))  # (N, 7, 7, 64)
        x = tap("flatten", flatten(x))  # (N, 3136)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class DenseBaseline(tf.Module):
    """One hidden dense layer, no convolution: 101,770 parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.dense1 = Dense(784, 128, dtype=dtype)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("flatten", flatten(x))  # (N, 784)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


MODELS: dict[str, type[tf.Module]] = {
    "cnn_same": CnnSame,
    "dense_baseline": DenseBaseline,
}
