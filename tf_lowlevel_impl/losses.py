"""The losses of every task (shared/task.py): each is the mean over the batch and the outputs."""

from collections.abc import Callable

import tensorflow as tf

from shared.choices import LossName


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean over the batch of the cross-entropy of logits (N, classes) with labels (N,)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def mean_squared_error(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return the mean of the squared errors of outputs (N, K)."""
    return tf.reduce_mean(tf.square(outputs - labels))


def mean_absolute_error(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return the mean of the absolute errors of outputs (N, K)."""
    return tf.reduce_mean(tf.abs(outputs - labels))


def binary_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean of the binary cross-entropy of logits (N, K) with labels of 0 or 1."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


LOSSES: dict[LossName, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "cross_entropy": cross_entropy,
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "binary_cross_entropy": binary_cross_entropy,
}
