"""An architecture in Keras's functional form: a separate implementation of the same contract.

Branches and several inputs need this form. For a chain of layers it does the same as `Sequential`.
"""

import keras
from keras import layers

from shared.protocol import Build
from tf_impl.create import create_from, fit, framework
from tf_impl.export import EXPORTERS as exporters
from tf_impl.idiomatic import IDIOM as idiom
from tf_impl.layers import BatchNormalization
from tf_impl.ledger import LEDGER as ledger
from tf_impl.models import Builder
from tf_impl.train import KerasModel
from tf_lowlevel_impl.limits import matrix_product, memory_copy

__all__ = ["create", "exporters", "fit", "framework", "idiom", "ledger", "matrix_product", "memory_copy"]


def cnn_bn_cifar(norm: type[layers.Layer] = BatchNormalization) -> keras.Model:
    """Twice two padded convolutions, each with ReLU and batch normalisation, and max-pooling, then two dense layers:
    2,171,178 parameters, of them 2,169,770 trainable."""
    inputs = keras.Input((32, 32, 3))  # (N, 32, 32, 3)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1")(inputs)  # (N, 32, 32, 32)
    x = norm(name="bn1")(x)  # (N, 32, 32, 32)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2")(x)  # (N, 32, 32, 32)
    x = norm(name="bn2")(x)  # (N, 32, 32, 32)
    x = layers.MaxPooling2D(2, name="pool1")(x)  # (N, 16, 16, 32)
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="conv3")(x)  # (N, 16, 16, 64)
    x = norm(name="bn3")(x)  # (N, 16, 16, 64)
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="conv4")(x)  # (N, 16, 16, 64)
    x = norm(name="bn4")(x)  # (N, 16, 16, 64)
    x = layers.MaxPooling2D(2, name="pool2")(x)  # (N, 8, 8, 64)
    x = layers.Flatten(name="flatten")(x)  # (N, 4096)
    x = layers.Dense(512, activation="relu", name="dense1")(x)  # (N, 512)
    x = norm(name="bn5")(x)  # (N, 512)
    outputs = layers.Dense(10, name="dense2")(x)  # (N, 10)
    return keras.Model(inputs, outputs)


MODELS: dict[str, Builder] = {
    "cnn_bn_cifar": cnn_bn_cifar,
}


def create(build: Build) -> KerasModel:
    """Build the network as a KerasModel."""
    return create_from(MODELS, build)
