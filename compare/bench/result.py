"""What was measured, as frozen records: every window of every launch. Tables, plots and verdicts are made from them."""

from typing import Literal

from pydantic import FiniteFloat

from compare.messages import Timed
from shared.protocol import Device, Mode, Recipe
from shared.record import Record
from shared.result import Environment
from shared.training import MixedPrecision

BENCH_SCHEMA_VERSION: Literal[1] = 1
Ending = Literal["precise", "budget", "interrupted", "failed"]


class Contestant(Record):
    """Who takes part: an implementation in a mode, with what it was tuned by and the variables it was started with."""

    name: str
    implementation: str
    mode: Mode
    threads: int
    batch_size: int
    tuning: dict[str, str]
    variables: dict[str, str]
    tuned: str | None = None  # what a search chose, in words
    mixed_precision: MixedPrecision = "none"
    recipe: Recipe = "matched"  # in the idiomatic one a framework's own loop is timed, an epoch a window


class TimedWindow(Record):
    """A window of `steps` steps, in which `others_s` seconds of processor time went to others (compare/load.py).

    `round` counts from 0 within the launch, -1 is warm-up; `position` is the place in the round's order.
    """

    what: Timed
    round: int
    position: int
    steps: int
    elapsed_s: FiniteFloat
    fetch_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int

    @property
    def step_s(self) -> float:
        """The time of one step."""
        return self.elapsed_s / self.steps


class Measured(Record):
    """One contestant in one launch.

    `start_s` is from the start of the process to the framework's being imported, where nobody else was starting;
    `first_step_s` is the first step from the host's batch, with whatever is compiled by it; `warm` says whether
    warm-up ended because steps got no faster, and not because it had taken too long.
    """

    start_s: FiniteFloat | None
    create_s: FiniteFloat
    first_step_s: FiniteFloat | None
    warm: bool
    windows: tuple[TimedWindow, ...]
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    operation_s: dict[str, FiniteFloat]  # of one step, by kind of operation, where it was profiled

    def step_s(self, what: Timed) -> tuple[float, ...]:
        """The time of a steady step in each round, in the order of the rounds."""
        return tuple(w.step_s for w in self.windows if w.what == what and w.round >= 0)

    @property
    def warmup_steps(self) -> int:
        """How many steps were made before the first round."""
        return 1 + sum(w.steps for w in self.windows if w.round < 0)


class Launch(Record):
    """All contestants started anew, and measured in turns; why one has no measurement, by name."""

    number: int
    started_s: FiniteFloat  # since the bench began
    measured: dict[str, Measured]
    failed: dict[str, str]


class Ceiling(Record):
    """What a framework reached of the machine's limits in this session: products of large float32 matrices, and
    copies of a large array (bytes read and bytes written), each the median of a second's."""

    framework: str
    threads: int
    flops_per_s: FiniteFloat
    copied_bytes_per_s: FiniteFloat


class BenchResult(Record):
    """A whole bench."""

    schema_version: Literal[1] = BENCH_SCHEMA_VERSION
    model: str
    dataset: str
    data_digest: str
    n_test: int
    device: Device
    seed: int
    contestants: tuple[Contestant, ...]
    lacking: tuple[str, ...]  # modes that were asked for and that an implementation does not have
    baseline: str
    flops_per_image: int
    bytes_per_image: int
    bytes_per_step: int
    precision: FiniteFloat
    budget_s: FiniteFloat
    took_s: FiniteFloat
    ending: Ending
    environments: dict[str, Environment]
    launches: tuple[Launch, ...]
    ceilings: tuple[Ceiling, ...] = ()

    def samples(self, name: str, what: Timed) -> list[tuple[float, ...]]:
        """The times of a steady step of one contestant, by launch and round, without launches in which it failed."""
        return [launch.measured[name].step_s(what) for launch in self.launches if name in launch.measured]
