"""tf_impl with three more networks."""

from tf_impl import create, describe, exporters, fit, framework, idiom, ledger, matrix_product, memory_copy  # isort: skip  first

import keras
from keras import layers

from more_networks import FLATTEN_BEHIND_DENSE, NO_DENSE, POOLED
from tf_impl.models import MODELS

__all__ = ["create", "describe", "exporters", "fit", "framework", "idiom", "ledger", "matrix_product", "memory_copy"]


def pooled() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="stem"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(10, name="head"),
        ]
    )


def flatten_behind_dense() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Dense(3, activation="relu", name="mix"),
            layers.MaxPooling2D(2, name="half"),
            layers.Flatten(name="row"),
            layers.Dense(10, name="head"),
        ]
    )


def no_dense() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 3, activation="relu", name="stem"),
            layers.Conv2D(10, 1, name="votes"),
            layers.GlobalAveragePooling2D(name="mean"),
        ]
    )


MODELS |= {POOLED.name: pooled, FLATTEN_BEHIND_DENSE.name: flatten_behind_dense, NO_DENSE.name: no_dense}
