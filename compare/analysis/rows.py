"""One flat row of figures for each result, for the table, the CSV file and the reports."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from compare.analysis.timing import step_time
from compare.folders.tabular import columns_of
from shared.choices import TaskName
from shared.result import RunResult
from shared.task import TASKS, Task


@dataclass(frozen=True)
class Row:
    """The columns of results.csv, in order. A column that was not measured is None."""

    implementation: str
    framework_version: str | None
    model: str
    dataset: str
    recipe: str
    mode: str
    device: str
    seed: int
    epochs: int
    batch_size: int
    n_params: int | None
    n_trainable: int | None
    test_accuracy: float | None
    test_loss: float | None
    train_accuracy: float | None
    step_ms_median: float | None
    step_ms_ci_low: float | None
    step_ms_ci_high: float | None
    images_per_s: float | None
    first_step_s: float | None
    train_s: float | None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    status: str
    error: str | None
    waiting: str | None

    @property
    def task(self) -> TaskName:
        """The network's task."""
        return "classification"

    @property
    def metrics(self) -> dict[str, float | None]:
        """The metrics of a task other than classification, by column; they replace the accuracies."""
        return {}


@dataclass(frozen=True)
class TaskRow(Row):
    """A row of a task other than classification, with its metrics by column."""

    of_task: TaskName
    figures: tuple[tuple[str, float | None], ...]

    @property
    def task(self) -> TaskName:
        return self.of_task

    @property
    def metrics(self) -> dict[str, float | None]:
        return dict(self.figures)


COLUMNS = columns_of(Row)


def columns(rows: Sequence[Row]) -> dict[str, type]:
    """Return the columns of these rows, which are of one task."""
    task = _task(rows)
    if task.classifies:
        return COLUMNS
    found: dict[str, type] = {}
    for name, kind in COLUMNS.items():
        if name == "test_accuracy":
            found |= {f"test_{metric.name}": float for metric in task.metrics}
        elif name == "train_accuracy":
            found[f"train_{task.metric.name}"] = float
        else:
            found[name] = kind
    return found


def line(row: Row) -> dict[str, Any]:
    """Return a row as the values of its `columns`, by name."""
    known = {**asdict(row), **row.metrics}
    return {name: known.get(name) for name in columns([row])}


def _task(rows: Sequence[Row]) -> Task:
    return TASKS[rows[0].task] if rows else TASKS["classification"]


def row(result: RunResult) -> Row:
    """Return the figures of one result."""
    run, outcome = result.run, result.outcome
    time = step_time(result) if outcome else None
    task = TASKS[run.spec.task]
    metrics: dict[str, float | None] = {}
    if outcome and not task.classifies:
        metrics = {f"test_{name}": value for name, value in outcome.test_metrics.items()}
        metrics[f"train_{task.metric.name}"] = outcome.epochs[-1].figure("train", task.metric.name)
    made = Row if task.classifies else partial(TaskRow, of_task=task.name, figures=tuple(metrics.items()))
    return made(
        implementation=run.implementation,
        framework_version=result.environment.framework_version if result.environment else None,
        model=run.model,
        dataset=run.data.dataset,
        recipe=run.recipe,
        mode=f"{run.mode}, tuned" if run.tuned else run.mode,
        device=run.device,
        seed=run.train.seed,
        epochs=outcome.epochs[-1].epoch if outcome else run.train.epochs,
        batch_size=run.train.batch_size,
        n_params=outcome.n_params if outcome else None,
        n_trainable=outcome.n_trainable if outcome else None,
        test_accuracy=outcome.test_accuracy if outcome else None,
        test_loss=outcome.test_loss if outcome else None,
        train_accuracy=outcome.epochs[-1].train_accuracy if outcome else None,
        step_ms_median=time.median_s * 1e3 if time else None,
        step_ms_ci_low=time.low_s * 1e3 if time and time.low_s is not None else None,
        step_ms_ci_high=time.high_s * 1e3 if time and time.high_s is not None else None,
        images_per_s=run.train.batch_size / time.median_s if time else None,
        first_step_s=outcome.samples.step_s[0] if outcome and outcome.samples.step_s else None,
        train_s=outcome.train_s if outcome else None,
        peak_rss_bytes=outcome.peak_rss_bytes if outcome else None,
        peak_device_bytes=outcome.peak_device_bytes if outcome else None,
        status=result.status,
        error=result.error,
        waiting=result.environment.waiting if result.environment else None,
    )
