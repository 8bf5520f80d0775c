"""Losses and metrics from outputs, in NumPy and float64: the same code for every implementation."""

import numpy as np


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross-entropy of logits (N, classes) with labels (N,)."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float((log_total - shifted[np.arange(len(labels)), labels]).mean())


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose largest logit is that of their label."""
    return float((logits.argmax(axis=1) == labels).mean())


def confusion(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how many images of each true class (row) were predicted as each class (column)."""
    n_classes = logits.shape[1]
    cells = labels * n_classes + logits.argmax(axis=1)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def mean_squared_error(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over all images and outputs of the squared error; both are (N, K)."""
    return float(np.square(_errors(outputs, labels)).mean())


def root_mean_squared_error(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the root of `mean_squared_error`, in the unit of the labels, over all outputs together."""
    return float(np.sqrt(mean_squared_error(outputs, labels)))


def mean_absolute_error(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over all images and outputs of the absolute error; both are (N, K)."""
    return float(np.abs(_errors(outputs, labels)).mean())


def r2(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the coefficient of determination, averaged over the K outputs: 1 minus the squared errors over the squared
    deviations of the labels from their mean. If all labels are equal it is 1 without an error, else 0."""
    errors = np.square(_errors(outputs, labels)).sum(axis=0)
    exact = labels.astype(np.float64)
    deviations = np.square(exact - exact.mean(axis=0)).sum(axis=0)
    constant = np.where(errors == 0, 1.0, 0.0)
    return float(np.where(deviations > 0, 1 - errors / np.where(deviations > 0, deviations, 1), constant).mean())


def binary_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over all images and labels of the binary cross-entropy: logits, labels of 0 or 1; both (N, K)."""
    exact = logits.astype(np.float64)
    return float((np.maximum(exact, 0) - exact * labels + np.log1p(np.exp(-np.abs(exact)))).mean())


def macro_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over the K labels of F1; it is 0 for a label that is neither there nor predicted."""
    true, false, missed, _ = label_counts(logits, labels).T
    total = 2 * true + false + missed
    return float((2 * true / np.maximum(total, 1)).mean())


def subset_accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images all of whose labels are predicted correctly."""
    return float(((logits >= 0) == (labels > 0.5)).all(axis=1).mean())


def label_counts(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the counts for each of K labels: predicted and there, predicted and not there, there and not predicted,
    and neither: int64 (K, 4)."""
    predicted, there = logits >= 0, labels > 0.5
    kinds = (predicted & there, predicted & ~there, ~predicted & there, ~predicted & ~there)
    return np.stack([kind.sum(axis=0) for kind in kinds], axis=1)


def _errors(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if outputs.shape != labels.shape:  # different shapes would be broadcast
        raise ValueError(f"outputs are {outputs.shape}, and labels {labels.shape}")
    errors: np.ndarray = outputs.astype(np.float64) - labels
    return errors
