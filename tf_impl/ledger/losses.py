"""Keras's forms of the rows about losses."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, losses, ops

from tf_impl.ledger.forms import aligned, both, own


@own("loss-of-probabilities", "softmax-twice")
@both("nll-of-probabilities")
def cross_entropy_of_probabilities(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy()(labels, tf.nn.softmax(logits))


@aligned("loss-of-probabilities", "softmax-twice", "logits-as-probabilities")
def cross_entropy_of_logits(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@own("gradient-of-probabilities")
def gradient_of_probabilities(logits: np.ndarray, labels: np.ndarray) -> Any:
    outputs = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = losses.SparseCategoricalCrossentropy()(labels, tf.nn.softmax(outputs))
    return tape.gradient(loss, outputs)


@aligned("gradient-of-probabilities")
def gradient_of_logits(logits: np.ndarray, labels: np.ndarray) -> Any:
    outputs = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, outputs)
    return tape.gradient(loss, outputs)


@both("loss-of-softmax-layer")
def cross_entropy_of_a_softmax_layer(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy()(labels, layers.Softmax()(logits))


@own("logits-as-probabilities")
def cross_entropy_of_logits_as_probabilities(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy()(labels, logits)


@both("cross-entropy-axis")
def cross_entropy_over_the_last_axis(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@both("cross-entropy-one-hot")
def cross_entropy_of_one_hot(logits: np.ndarray, targets: np.ndarray) -> Any:
    return losses.CategoricalCrossentropy(from_logits=True)(targets, logits)


@both("label-smoothing")
def smoothed_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> Any:
    loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.125)
    return loss(ops.one_hot(labels, 3), logits)


@own("class-weights")
def weighted_cross_entropy(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Any:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(labels, logits, sample_weight=weights[labels])


@aligned("class-weights")
def weighted_cross_entropy_by_the_sum_of_weights(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Any:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    return loss(labels, logits, sample_weight=weights[labels])


@both("bce-weights")
def weighted_binary_cross_entropy(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Any:
    loss = losses.BinaryCrossentropy(from_logits=True)
    return loss(targets[:, None], logits[:, None], sample_weight=weights)


@both("ignore-index")
def cross_entropy_without_ignored_labels(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)(labels, logits)


@both("ignore-index-all")
def all_ignored_give_zero(logits: np.ndarray, labels: np.ndarray) -> Any:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)(labels, logits)
    return ops.isnan(loss)


@both("loss-mask")
def loss_of_masked_steps(tokens: np.ndarray, table: np.ndarray, labels: np.ndarray) -> Any:
    logits = layers.Embedding(6, 3, mask_zero=True, weights=table)(tokens)
    return losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@own("bce-clip")
def binary_cross_entropy(logits: np.ndarray, targets: np.ndarray) -> Any:
    probabilities = tf.sigmoid(logits)
    return losses.BinaryCrossentropy(reduction=None)(targets[:, None], probabilities[:, None])


@aligned("bce-clip")
def binary_cross_entropies_of_logits(logits: np.ndarray, targets: np.ndarray) -> Any:
    return losses.BinaryCrossentropy(from_logits=True, reduction=None)(targets[:, None], logits[:, None])


@own("bce-logits")
def binary_cross_entropy_of_logits_as_probabilities(logits: np.ndarray, targets: np.ndarray) -> Any:
    return losses.BinaryCrossentropy()(targets, logits)


@aligned("bce-logits")
def binary_cross_entropy_of_logits(logits: np.ndarray, targets: np.ndarray) -> Any:
    return losses.BinaryCrossentropy(from_logits=True)(targets, logits)


@both("kl-arguments", "kl-reduction")
def kl_divergence(p: np.ndarray, q: np.ndarray) -> Any:
    return losses.KLDivergence()(p, q)


@both("huber")
def huber(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.Huber()(targets, predictions)


@both("smooth-l1")
def huber_with_delta(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.Huber(delta=0.25)(targets, predictions)


@both("cosine-loss")
def negative_cosine(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.CosineSimilarity()(targets, predictions)


@both("loss-broadcast")
@aligned("mse-function")
def mse(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.MeanSquaredError()(targets, predictions)


@own("mse-function")
def mse_by_the_function(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.mean_squared_error(targets, predictions)


@both("ctc")
def ctc(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.CTC()(labels, logits)


@both("poisson")
def poisson(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return losses.Poisson()(targets, predictions)


@both("hinge")
def hinge(scores: np.ndarray, labels: np.ndarray) -> Any:
    return losses.Hinge()(labels, scores)


@both("multiclass-hinge")
def categorical_hinge(logits: np.ndarray, labels: np.ndarray) -> Any:
    return losses.CategoricalHinge()(ops.one_hot(labels, 3), logits)


@both("focal")
def focal(logits: np.ndarray, targets: np.ndarray) -> Any:
    return losses.BinaryFocalCrossentropy(from_logits=True)(targets, logits)
