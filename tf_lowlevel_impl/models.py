"""The architectures as `tf.Module`s. Each meets its contract in shared/models.py.

Images are channels-last, (N, height, width, channels). Every layer's output passes through `tap` under the layer's name
in the contract. `tap` returns it unchanged; parity checks and pictures record it. `training` affects only batch
normalisation and dropout.
"""

from collections.abc import Callable

import tensorflow as tf

from tf_lowlevel_impl.layers import BatchNorm, Conv2D, Dense, Dropout, flatten, max_pool

Tap = Callable[[str, tf.Tensor], tf.Tensor]


def untapped(name: str, output: tf.Tensor) -> tf.Tensor:
    """Return the output unchanged."""
    return output


class CnnSame(tf.Module):
    """Two padded convolutions, each with ReLU and max-pooling, then two dense layers: 421,642 parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 32, size=3, padding="SAME", dtype=dtype)
        self.conv2 = Conv2D(32, 64, size=3, padding="SAME", dtype=dtype)
        self.dense1 = Dense(3136, 128, dtype=dtype)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 28, 28, 32)
        x = tap("pool1", max_pool(x))  # (N, 14, 14, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 14, 14, 64)
        x = tap("pool2", max_pool(x))  # (N, 7, 7, 64)
        x = tap("flatten", flatten(x))  # (N, 3136)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnWideValid(tf.Module):
    """Two unpadded convolutions of 64 channels, each with ReLU and max-pooling, then two dense layers: 243,786
    parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 64, size=3, padding="VALID", dtype=dtype)
        self.conv2 = Conv2D(64, 64, size=3, padding="VALID", dtype=dtype)
        self.dense1 = Dense(1600, 128, dtype=dtype)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 26, 26, 64)
        x = tap("pool1", max_pool(x))  # (N, 13, 13, 64)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 11, 11, 64)
        x = tap("pool2", max_pool(x))  # (N, 5, 5, 64)
        x = tap("flatten", flatten(x))  # (N, 1600)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnHeadlessValid(tf.Module):
    """Two unpadded convolutions, each with ReLU and max-pooling, and no hidden dense layer: 34,826 parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 32, size=3, padding="VALID", dtype=dtype)
        self.conv2 = Conv2D(32, 64, size=3, padding="VALID", dtype=dtype)
        self.dense1 = Dense(1600, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 26, 26, 32)
        x = tap("pool1", max_pool(x))  # (N, 13, 13, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 11, 11, 64)
        x = tap("pool2", max_pool(x))  # (N, 5, 5, 64)
        x = tap("flatten", flatten(x))  # (N, 1600)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnBnCifar(tf.Module):
    """Twice two padded convolutions, each with ReLU and batch normalisation, and max-pooling, then two dense layers:
    2,171,178 parameters, of them 2,169,770 trainable."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(3, 32, size=3, padding="SAME", dtype=dtype)
        self.bn1 = BatchNorm(32, dtype=dtype)
        self.conv2 = Conv2D(32, 32, size=3, padding="SAME", dtype=dtype)
        self.bn2 = BatchNorm(32, dtype=dtype)
        self.conv3 = Conv2D(32, 64, size=3, padding="SAME", dtype=dtype)
        self.bn3 = BatchNorm(64, dtype=dtype)
        self.conv4 = Conv2D(64, 64, size=3, padding="SAME", dtype=dtype)
        self.bn4 = BatchNorm(64, dtype=dtype)
        self.dense1 = Dense(4096, 512, dtype=dtype)
        self.bn5 = BatchNorm(512, dtype=dtype)
        self.dense2 = Dense(512, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 32, 32, 3)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 32, 32, 32)
        x = tap("bn1", self.bn1(x, training))  # (N, 32, 32, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 32, 32, 32)
        x = tap("bn2", self.bn2(x, training))  # (N, 32, 32, 32)
        x = tap("pool1", max_pool(x))  # (N, 16, 16, 32)
        x = tap("conv3", tf.nn.relu(self.conv3(x)))  # (N, 16, 16, 64)
        x = tap("bn3", self.bn3(x, training))  # (N, 16, 16, 64)
        x = tap("conv4", tf.nn.relu(self.conv4(x)))  # (N, 16, 16, 64)
        x = tap("bn4", self.bn4(x, training))  # (N, 16, 16, 64)
        x = tap("pool2", max_pool(x))  # (N, 8, 8, 64)
        x = tap("flatten", flatten(x))  # (N, 4096)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 512)
        x = tap("bn5", self.bn5(x, training))  # (N, 512)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnBnValid(tf.Module):
    """Twice two unpadded convolutions, each with ReLU, then batch normalisation and max-pooling, and one dense layer:
    88,042 parameters, of them 87,850 trainable."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 32, size=5, padding="VALID", dtype=dtype)
        self.conv2 = Conv2D(32, 32, size=5, padding="VALID", dtype=dtype)
        self.bn1 = BatchNorm(32, dtype=dtype)
        self.conv3 = Conv2D(32, 64, size=3, padding="VALID", dtype=dtype)
        self.conv4 = Conv2D(64, 64, size=3, padding="VALID", dtype=dtype)
        self.bn2 = BatchNorm(64, dtype=dtype)
        self.dense1 = Dense(576, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 24, 24, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 20, 20, 32)
        x = tap("bn1", self.bn1(x, training))  # (N, 20, 20, 32)
        x = tap("pool1", max_pool(x))  # (N, 10, 10, 32)
        x = tap("conv3", tf.nn.relu(self.conv3(x)))  # (N, 8, 8, 64)
        x = tap("conv4", tf.nn.relu(self.conv4(x)))  # (N, 6, 6, 64)
        x = tap("bn2", self.bn2(x, training))  # (N, 6, 6, 64)
        x = tap("pool2", max_pool(x))  # (N, 3, 3, 64)
        x = tap("flatten", flatten(x))  # (N, 576)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnDeepDropout(tf.Module):
    """Three padded 5 x 5 convolutions, each with ReLU and max-pooling, then two dense layers with dropout between:
    405,898 parameters."""

    def __init__(self, dtype: tf.DType, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = Conv2D(1, 32, size=5, padding="SAME", dtype=dtype)
        self.conv2 = Conv2D(32, 64, size=5, padding="SAME", dtype=dtype)
        self.conv3 = Conv2D(64, 128, size=5, padding="SAME", dtype=dtype)
        self.dense1 = Dense(1152, 128, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("conv1", tf.nn.relu(self.conv1(x)))  # (N, 28, 28, 32)
        x = tap("pool1", max_pool(x))  # (N, 14, 14, 32)
        x = tap("conv2", tf.nn.relu(self.conv2(x)))  # (N, 14, 14, 64)
        x = tap("pool2", max_pool(x))  # (N, 7, 7, 64)
        x = tap("conv3", tf.nn.relu(self.conv3(x)))  # (N, 7, 7, 128)
        x = tap("pool3", max_pool(x))  # (N, 3, 3, 128)
        x = tap("flatten", flatten(x))  # (N, 1152)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        x = tap("dropout1", self.dropout1(x, training))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class DenseBaseline(tf.Module):
    """One hidden dense layer, no convolution: 101,770 parameters."""

    def __init__(self, dtype: tf.DType) -> None:
        super().__init__()
        self.dense1 = Dense(784, 128, dtype=dtype)
        self.dense2 = Dense(128, 10, dtype=dtype)

    def __call__(self, x: tf.Tensor, training: bool = False, tap: Tap = untapped) -> tf.Tensor:  # (N, 28, 28, 1)
        x = tap("flatten", flatten(x))  # (N, 784)
        x = tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


MODELS: dict[str, type[tf.Module]] = {
    "cnn_same": CnnSame,
    "cnn_wide_valid": CnnWideValid,
    "cnn_headless_valid": CnnHeadlessValid,
    "cnn_bn_cifar": CnnBnCifar,
    "cnn_bn_valid": CnnBnValid,
    "cnn_deep_dropout": CnnDeepDropout,
    "dense_baseline": DenseBaseline,
}
