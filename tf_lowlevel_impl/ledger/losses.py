"""Raw TensorFlow's forms of the rows about losses."""

import numpy as np
import tensorflow as tf

from tf_lowlevel_impl.ledger.forms import aligned, own


@own("loss-per-image")
def gradient_of_losses(logits: np.ndarray, labels: np.ndarray) -> tf.Tensor:
    outputs = tf.Variable(logits)
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs)
    return tape.gradient(losses, outputs)


@aligned("loss-per-image")
def gradient_of_the_mean_loss(logits: np.ndarray, labels: np.ndarray) -> tf.Tensor:
    outputs = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs))
    return tape.gradient(loss, outputs)
