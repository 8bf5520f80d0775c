"""A request and its results, as frozen records that are written to and read from JSON.

Records have the raw samples; medians, tables and pictures are made from them. A value that was not measured is None,
never 0, and no number is NaN or infinite.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, FiniteFloat, model_validator

from shared.batches import n_batches
from shared.choices import Device, Mode, Recipe, Scale, Waiting
from shared.contract import MOST_CLASSES, OwnNetwork
from shared.data import DataSpec
from shared.models import MODELS, ModelSpec
from shared.record import Count, Counts, Numbers, Positive, Record, Seconds, Share, Texts, Times
from shared.task import TASKS
from shared.training import TrainSpec

SCHEMA_VERSION: Literal[1] = 1


class Tuned(Record):
    """How a run is made faster without another result, by what a search found fastest on a machine (`factor`, in
    words). That is a `tuning` of the implementation, the variables of its worker, its threads, and how they wait for
    each other."""

    factor: str
    tuning: Texts
    variables: Texts
    threads: Positive
    waiting: Waiting = "system"


class Run(Record):
    """One training run to be: a row of the table. `network` is the contract of a network of the user's own, None for
    the architectures of this package."""

    implementation: str
    model: str
    data: DataSpec
    train: TrainSpec
    recipe: Recipe
    mode: Mode
    device: Device
    tuned: Tuned | None = None
    network: OwnNetwork | None = None

    @model_validator(mode="after")
    def _of_its_network(self) -> "Run":
        if self.network is not None and self.network.name != self.model:
            raise ValueError(f"its network is {self.network.name}, and its model another")
        return self

    @property
    def spec(self) -> ModelSpec:
        """The contract of its architecture."""
        return self.network or MODELS[self.model]

    @property
    def tuning(self) -> dict[str, str]:
        """What the implementation is to be tuned by; nothing, if it is not."""
        return self.tuned.tuning if self.tuned else {}

    @property
    def name(self) -> str:
        """`<implementation>-seed<k>`: the stem of this run's files."""
        return f"{self.implementation}-seed{self.train.seed}"


Metrics = Annotated[dict[str, FiniteFloat], Field(max_length=20)]
ACCURACY = "accuracy"


class Points(Record):
    """Some images' predicted numbers, and the true ones, of one output of a regression."""

    predicted: Numbers
    true: Numbers

    @model_validator(mode="after")
    def _in_pairs(self) -> "Points":
        if len(self.predicted) != len(self.true):
            raise ValueError(f"there are {len(self.predicted):,} predicted numbers and {len(self.true):,} true ones")
        return self


class Environment(Record):
    """Where a run took place: what the worker process saw. `node` is the name of the machine; `cores` are
    those that this process could use, and `cores_in_words` says of what they are the least. `waiting` is None in
    records from before it was an option: their `variables` say how OpenMP was set."""

    node: str = ""
    framework: str
    framework_version: str
    python: str
    numpy: str
    system: str
    cpu: str
    cores: Count
    threads: Count
    n_cuda_devices: Count
    settings: Texts
    variables: Texts
    waiting: Waiting | None = None
    cores_in_words: str = ""


class Epoch(Record):
    """One epoch. The training figures are averages over its steps, each before that step's update. The others are those
    after the epoch: of the validation images if some were set apart, else of the test images. For tasks other than
    classification there are no accuracies but the metrics of that task, by their names (shared/task.py)."""

    epoch: Count
    train_loss: FiniteFloat
    train_accuracy: Annotated[Share | None, Field(exclude_if=lambda share: share is None)] = None
    validation_loss: FiniteFloat | None = None
    validation_accuracy: Share | None = None
    test_loss: FiniteFloat | None = None
    test_accuracy: Share | None = None
    train_metrics: Metrics = Field(default_factory=dict, exclude_if=lambda found: not found)
    validation_metrics: Metrics = Field(default_factory=dict, exclude_if=lambda found: not found)
    test_metrics: Metrics = Field(default_factory=dict, exclude_if=lambda found: not found)

    def figure(self, part: Literal["train", "validation", "test"], metric: str) -> float | None:
        """Return a metric of one part by its name, None if it was not measured."""
        found: float | None = getattr(self, f"{part}_accuracy") if metric == ACCURACY else None
        return found if metric == ACCURACY else getattr(self, f"{part}_metrics").get(metric)


def _counted(epochs: tuple[Epoch, ...]) -> tuple[Epoch, ...]:
    if [epoch.epoch for epoch in epochs] != list(range(1, len(epochs) + 1)):
        raise ValueError("the epochs are not numbered 1, 2, 3, ...")
    return epochs


Epochs = Annotated[tuple[Epoch, ...], FailFast(), AfterValidator(_counted)]


class Samples(Record):
    """Every training step in order: its loss, and its time in seconds from the host's batch to synchronised, updated
    weights.

    `slice_steps` says how many steps were run in each turn: the implementations take turns, so that all of them meet
    the machine in the same state. `yardstick_s` is how long one and the same matrix product took, about once a second.

    In the idiomatic recipe a framework's own loop trains for a whole epoch in a turn. Then there are no steps here, but
    the time of every epoch in `epoch_s`, and how many steps it had in `epoch_steps`.
    """

    loss: Numbers = ()
    step_s: Times = ()
    slice_steps: Counts = ()
    yardstick_s: Times = ()
    epoch_s: Times = ()
    epoch_steps: Counts = ()

    @model_validator(mode="after")
    def _of_the_same_steps(self) -> "Samples":
        if not len(self.loss) == len(self.step_s) == sum(self.slice_steps):
            raise ValueError(
                f"there are {len(self.loss):,} losses, {len(self.step_s):,} times of steps, and turns of "
                f"{sum(self.slice_steps):,} steps in all"
            )
        if len(self.epoch_s) != len(self.epoch_steps):
            raise ValueError(f"there are {len(self.epoch_s):,} times of epochs and steps of {len(self.epoch_steps):,}")
        return self


