"""Write trained networks to files that Keras loads without this suite."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from shared.choices import Format
from shared.protocol import Exporter, Predict, Trained
from tf_impl import weights as layout
from tf_impl.own import network_of, own_layers


def to_keras(trained: Trained, path: Path) -> Predict:
    """Write a file for `keras.saving.load_model`, and return the predictions of the loaded file."""
    network = deployed(trained)
    network.save(path)
    loaded = keras.saving.load_model(path)

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = loaded.predict(images, verbose=0)
        return logits

    return predict


def deployed(trained: Trained) -> keras.Model:
    """Return the network with its weights, in Keras's own layers only, preceded by its scaling if it has one."""
    keras.config.set_dtype_policy("float32")  # this process's last network may have set another
    own = own_layers(trained.model)
    network = network_of(trained.model)(**{k: partial(norm, epsilon=trained.epsilon) for k, norm in own.items()})
    layout.load(network, trained.model, trained.weights)
    if trained.scaling is not None:
        mean, deviation = trained.scaling
        scaling = layers.Normalization(mean=mean, variance=deviation**2, name="scaling")
        network = keras.Sequential([keras.Input(trained.model.input_shape), scaling, *network.layers])
    return network


def to_saved_model(trained: Trained, path: Path) -> Predict:
    """Write a folder for `tf.saved_model.load`, as Keras's own `Model.export` does, and return its predictions."""
    deployed(trained).export(path, format="tf_saved_model", verbose=False)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]

    def predict(images: np.ndarray) -> np.ndarray:
        (logits,) = serve(tf.constant(images)).values()
        return np.asarray(logits)

    return predict


EXPORTERS: dict[Format, Exporter] = {"keras": to_keras, "tf_savedmodel": to_saved_model}
