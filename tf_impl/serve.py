"""Networks that only infer, as Keras's users serve them: no optimizer."""

from functools import partial

import numpy as np
import tensorflow as tf

from shared.choices import Mode
from shared.protocol import Predict, Trained
from tf_impl.export import deployed
from tf_lowlevel_impl.on_device import compiled
from tf_lowlevel_impl.tuning import Tuning


def serve(trained: Trained, mode: Mode) -> Predict:
    """Return what gives the logits of images: `eager` calls the model, `graph` and `xla` a `tf.function` of it for any
    batch size."""
    images = tf.TensorSpec((None, *trained.model.input_shape), tf.float32)
    forward = compiled(partial(deployed(trained), training=False), (images,), mode, Tuning())

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = forward(tf.constant(images)).numpy()
        return logits

    return predict