class Outcome(Record):
    """What a completed run gave.

    `scale` is the scaling in which the network wants its images; `own_choices` is what the idiomatic recipe chose, in
    words. `foreign_load` is the share of a core that other processes took while it trained, None if that is not
    known. `resumed_after` says after which epochs training was interrupted and taken up again.

    Of a classification there are `test_accuracy` and `confusion`; of another task its metrics in `test_metrics`, by
    their names. `label_counts` says of each of several labels how often it is predicted and there, predicted alone,
    there alone, and neither. `points` holds some of a regression's predicted and true numbers, for each output.
    """

    device_name: str
    scale: Scale = "unit"
    own_choices: Texts = Field(default_factory=dict)
    n_params: Count
    n_trainable: Count
    epochs: Epochs
    samples: Samples
    train_s: Seconds
    test_accuracy: Annotated[Share | None, Field(exclude_if=lambda share: share is None)] = None
    test_loss: FiniteFloat
    confusion: Annotated[
        tuple[Counts, ...], FailFast(), Field(max_length=MOST_CLASSES, exclude_if=lambda matrix: not matrix)
    ] = ()
    test_metrics: Metrics = Field(default_factory=dict, exclude_if=lambda found: not found)
    label_counts: Annotated[
        tuple[Counts, ...], FailFast(), Field(max_length=MOST_CLASSES, exclude_if=lambda counts: not counts)
    ] = ()
    points: Annotated[
        tuple[Points, ...], FailFast(), Field(max_length=MOST_CLASSES, exclude_if=lambda points: not points)
    ] = ()
    foreign_load: FiniteFloat | None = None
    peak_rss_bytes: Count | None
    peak_device_bytes: Count | None
    weights_sha256: str
    resumed_after: Annotated[Counts, Field(max_length=100_000)] = ()

    @model_validator(mode="after")
    def _square(self) -> "Outcome":
        if any(len(row) != len(self.confusion) for row in self.confusion):
            raise ValueError("the confusion matrix is not square")
        return self

    def figure(self, metric: str) -> float:
        """Return a metric of the test images by its name."""
        found = self.test_accuracy if metric == ACCURACY else self.test_metrics[metric]
        assert found is not None, "a record has what its task is judged by"
        return found


class History(Record):
    """How far a run came that has no outcome."""

    epochs: Epochs
    samples: Samples


class RunResult(Record):
    """A run with its outcome, or with the reason why there is none: it `failed`, or it `diverged`, which another try
    would do again. `history` is how far it came then, if it had begun. `in_turns` says whether it was trained side
    by side with the others of its seed, or alone, wherever there was room."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    status: Literal["ok", "failed", "diverged"]
    error: str | None = None
    environment: Environment | None = None
    data_digest: str
    n_train: Positive
    n_validation: Count = 0
    n_test: Positive
    outcome: Outcome | None = None
    history: History | None = None
    in_turns: bool = True

    @model_validator(mode="after")
    def _either_an_outcome_or_a_reason(self) -> "RunResult":
        if (self.status == "ok") != (self.outcome is not None):
            raise ValueError(f"its status is '{self.status}', and it has {'an' if self.outcome else 'no'} outcome")
        if (self.status == "ok") != (self.error is None):
            raise ValueError(f"its status is '{self.status}', and it names {'an' if self.error else 'no'} error")
        return self

    @model_validator(mode="after")
    def _figures_of_its_task(self) -> "RunResult":
        if self.run.network is None and self.run.model not in MODELS:
            return self  # from another version
        task, reached = TASKS[self.run.spec.task], self.outcome or self.history
        epochs = reached.epochs if reached else ()
        for metric in task.metrics:
            known = [epoch.figure("train", metric.name) for epoch in epochs]
            if self.outcome:
                known.append(
                    self.outcome.test_accuracy
                    if metric.name == ACCURACY
                    else self.outcome.test_metrics.get(metric.name)
                )
            if None in known:
                raise ValueError(f"it is of a {task.title}, and has no {metric.title}")
        if self.outcome and task.classifies and not self.outcome.confusion:
            raise ValueError("it is of a classification, and has no confusion matrix")
        return self

    @model_validator(mode="after")
    def _whole_epochs(self) -> "RunResult":
        if self.outcome:
            samples, n_epochs = self.outcome.samples, len(self.outcome.epochs)
            if not n_epochs:
                raise ValueError("it ended without an epoch")
            n_steps = n_epochs * n_batches(self.n_train, self.run.train.batch_size)
            if (len(samples.epoch_s), len(samples.step_s)) not in ((n_epochs, 0), (0, n_steps)):
                raise ValueError(f"its samples are not those of {n_epochs} epochs")
        return self

    @property
    def name(self) -> str:
        """The stem of this run's files."""
        return self.run.name

    @property
    def weights_path(self) -> str:
        """The path of the trained weights in the output folder."""
        return f"weights/{self.name}.safetensors"


class CondensedResult(RunResult):
    """What is left of one of very many results (compare/analysis/condensed.py): of its outcome the last epoch alone, no
    samples but the first step, and no confusion matrix. `step_median_s` is the median of its steady steps, and
    `reached_s` the training time until the accuracy that was asked for, None if there is none. It is never written.
    """

    step_median_s: float | None = None
    reached_s: float | None = None
