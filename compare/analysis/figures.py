"""The figure that networks are compared by: how it is shown and compared, whatever their task.

Shares of 1 are shown in percent, and their differences are in points (hundredths). Other figures have the unit of the
labels, and their differences are relative to the first, in percent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.choices import TaskName
from shared.result import Epoch, Outcome, RunResult
from shared.task import TASKS as _TASKS
from shared.task import Metric, Task


@dataclass(frozen=True)
class KeyFigure:
    """The figure of a task, with its texts and differences."""

    task: Task
    metric: Metric

    @property
    def title(self) -> str:
        """Its name at the start of a line: "Accuracy"."""
        return self.metric.title[0].upper() + self.metric.title[1:]

    @property
    def unit(self) -> str:
        """The unit of differences."""
        return "points" if self.metric.share else "%"

    def of(self, outcome: Outcome) -> float:
        """Return its value for the test images."""
        return outcome.figure(self.metric.name)

    def text_of(self, value: float) -> str:
        """Return a value as text: "97.50%", "0.1234"."""
        return f"{value:.2%}" if self.metric.share else f"{value:.4g}"

    @property
    def axis(self) -> str:
        """The label of its axis in a picture: "accuracy (%)"."""
        return f"{self.metric.title} (%)" if self.metric.share else self.metric.title

    @property
    def scale(self) -> float:
        """The factor that scales values to that axis."""
        return 100.0 if self.metric.share else 1.0

    def gap(self, training: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return how much better the training figure is than the one after the epoch."""
        better: np.ndarray = after - training if self.metric.lower_is_better else training - after
        return better

    def levels(self, values: Sequence[float]) -> str:
        """Return the range of several values as text."""
        low, high = min(values), max(values)
        return self.text_of(low) if low == high else f"{self.text_of(low)} to {self.text_of(high)}"

    def difference(self, one: float, other: float) -> float:
        """Return the difference of `other` and `one`, relative to `one` unless the figure is a share."""
        if self.metric.share:
            return other - one
        return (other - one) / abs(one) if one else float(other != one)

    def resolution(self, n_test: int) -> float:
        """Return the step in which a difference can change: for shares one test image."""
        return 1 / n_test if self.metric.share else 1e-6

    def is_better(self, difference: float) -> bool:
        """Whether a `difference` is an improvement."""
        return difference < 0 if self.metric.lower_is_better else difference > 0

    def compared(self, difference: float) -> str:
        """Return the words of a verdict on a `difference`: "is more accurate", "has a lower RMSE"."""
        if self.task.classifies:
            return f"is {'more' if difference > 0 else 'less'} accurate"
        return f"has a {'higher' if difference > 0 else 'lower'} {self.metric.title}"

    def of_epoch(self, epoch: Epoch) -> float | None:
        """Return its value after an epoch: for the validation images if there are any, else for the test images."""
        found = epoch.figure("validation", self.metric.name)
        return epoch.figure("test", self.metric.name) if found is None else found


def flat_epoch(epoch: Epoch) -> dict[str, float | None]:
    """Return the fields of an epoch. Each metric of a task other than classification has its own field: `test_rmse`."""
    flat: dict[str, float | None] = {}
    for name, value in epoch.model_dump().items():
        if isinstance(value, dict):
            part = name.removesuffix("_metrics")
            flat |= {f"{part}_{metric}": one for metric, one in value.items()}
        else:
            flat[name] = value
    return flat


ACCURACY = KeyFigure(_TASKS["classification"], _TASKS["classification"].metric)


def figure_of(results: Sequence[RunResult]) -> KeyFigure:
    """Return the figure for comparing these results, which are of one task."""
    return of_task(results[0].run.spec.task) if results else ACCURACY


def of_task(name: TaskName) -> KeyFigure:
    """Return the figure of a task."""
    return KeyFigure(_TASKS[name], _TASKS[name].metric)
