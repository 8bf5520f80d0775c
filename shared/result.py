"""What was asked for and what came of it, as frozen records that are written to and read from JSON.

Records hold the raw samples; medians, tables and pictures are made from them. What was not measured is None, never 0,
and no number is NaN or infinite.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

from shared.data import DataSpec, Scale
from shared.protocol import Device, Mode, Recipe
from shared.training import TrainSpec

SCHEMA_VERSION: Literal[1] = 1


class Record(BaseModel):
    """A frozen record that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(Record):
    """One training run to be: a row of the table."""

    implementation: str
    model: str
    data: DataSpec
    train: TrainSpec
    recipe: Recipe
    mode: Mode
    device: Device

    @property
    def name(self) -> str:
        """`<implementation>-seed<k>`: the stem of this run's files."""
        return f"{self.implementation}-seed{self.train.seed}"


class Environment(Record):
    """Where a run took place: what the worker process saw."""

    framework: str
    framework_version: str
    python: str
    numpy: str
    system: str
    cpu: str
    cores: int
    threads: int
    n_cuda_devices: int
    settings: dict[str, str]
    variables: dict[str, str]


class Epoch(Record):
    """One epoch. The training figures are averages over its steps, each before that step's update; the others are
    those after the epoch: of the validation images where some were set apart, else of the test images."""

    epoch: int
    train_loss: FiniteFloat
    train_accuracy: FiniteFloat
    validation_loss: FiniteFloat | None = None
    validation_accuracy: FiniteFloat | None = None
    test_loss: FiniteFloat | None = None
    test_accuracy: FiniteFloat | None = None


class Samples(Record):
    """Every training step in order: its loss, and its time in seconds from the host's batch to synchronised, updated
    weights.

    `slice_steps` says how many steps were run in each turn: the implementations take turns, so that all of them meet
    the machine in the same state. `yardstick_s` is how long one and the same matrix product took before each turn.

    In the idiomatic recipe a framework's own loop trains for a whole epoch in a turn; then there are no steps here, but
    the time of every epoch in `epoch_s`, and how many steps it had in `epoch_steps`.
    """

    loss: tuple[FiniteFloat, ...] = ()
    step_s: tuple[FiniteFloat, ...] = ()
    slice_steps: tuple[int, ...] = ()
    yardstick_s: tuple[FiniteFloat, ...] = ()
    epoch_s: tuple[FiniteFloat, ...] = ()
    epoch_steps: tuple[int, ...] = ()


class Outcome(Record):
    """What a run that came to its end gave.

    `scale` is the scaling in which the network wants its images; `own_choices` is what the idiomatic recipe chose, in
    words. `foreign_load` is the share of a core that other processes took while it trained, None where that is not
    known. `resumed_after` says after which epochs training was interrupted and taken up again.
    """

    device_name: str
    scale: Scale = "unit"
    own_choices: dict[str, str] = {}
    n_params: int
    n_trainable: int
    epochs: tuple[Epoch, ...]
    samples: Samples
    train_s: FiniteFloat
    test_accuracy: FiniteFloat
    test_loss: FiniteFloat
    confusion: tuple[tuple[int, ...], ...]
    foreign_load: FiniteFloat | None = None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    weights_sha256: str
    resumed_after: tuple[int, ...] = ()


class History(Record):
    """How far a run came that has no outcome."""

    epochs: tuple[Epoch, ...]
    samples: Samples


class RunResult(Record):
    """A run with its outcome, or with the reason why there is none: it `failed`, or it `diverged`, which another try
    would do again. `history` is how far it came then, where it had begun."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    status: Literal["ok", "failed", "diverged"]
    error: str | None = None
    environment: Environment | None = None
    data_digest: str
    n_train: int
    n_validation: int = 0
    n_test: int
    outcome: Outcome | None = None
    history: History | None = None

    @property
    def name(self) -> str:
        """The stem of this run's files."""
        return self.run.name

    @property
    def weights_path(self) -> str:
        """Where the trained weights lie in the output folder."""
        return f"weights/{self.name}.safetensors"
