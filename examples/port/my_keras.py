"""A port of my_torch.py to Keras: `build` as it was written first, and `mended` as `compare port` says."""

import keras
from keras import layers


def build() -> keras.Model:
    """The first try: it has three slips."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(32, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def mended() -> keras.Model:
    """The same function as my_torch.py's."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same"),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
            layers.ReLU(),
            layers.ZeroPadding2D(1),
            layers.Conv2D(32, 3, strides=2),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
