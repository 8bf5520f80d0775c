"""What `compare bench --inference` measured, as frozen records: every call of every window of every launch."""

from typing import Annotated, Literal, get_args

from pydantic import FailFast, Field, FiniteFloat, model_validator

from compare.bench.result import Ending
from shared.choices import Format, Mode, Waiting
from shared.contract import OwnNetwork
from shared.record import Count, Positive, Record, Seconds, Texts
from shared.result import Environment

RECORD = "inference.json"
Form = Literal["eager", "graph", "xla", "pt2", "onnx", "file", "savedmodel"]
MODES: tuple[Mode, ...] = get_args(Mode)  # the forms that are an implementation's own code
FILES: dict[Form, Format] = {"pt2": "torch", "onnx": "onnx", "file": "keras", "savedmodel": "tf_savedmodel"}
FORMS: tuple[Form, ...] = get_args(Form)
WORDS: dict[Form, str] = {
    "eager": "its own code",
    "graph": "compiled",
    "xla": "compiled by XLA",
    "pt2": "torch.export",
    "onnx": "ONNX Runtime",
    "file": "Keras's file",
    "savedmodel": "SavedModel",
}
Microseconds = Annotated[FiniteFloat, Field(ge=0, le=1e15)]


class Served(Record):
    """One way to serve: an implementation in a form, and the variables that its process is started with. `files_bytes`
    is what has to be on disk of the network itself: its weights, or the file that was exported."""

    name: str
    implementation: str
    form: Form
    threads: Positive
    waiting: Waiting
    variables: Texts
    files_bytes: Count


class Unavailable(Record):
    """A way to serve that is not there, and why."""

    name: str
    implementation: str
    form: Form
    why: str


class CallWindow(Record):
    """Calls of one batch size one after another. `call_us` are the microseconds of each, from images on the host to
    logits on the host; `own_s` and `foreign_s` the processor time meanwhile of this process and of all others."""

    batch_size: Positive
    round: int = Field(ge=0, le=2**31)
    position: Count
    elapsed_s: FiniteFloat = Field(gt=0)
    own_s: Seconds
    foreign_s: FiniteFloat | None
    n_preempted: Count
    call_us: Annotated[tuple[Microseconds, ...], FailFast(), Field(min_length=1)]

    @property
    def images_per_s(self) -> float:
        """The images answered in a second."""
        return self.batch_size * len(self.call_us) / self.elapsed_s


class MeasuredServer(Record):
    """One way in one launch. `start_s` is the time from the start of the process to its first answer, of one image,
    while no other process starts. `distance` is how far its logits are from the median of all ways, relative to the
    largest."""

    start_s: Seconds
    warm: bool
    distance: FiniteFloat
    windows: tuple[CallWindow, ...]
    peak_rss_bytes: Count | None

    def at(self, batch_size: int) -> tuple[CallWindow, ...]:
        """Return the windows of one batch size, in the order of the rounds."""
        return tuple(w for w in self.windows if w.batch_size == batch_size)


class InferenceLaunch(Record):
    """All ways started once, and measured in turns; why one has no measurement, by name."""

    number: Count
    started_s: Seconds  # since the bench began
    measured: dict[str, MeasuredServer]
    failed: Texts


class InferenceResult(Record):
    """A whole bench of inference. `bound` is how far the logits of two ways may be apart, relative to the largest."""

    schema_version: Literal[1] = 1
    model: str
    dataset: str
    data_digest: str
    seed: Count
    batch_sizes: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=64)]
    served: tuple[Served, ...]
    unavailable: tuple[Unavailable, ...]
    libraries: dict[str, Count]  # bytes on disk of the distributions that a way imports, by its name
    baseline: str
    bound: FiniteFloat = Field(gt=0)
    precision: FiniteFloat = Field(gt=0)
    budget_s: Seconds
    took_s: Seconds
    ending: Ending
    environments: dict[str, Environment]
    launches: tuple[InferenceLaunch, ...]
    network: OwnNetwork | None = None  # of the user's own

    @model_validator(mode="after")
    def _of_its_ways(self) -> "InferenceResult":
        names = {one.name for one in self.served}
        sizes = {w.batch_size for launch in self.launches for one in launch.measured.values() for w in one.windows}
        measured = {name for launch in self.launches for name in launch.measured}
        if len(names) < len(self.served) or not names >= {self.baseline, *measured, *self.environments}:
            raise ValueError("its launches, environments or baseline name unknown ways to serve")
        if not sizes <= set(self.batch_sizes) or list(self.batch_sizes) != sorted(set(self.batch_sizes)):
            raise ValueError("its batch sizes do not rise, or are not those of its windows")
        return self

    @property
    def names(self) -> list[str]:
        """The ways to serve, in their order."""
        return [one.name for one in self.served]

    @property
    def cpu(self) -> str:
        """The processor that it was measured on."""
        return next((environment.cpu for environment in self.environments.values()), "an unknown processor")

    def of(self, name: str) -> list[MeasuredServer]:
        """Return what was measured of one way, launch by launch."""
        return [launch.measured[name] for launch in self.launches if name in launch.measured]
