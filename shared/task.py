"""The task of a network: its losses, the figures it is judged by, and the meaning of a label.

The contract of a network names its task and its loss (shared/models.py), and every implementation trains by that loss.
Figures are computed by NumPy from outputs and labels, in the same way for every implementation (shared/metrics.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared import metrics
from shared.choices import LossName, TaskName

Measure = Callable[[np.ndarray, np.ndarray], float]  # from outputs (N, K) and labels

LOSSES: dict[LossName, Measure] = {
    "cross_entropy": metrics.cross_entropy,
    "mse": metrics.mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "binary_cross_entropy": metrics.binary_cross_entropy,
}
LOSSES_IN_WORDS: dict[LossName, str] = {
    "cross_entropy": "cross-entropy",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "binary_cross_entropy": "binary cross-entropy",
}


@dataclass(frozen=True)
class Metric:
    """One figure: its name in records, its title in tables, whether less of it is better, and whether it is a share of
    1, which is shown in percent."""

    name: str
    title: str
    of: Measure
    lower_is_better: bool = False
    share: bool = True


@dataclass(frozen=True)
class Task:
    """A task: its losses, the usual one first; its metrics, first the one for comparing networks; and descriptions of a
    label and an output."""

    name: TaskName
    title: str
    losses: tuple[LossName, ...]
    metrics: tuple[Metric, ...]
    label: str
    output: str
    least_outputs: int = 1

    @property
    def metric(self) -> Metric:
        """The figure for comparing networks."""
        return self.metrics[0]

    @property
    def classifies(self) -> bool:
        """Whether an image belongs to one class, which allows an accuracy and a confusion matrix."""
        return self.name == "classification"

    def measured(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """Return every metric of outputs (N, K), by its name."""
        return {metric.name: metric.of(outputs, labels) for metric in self.metrics}


CLASSIFICATION = Task(
    name="classification",
    title="classification",
    losses=("cross_entropy",),
    metrics=(Metric("accuracy", "accuracy", metrics.accuracy),),
    label="the number of a class: integers (N,)",
    output="a logit for each class",
    least_outputs=2,
)
REGRESSION = Task(
    name="regression",
    title="regression",
    losses=("mse", "mae"),
    metrics=(
        Metric("rmse", "RMSE", metrics.root_mean_squared_error, lower_is_better=True, share=False),
        Metric("mae", "MAE", metrics.mean_absolute_error, lower_is_better=True, share=False),
        Metric("r2", "R2", metrics.r2, share=False),
    ),
    label="numbers: floating (N,) or (N, K)",
    output="the predicted numbers",
)
MULTILABEL = Task(
    name="multilabel",
    title="multi-label classification",
    losses=("binary_cross_entropy",),
    metrics=(
        Metric("macro_f1", "macro F1", metrics.macro_f1),
        Metric("subset_accuracy", "subset accuracy", metrics.subset_accuracy),
    ),
    label="0 or 1 for each of K labels: (N, K)",
    output="a logit for each label, predicted as present from 0 up",
)
TASKS: dict[TaskName, Task] = {task.name: task for task in (CLASSIFICATION, REGRESSION, MULTILABEL)}
