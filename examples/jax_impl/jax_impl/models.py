"""The architectures as `nnx.Module`s. Each meets its contract in shared/models.py.

Images are channels-last, (N, height, width, channels). Every layer's output passes through `tap` under the layer's name
in the contract. `tap` returns it unchanged; parity checks and pictures record it. `training` affects only batch
normalisation and dropout.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from jax_impl.layers import BatchNorm, conv, dense, flatten, max_pool

Tap = Callable[[str, jax.Array], jax.Array]


def untapped(name: str, output: jax.Array) -> jax.Array:
    """Return the output unchanged."""
    return output


class CnnSame(nnx.Module):
    """Two padded convolutions, each with ReLU and max-pooling, then two dense layers: 421,642 parameters."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.conv1 = conv(1, 32, size=3, padding="SAME", dtype=dtype)
        self.conv2 = conv(32, 64, size=3, padding="SAME", dtype=dtype)
        self.dense1 = dense(3136, 128, dtype=dtype)
        self.dense2 = dense(128, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 28, 28, 32)
        x = tap("pool1", max_pool(x))  # (N, 14, 14, 32)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 14, 14, 64)
        x = tap("pool2", max_pool(x))  # (N, 7, 7, 64)
        x = tap("flatten", flatten(x))  # (N, 3136)
        x = tap("dense1", nnx.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnWideValid(nnx.Module):
    """Two unpadded convolutions of 64 channels, each with ReLU and max-pooling, then two dense layers: 243,786
    parameters."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.conv1 = conv(1, 64, size=3, padding="VALID", dtype=dtype)
        self.conv2 = conv(64, 64, size=3, padding="VALID", dtype=dtype)
        self.dense1 = dense(1600, 128, dtype=dtype)
        self.dense2 = dense(128, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 26, 26, 64)
        x = tap("pool1", max_pool(x))  # (N, 13, 13, 64)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 11, 11, 64)
        x = tap("pool2", max_pool(x))  # (N, 5, 5, 64)
        x = tap("flatten", flatten(x))  # (N, 1600)
        x = tap("dense1", nnx.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnHeadlessValid(nnx.Module):
    """Two unpadded convolutions, each with ReLU and max-pooling, and no hidden dense layer: 34,826 parameters."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.conv1 = conv(1, 32, size=3, padding="VALID", dtype=dtype)
        self.conv2 = conv(32, 64, size=3, padding="VALID", dtype=dtype)
        self.dense1 = dense(1600, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 26, 26, 32)
        x = tap("pool1", max_pool(x))  # (N, 13, 13, 32)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 11, 11, 64)
        x = tap("pool2", max_pool(x))  # (N, 5, 5, 64)
        x = tap("flatten", flatten(x))  # (N, 1600)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnBnCifar(nnx.Module):
    """Twice two padded convolutions, each with ReLU and batch normalisation, and max-pooling, then two dense layers:
    2,171,178 parameters, of them 2,169,770 trainable."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.conv1 = conv(3, 32, size=3, padding="SAME", dtype=dtype)
        self.bn1 = BatchNorm(32, dtype=dtype)
        self.conv2 = conv(32, 32, size=3, padding="SAME", dtype=dtype)
        self.bn2 = BatchNorm(32, dtype=dtype)
        self.conv3 = conv(32, 64, size=3, padding="SAME", dtype=dtype)
        self.bn3 = BatchNorm(64, dtype=dtype)
        self.conv4 = conv(64, 64, size=3, padding="SAME", dtype=dtype)
        self.bn4 = BatchNorm(64, dtype=dtype)
        self.dense1 = dense(4096, 512, dtype=dtype)
        self.bn5 = BatchNorm(512, dtype=dtype)
        self.dense2 = dense(512, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 32, 32, 3)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 32, 32, 32)
        x = tap("bn1", self.bn1(x, training))  # (N, 32, 32, 32)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 32, 32, 32)
        x = tap("bn2", self.bn2(x, training))  # (N, 32, 32, 32)
        x = tap("pool1", max_pool(x))  # (N, 16, 16, 32)
        x = tap("conv3", nnx.relu(self.conv3(x)))  # (N, 16, 16, 64)
        x = tap("bn3", self.bn3(x, training))  # (N, 16, 16, 64)
        x = tap("conv4", nnx.relu(self.conv4(x)))  # (N, 16, 16, 64)
        x = tap("bn4", self.bn4(x, training))  # (N, 16, 16, 64)
        x = tap("pool2", max_pool(x))  # (N, 8, 8, 64)
        x = tap("flatten", flatten(x))  # (N, 4096)
        x = tap("dense1", nnx.relu(self.dense1(x)))  # (N, 512)
        x = tap("bn5", self.bn5(x, training))  # (N, 512)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnBnValid(nnx.Module):
    """Twice two unpadded convolutions, each with ReLU, then batch normalisation and max-pooling, and one dense layer:
    88,042 parameters, of them 87,850 trainable."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.conv1 = conv(1, 32, size=5, padding="VALID", dtype=dtype)
        self.conv2 = conv(32, 32, size=5, padding="VALID", dtype=dtype)
        self.bn1 = BatchNorm(32, dtype=dtype)
        self.conv3 = conv(32, 64, size=3, padding="VALID", dtype=dtype)
        self.conv4 = conv(64, 64, size=3, padding="VALID", dtype=dtype)
        self.bn2 = BatchNorm(64, dtype=dtype)
        self.dense1 = dense(576, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 24, 24, 32)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 20, 20, 32)
        x = tap("bn1", self.bn1(x, training))  # (N, 20, 20, 32)
        x = tap("pool1", max_pool(x))  # (N, 10, 10, 32)
        x = tap("conv3", nnx.relu(self.conv3(x)))  # (N, 8, 8, 64)
        x = tap("conv4", nnx.relu(self.conv4(x)))  # (N, 6, 6, 64)
        x = tap("bn2", self.bn2(x, training))  # (N, 6, 6, 64)
        x = tap("pool2", max_pool(x))  # (N, 3, 3, 64)
        x = tap("flatten", flatten(x))  # (N, 576)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnDeepDropout(nnx.Module):
    """Three padded 5 x 5 convolutions, each with ReLU and max-pooling, then two dense layers with dropout between:
    405,898 parameters."""

    def __init__(self, dtype: jnp.dtype, dropout: float = 0.5, seed: int = 0) -> None:
        self.conv1 = conv(1, 32, size=5, padding="SAME", dtype=dtype)
        self.conv2 = conv(32, 64, size=5, padding="SAME", dtype=dtype)
        self.conv3 = conv(64, 128, size=5, padding="SAME", dtype=dtype)
        self.dense1 = dense(1152, 128, dtype=dtype)
        self.dropout1 = nnx.Dropout(dropout, rngs=nnx.Rngs(dropout=seed))
        self.dense2 = dense(128, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("conv1", nnx.relu(self.conv1(x)))  # (N, 28, 28, 32)
        x = tap("pool1", max_pool(x))  # (N, 14, 14, 32)
        x = tap("conv2", nnx.relu(self.conv2(x)))  # (N, 14, 14, 64)
        x = tap("pool2", max_pool(x))  # (N, 7, 7, 64)
        x = tap("conv3", nnx.relu(self.conv3(x)))  # (N, 7, 7, 128)
        x = tap("pool3", max_pool(x))  # (N, 3, 3, 128)
        x = tap("flatten", flatten(x))  # (N, 1152)
        x = tap("dense1", nnx.relu(self.dense1(x)))  # (N, 128)
        x = tap("dropout1", self.dropout1(x, deterministic=not training))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class DenseBaseline(nnx.Module):
    """One hidden dense layer, no convolution: 101,770 parameters."""

    def __init__(self, dtype: jnp.dtype) -> None:
        self.dense1 = dense(784, 128, dtype=dtype)
        self.dense2 = dense(128, 10, dtype=dtype)

    def __call__(self, x: jax.Array, training: bool = False, tap: Tap = untapped) -> jax.Array:  # (N, 28, 28, 1)
        x = tap("flatten", flatten(x))  # (N, 784)
        x = tap("dense1", nnx.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


MODELS: dict[str, type[nnx.Module]] = {
    "cnn_same": CnnSame,
    "cnn_wide_valid": CnnWideValid,
    "cnn_headless_valid": CnnHeadlessValid,
    "cnn_bn_cifar": CnnBnCifar,
    "cnn_bn_valid": CnnBnValid,
    "cnn_deep_dropout": CnnDeepDropout,
    "dense_baseline": DenseBaseline,
}
