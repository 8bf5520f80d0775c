"""Write trained networks to folders that TensorFlow and TensorFlow Serving load without this suite."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from shared.choices import Format
from shared.protocol import Exporter, Predict, Trained
from tf_lowlevel_impl import weights as layout
from tf_lowlevel_impl.layers import BatchNorm
from tf_lowlevel_impl.own import network_of


def to_saved_model(trained: Trained, path: Path) -> Predict:
    """Write a folder for `tf.saved_model.load`, and return its predictions.

    Its signature `serving_default` maps `images` to `logits`.
    """
    module = deployed(trained)
    scaling = trained.scaling and tuple(tf.constant(values, tf.float32) for values in trained.scaling)

    @tf.function(input_signature=[tf.TensorSpec((None, *trained.model.input_shape), tf.float32, name="images")])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        if scaling is not None:
            mean, deviation = scaling
            images = (images - mean) / deviation
        return {"logits": module(images)}

    tf.saved_model.save(module, str(path), signatures={"serving_default": serve})
    loaded = tf.saved_model.load(str(path))

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = loaded.signatures["serving_default"](images=tf.constant(images))["logits"].numpy()
        return logits

    return predict


def deployed(trained: Trained) -> tf.Module:
    """Return the network with its weights. It does not scale its images."""
    module = network_of(trained.model)(tf.float32)
    for part in module.submodules:
        if isinstance(part, BatchNorm):
            part.epsilon = trained.epsilon
    layout.load(module, trained.model, trained.weights)
    return module


EXPORTERS: dict[Format, Exporter] = {"tf_savedmodel": to_saved_model}
