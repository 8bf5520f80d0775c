"""Compute the figures of a network's outputs, by its task: the same NumPy code for every implementation."""

from typing import Any

import numpy as np

from shared import metrics
from shared.models import ModelSpec
from shared.result import ACCURACY, Points
from shared.task import LOSSES, TASKS

MOST_POINTS = 500  # for each output of a regression, for its plot
MOST_OUTPUTS = 9  # outputs that are drawn


def figures(network: ModelSpec, outputs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return `loss`, and `accuracy` for a classification or else `metrics`, from outputs (N, K)."""
    loss = LOSSES[network.loss](outputs, labels)
    if not np.isfinite(loss):
        return {"loss": loss}  # the metrics would add nothing
    found = TASKS[network.task].measured(outputs, labels)
    return {"loss": loss, **(found if ACCURACY in found else {"metrics": found})}


def of_outputs(network: ModelSpec, outputs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return the fields of an `Evaluation` (compare/rpc/messages.py): the figures, and the data for their plot."""
    found = figures(network, outputs, labels)
    match network.task:
        case "classification":
            found["confusion"] = _rows(metrics.confusion(outputs, labels))
        case "multilabel":
            found["label_counts"] = _rows(metrics.label_counts(outputs, labels))
        case "regression":
            found["points"] = _points(outputs, labels)
    return found


def _points(outputs: np.ndarray, labels: np.ndarray) -> tuple[Points, ...]:
    """Return evenly spaced images, the same for every implementation."""
    chosen = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), MOST_POINTS)).astype(int))
    return tuple(
        Points(predicted=tuple(outputs[chosen, k].tolist()), true=tuple(labels[chosen, k].tolist()))
        for k in range(min(outputs.shape[1], MOST_OUTPUTS))
    )


def _rows(counts: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in counts.tolist())
