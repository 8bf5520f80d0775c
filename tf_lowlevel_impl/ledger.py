"""Raw TensorFlow's halves of the ledger of differences (shared/ledger.py): where it parts from Keras."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from shared.ledger import Answers
from tf_lowlevel_impl.layers import BatchNorm


def _fused_variance(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    x = tf.constant(inputs["x"][0][:, None, None, :], tf.float32)  # the fused kernel takes images, and no float64
    ones, zeros = tf.ones(x.shape[-1]), tf.zeros(x.shape[-1])
    _, _, variance = tf.compat.v1.nn.fused_batch_norm(x, ones, zeros, epsilon=1e-3, is_training=True)
    return variance.numpy()


def _variance(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    layer = BatchNorm(inputs["x"].shape[-1], dtype=tf.float64)
    layer.momentum = 1.0  # nothing of the old one
    layer(tf.constant(inputs["x"][0]), training=True)
    return layer.moving_variance.numpy()


LEDGER: dict[str, Answers] = {"batchnorm-fused": Answers(_fused_variance, _variance)}
