"""The architectures as `keras.Sequential`s. Each meets its contract in shared/models.py.

Images are channels-last, (N, height, width, channels). A layer of the contract has its name there, and its output
includes the activation. The last layer returns logits, without softmax.
"""

from collections.abc import Callable

import keras
from keras import layers

from tf_impl.layers import BatchNormalization

Builder = Callable[..., keras.Model]


def cnn_same() -> keras.Sequential:
    """Two padded convolutions, each with ReLU and max-pooling, then two dense layers: 421,642 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1"),  # (N, 28, 28, 32)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 14, 14, 32)
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv2"),  # (N, 14, 14, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 7, 7, 64)
            layers.Flatten(name="flatten"),  # (N, 3136)
            layers.Dense(128, activation="relu", name="dense1"),  # (N, 128)
            layers.Dense(10, name="dense2"),  # (N, 10)
        ]
    )


def cnn_wide_valid() -> keras.Sequential:
    """Two unpadded convolutions of 64 channels, each with ReLU and max-pooling, then two dense layers: 243,786
    parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Conv2D(64, 3, padding="valid", activation="relu", name="conv1"),  # (N, 26, 26, 64)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 13, 13, 64)
            layers.Conv2D(64, 3, padding="valid", activation="relu", name="conv2"),  # (N, 11, 11, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 5, 5, 64)
            layers.Flatten(name="flatten"),  # (N, 1600)
            layers.Dense(128, activation="relu", name="dense1"),  # (N, 128)
            layers.Dense(10, name="dense2"),  # (N, 10)
        ]
    )


def cnn_headless_valid() -> keras.Sequential:
    """Two unpadded convolutions, each with ReLU and max-pooling, and no hidden dense layer: 34,826 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Conv2D(32, 3, padding="valid", activation="relu", name="conv1"),  # (N, 26, 26, 32)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 13, 13, 32)
            layers.Conv2D(64, 3, padding="valid", activation="relu", name="conv2"),  # (N, 11, 11, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 5, 5, 64)
            layers.Flatten(name="flatten"),  # (N, 1600)
            layers.Dense(10, name="dense1"),  # (N, 10)
        ]
    )


def cnn_bn_cifar(norm: type[layers.Layer] = BatchNormalization) -> keras.Sequential:
    """Twice two padded convolutions, each with ReLU and batch normalisation, and max-pooling, then two dense layers:
    2,171,178 parameters, of them 2,169,770 trainable."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),  # (N, 32, 32, 3)
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1"),  # (N, 32, 32, 32)
            norm(name="bn1"),  # (N, 32, 32, 32)
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),  # (N, 32, 32, 32)
            norm(name="bn2"),  # (N, 32, 32, 32)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 16, 16, 32)
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv3"),  # (N, 16, 16, 64)
            norm(name="bn3"),  # (N, 16, 16, 64)
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv4"),  # (N, 16, 16, 64)
            norm(name="bn4"),  # (N, 16, 16, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 8, 8, 64)
            layers.Flatten(name="flatten"),  # (N, 4096)
            layers.Dense(512, activation="relu", name="dense1"),  # (N, 512)
            norm(name="bn5"),  # (N, 512)
            layers.Dense(10, name="dense2"),  # (N, 10)
        ]
    )


def cnn_bn_valid(norm: type[layers.Layer] = BatchNormalization) -> keras.Sequential:
    """Twice two unpadded convolutions, each with ReLU, then batch normalisation and max-pooling, and one dense layer:
    88,042 parameters, of them 87,850 trainable."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Conv2D(32, 5, activation="relu", name="conv1"),  # (N, 24, 24, 32)
            layers.Conv2D(32, 5, activation="relu", name="conv2"),  # (N, 20, 20, 32)
            norm(name="bn1"),  # (N, 20, 20, 32)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 10, 10, 32)
            layers.Conv2D(64, 3, activation="relu", name="conv3"),  # (N, 8, 8, 64)
            layers.Conv2D(64, 3, activation="relu", name="conv4"),  # (N, 6, 6, 64)
            norm(name="bn2"),  # (N, 6, 6, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 3, 3, 64)
            layers.Flatten(name="flatten"),  # (N, 576)
            layers.Dense(10, name="dense1"),  # (N, 10)
        ]
    )


def cnn_deep_dropout(dropout: float = 0.5) -> keras.Sequential:
    """Three padded 5 x 5 convolutions, each with ReLU and max-pooling, then two dense layers with dropout between:
    405,898 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Conv2D(32, 5, padding="same", activation="relu", name="conv1"),  # (N, 28, 28, 32)
            layers.MaxPooling2D(2, name="pool1"),  # (N, 14, 14, 32)
            layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2"),  # (N, 14, 14, 64)
            layers.MaxPooling2D(2, name="pool2"),  # (N, 7, 7, 64)
            layers.Conv2D(128, 5, padding="same", activation="relu", name="conv3"),  # (N, 7, 7, 128)
            layers.MaxPooling2D(2, name="pool3"),  # (N, 3, 3, 128)
            layers.Flatten(name="flatten"),  # (N, 1152)
            layers.Dense(128, activation="relu", name="dense1"),  # (N, 128)
            layers.Dropout(dropout, name="dropout1"),  # (N, 128)
            layers.Dense(10, name="dense2"),  # (N, 10)
        ]
    )


def dense_baseline() -> keras.Sequential:
    """One hidden dense layer, no convolution: 101,770 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),  # (N, 28, 28, 1)
            layers.Flatten(name="flatten"),  # (N, 784)
            layers.Dense(128, activation="relu", name="dense1"),  # (N, 128)
            layers.Dense(10, name="dense2"),  # (N, 10)
        ]
    )


MODELS: dict[str, Builder] = {
    "cnn_same": cnn_same,
    "cnn_wide_valid": cnn_wide_valid,
    "cnn_headless_valid": cnn_headless_valid,
    "cnn_bn_cifar": cnn_bn_cifar,
    "cnn_bn_valid": cnn_bn_valid,
    "cnn_deep_dropout": cnn_deep_dropout,
    "dense_baseline": dense_baseline,
}
