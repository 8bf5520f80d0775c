"""Serve networks for inference on TensorFlow's own operations: without optimizer."""

import numpy as np
import tensorflow as tf

from shared.choices import Mode
from shared.protocol import Framework, Predict, Trained
from tf_lowlevel_impl.export import deployed
from tf_lowlevel_impl.on_device import compiled
from tf_lowlevel_impl.tuning import Tuning


def framework() -> Framework:
    """Return TensorFlow's version for a process that only infers. Such a process sees no CUDA device and sets
    nothing."""
    return Framework("tensorflow", tf.__version__, 0, {})


def serve(trained: Trained, mode: Mode) -> Predict:
    """Return a function that maps images to logits.

    `eager` calls the module. `graph` and `xla` call a `tf.function` of it for any batch size.
    """
    images = tf.TensorSpec((None, *trained.model.input_shape), tf.float32)
    forward = compiled(deployed(trained), (images,), mode, Tuning())

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = forward(tf.constant(images)).numpy()
        return logits

    return predict
