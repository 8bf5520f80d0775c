"""Keras's forms of the rows about metrics, and about the losses that are reported."""

from typing import Any

import keras
import numpy as np
from keras import layers, losses, metrics, optimizers

from tf_impl.ledger.forms import aligned, both, own


@both("epoch-loss")
def loss_of_the_epoch(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, use_bias=False)])
    model.set_weights([kernel])
    model.compile(optimizers.SGD(0.5), losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(x, labels, batch_size=4, shuffle=False, verbose=0)
    return np.array(history.history["loss"][0])


@both("validation-average")
def evaluated_loss(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, use_bias=False)])
    model.set_weights([kernel])
    model.compile(loss=losses.SparseCategoricalCrossentropy(from_logits=True))
    return np.array(model.evaluate(x, labels, batch_size=4, verbose=0))


@both("rmse-average")
def rmse(predictions: np.ndarray, targets: np.ndarray) -> Any:
    metric = metrics.RootMeanSquaredError()
    metric.update_state(targets[:4], predictions[:4])
    metric.update_state(targets[4:], predictions[4:])
    return metric.result()


@own("metric-accumulates")
def running_accuracies(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    metric = metrics.Accuracy()
    return np.array([metric(label, prediction) for label, prediction in zip(labels, predictions, strict=True)])


@aligned("metric-accumulates")
def accuracies(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    metric, values = metrics.Accuracy(), []
    for label, prediction in zip(labels, predictions, strict=True):
        metric.reset_state()
        values.append(metric(label, prediction))
    return np.array(values)


@own("accuracy-of-logits")
def binary_accuracy(logits: np.ndarray, labels: np.ndarray) -> Any:
    return metrics.BinaryAccuracy()(labels, logits)


@aligned("accuracy-of-logits")
def binary_accuracy_of_logits(logits: np.ndarray, labels: np.ndarray) -> Any:
    return metrics.BinaryAccuracy(threshold=0.0)(labels, logits)


@both("accuracy-broadcast")
def accuracy(logits: np.ndarray, labels: np.ndarray) -> Any:
    return metrics.SparseCategoricalAccuracy()(labels, logits)


@both("top-k-ties")
def top_2_accuracy(logits: np.ndarray, labels: np.ndarray) -> Any:
    return metrics.SparseTopKCategoricalAccuracy(k=2)(labels, logits)


@own("auc")
def auc(scores: np.ndarray, labels: np.ndarray) -> Any:
    return metrics.AUC()(labels, scores)


@aligned("auc")
def auc_with_a_threshold_for_each_score(scores: np.ndarray, labels: np.ndarray) -> Any:
    ordered = np.sort(scores)
    return metrics.AUC(thresholds=list((ordered[1:] + ordered[:-1]) / 2))(labels, scores)
