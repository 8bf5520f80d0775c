"""What `compare port --bench` measured, as frozen records: every window of every launch."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from compare.bench.result import Ending
from compare.rpc.timing_messages import Pass
from shared.choices import Mode, Waiting
from shared.record import Count, Positive, Record, Seconds, Texts
from shared.result import Environment

RECORD = "times.json"
Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
WORDS: dict[Pass, str] = {"forward": "forward pass", "training": "training step"}


class TimedModel(Record):
    """One model in one mode: `asked` is None for the way in which its users run it. `threads`, `waiting` and
    `variables` are those that its process is started with."""

    name: str
    side: Side
    asked: Mode | None
    threads: Positive
    waiting: Waiting
    variables: Texts


class PassWindow(Record):
    """Passes over one batch size one after another; `own_s` and `foreign_s` are the processor time meanwhile of this
    process and of all others. `finite`: whether the last one gave finite numbers."""

    what: Pass
    batch_size: Positive
    round: int = Field(ge=0, le=2**31)
    position: Count
    calls: Positive
    elapsed_s: FiniteFloat = Field(gt=0)
    own_s: Seconds
    foreign_s: FiniteFloat | None
    n_preempted: Count
    finite: bool

    @property
    def pass_s(self) -> float:
        """The time of one pass."""
        return self.elapsed_s / self.calls


class MeasuredModel(Record):
    """One model in one launch. `start_s` is from the start of its process to its being ready, `first_s` the first pass
    of each kind, in the largest batch, with whatever it compiles. `node_s`: of each layer alone, round by round."""

    mode: Mode
    in_words: str
    start_s: Seconds
    first_s: dict[Pass, FiniteFloat]
    warm: bool
    windows: tuple[PassWindow, ...]
    node_s: dict[str, tuple[Annotated[FiniteFloat, Field(ge=0)], ...]]

    def pass_s(self, what: Pass, batch_size: int) -> tuple[float, ...]:
        """The time of a pass in each round, in the order of the rounds."""
        return tuple(w.pass_s for w in self.windows if w.what == what and w.batch_size == batch_size)


class PortLaunch(Record):
    """All models started once, and measured in turns; why one has no measurement, by name."""

    number: Count
    started_s: Seconds  # since the bench began
    measured: dict[str, MeasuredModel]
    failed: Texts


class TimedPair(Record):
    """Two aligned layers."""

    left: str
    right: str
    kind: str


class PortTimes(Record):
    """A whole bench of two models. `whats`: the passes that are timed; `untrained`: why training steps are not, "" if
    they are. Layers are timed alone in batches of `node_batch_size`."""

    schema_version: Literal[1] = 1
    references: dict[Side, str]
    models: tuple[TimedModel, ...]
    lacking: tuple[str, ...] = ()  # modes that were asked for and that a side does not have
    baseline: str
    whats: tuple[Pass, ...]
    untrained: str
    batch_sizes: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=64)]
    node_batch_size: Positive
    pairs: tuple[TimedPair, ...]
    precision: FiniteFloat = Field(gt=0)
    budget_s: Seconds
    took_s: Seconds
    ending: Ending
    environments: dict[str, Environment]
    launches: tuple[PortLaunch, ...]

    @model_validator(mode="after")
    def _of_its_models(self) -> "PortTimes":
        names = {one.name for one in self.models}
        measured = {name for launch in self.launches for name in launch.measured}
        if len(names) < len(self.models) or not names >= {self.baseline, *measured, *self.environments}:
            raise ValueError("its launches, environments or baseline name unknown models")
        return self

    @property
    def names(self) -> list[str]:
        """The models in their modes, in their order."""
        return [one.name for one in self.models]

    def of(self, name: str) -> list[MeasuredModel]:
        """What was measured of one model, launch by launch."""
        return [launch.measured[name] for launch in self.launches if name in launch.measured]
