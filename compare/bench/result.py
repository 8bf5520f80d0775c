"""What was measured, as frozen records: every window of every launch. Tables, plots and verdicts are made from them."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from compare.rpc.messages import Timed
from shared.choices import Device, MixedPrecision, Mode, Recipe, Waiting
from shared.contract import OwnNetwork
from shared.models import MODELS, ModelSpec
from shared.record import Count, Positive, Record, Seconds, Texts
from shared.result import Environment

BENCH_SCHEMA_VERSION: Literal[1] = 1
Ending = Literal["precise", "budget", "interrupted", "failed"]
Rate = Annotated[FiniteFloat, Field(gt=0)]


class Contestant(Record):
    """Who takes part: an implementation in a mode, with what it was tuned by and the variables it was started with."""

    name: str
    implementation: str
    mode: Mode
    threads: Positive
    batch_size: Positive
    tuning: Texts
    variables: Texts
    tuned: str | None = None  # what a search chose, in words
    mixed_precision: MixedPrecision = "none"
    waiting: Waiting = "system"  # how its OpenMP threads wait for each other
    recipe: Recipe = "matched"  # in the idiomatic one a framework's own loop is timed, an epoch a window


class TimedWindow(Record):
    """A window of `steps` steps; `others_s` is the processor time of other processes meanwhile, in seconds.

    `round` counts from 0 within the launch, -1 is warm-up; `position` is the place in the round's order; `beside` is
    how many busy processes of this command's own ran meanwhile.
    """

    what: Timed
    round: int = Field(ge=-1, le=2**31)
    position: Count
    steps: int = Field(ge=1, le=2**31)
    elapsed_s: FiniteFloat = Field(gt=0)
    fetch_s: Seconds
    own_s: Seconds
    foreign_s: FiniteFloat | None  # of two clocks, and so a little less than nothing at times
    n_preempted: Count
    beside: Count = 0
    sent_bytes: Count | None = None  # by all processes, over all network interfaces; of several processes alone

    @property
    def step_s(self) -> float:
        """The time of one step."""
        return self.elapsed_s / self.steps


class Measured(Record):
    """One contestant in one launch.

    `start_s` is the time from the start of the process until the framework is imported, while no other is starting.
    `first_step_s` is the first step from the host's batch, with whatever it compiles. `warm` says whether warm-up ended
    because steps got no faster, and not because it took too long.
    """

    start_s: Seconds | None
    create_s: Seconds
    first_step_s: Seconds | None
    warm: bool
    windows: tuple[TimedWindow, ...]
    peak_rss_bytes: Count | None
    peak_device_bytes: Count | None
    operation_s: dict[str, FiniteFloat]  # of one step, by kind of operation, if it was profiled
    # Of each convolution and product of a step, with nothing before or after it.
    alone_s: dict[str, FiniteFloat] = Field(default_factory=dict)

    def step_s(self, what: Timed) -> tuple[float, ...]:
        """The time of a steady step in each round, in the order of the rounds."""
        return tuple(w.step_s for w in self.windows if w.what == what and w.round >= 0)

    @property
    def warmup_steps(self) -> int:
        """How many steps were made before the first round."""
        return 1 + sum(w.steps for w in self.windows if w.round < 0)


class Ceiling(Record):
    """What a framework reached of the machine's limits: products of large float32 matrices, and copies of a large array
    (bytes read and bytes written), each a median."""

    framework: str
    threads: Positive
    flops_per_s: Rate
    copied_bytes_per_s: Rate


class Launch(Record):
    """All contestants started again, and measured in turns; why one has no measurement, by name; and what the machine
    was able to do then."""

    number: Count
    started_s: Seconds  # since the bench began
    measured: dict[str, Measured]
    failed: Texts
    ceilings: tuple[Ceiling, ...] = ()


class BenchResult(Record):
    """A whole bench."""

    schema_version: Literal[1] = BENCH_SCHEMA_VERSION
    model: str
    dataset: str
    data_digest: str
    n_test: Positive
    device: Device
    seed: Count
    contestants: tuple[Contestant, ...]
    lacking: tuple[str, ...]  # modes that were asked for and that an implementation does not have
    baseline: str
    flops_per_image: Positive
    bytes_per_image: Positive
    bytes_per_step: Positive
    precision: FiniteFloat = Field(gt=0)
    budget_s: Seconds
    took_s: Seconds
    ending: Ending
    environments: dict[str, Environment]
    launches: tuple[Launch, ...]
    network: OwnNetwork | None = None  # of the user's own

    @property
    def spec(self) -> ModelSpec:
        """The contract of its architecture."""
        return self.network or MODELS[self.model]

    @model_validator(mode="after")
    def _of_its_contestants(self) -> "BenchResult":
        names = {contestant.name for contestant in self.contestants}
        known = names >= {self.baseline, *(name for launch in self.launches for name in launch.measured)}
        if len(names) < len(self.contestants) or not known or not names >= set(self.environments):
            raise ValueError("its launches, environments or baseline name unknown contestants")
        return self

    @property
    def cpu(self) -> str:
        """The processor that it was measured on."""
        return next((environment.cpu for environment in self.environments.values()), "an unknown processor")

    def samples(self, name: str, what: Timed) -> list[tuple[float, ...]]:
        """The times of a steady step of one contestant, by launch and round, without launches in which it failed."""
        return [launch.measured[name].step_s(what) for launch in self.launches if name in launch.measured]
