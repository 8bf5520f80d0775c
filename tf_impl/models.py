"""The architectures as `keras.Sequential`s; the contract that each must meet is in shared/models.py.

Images are channels-last here, (N, height, width, channels). A layer that the contract knows has its name there, and
its output is what the contract means: after the activation. The last layer gives logits, no softmax.
"""

from collections.abc import Callable

import keras
from keras import layers


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


MODELS: dict[str, Callable[[], keras.Model]] = {
    "cnn_same": cnn_same,
    "dense_baseline": dense_baseline,
}
