"""Serve networks for inference as Keras's users do: without optimizer."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf

from shared.choices import Mode
from shared.protocol import Framework, Predict, Trained
from tf_impl.export import deployed
from tf_lowlevel_impl.on_device import compiled
from tf_lowlevel_impl.tuning import Tuning


def framework() -> Framework:
    """Return Keras's version for a process that only infers. Such a process sees no CUDA device and sets nothing."""
    return Framework("keras", f"{keras.__version__} (tensorflow {tf.__version__})", 0, {})


def serve(trained: Trained, mode: Mode) -> Predict:
    """Return a function that maps images to logits.

    `eager` calls the model. `graph` and `xla` call a `tf.function` of it for any batch size.
    """
    images = tf.TensorSpec((None, *trained.model.input_shape), tf.float32)
    forward = compiled(partial(deployed(trained), training=False), (images,), mode, Tuning())

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = forward(tf.constant(images)).numpy()
        return logits

    return predict
