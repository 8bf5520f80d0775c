"""What the harness can ask of a worker, which announces itself with `Ready`, and what it can answer: to every request
the one that its docstring names, or `Failed`. Arrays travel beside a message, by name (compare/rpc/wire.py)."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from compare.rpc.message import Message
from shared.choices import Device, Format, Mode, Recipe, Scale
from shared.data import Part
from shared.ledger import Half
from shared.models import ModelSpec
from shared.protocol import Build, Tier
from shared.result import Environment, Points
from shared.training import TrainSpec
from shared.weights import Weights

Timed = Literal["end_to_end", "compute", "evaluation"]


class Request(Message):
    """What is asked."""

    @property
    def in_words(self) -> str:
        """What it asks for: `TrainSlice` is "train slice"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()


class Answer(Message):
    """What is answered."""


class LoadData(Request):
    """Take the arrays of the data that come with this. -> DataLoaded"""


class Create(Request):
    """Build a network and its optimizer; the initial weights come with this, unless it has its own. -> Created"""

    model: ModelSpec
    train: TrainSpec
    device: Device
    mode: Mode
    recipe: Recipe = "matched"
    tuning: dict[str, str] = Field(default_factory=dict)

    def build(self, weights: Weights) -> Build:
        """The request with the arrays that came with it."""
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return Build(**said, weights=weights or None)


class TrainSlice(Request):
    """Train on for `steps` steps from where the last slice ended, but not beyond the end of an epoch. -> Slice"""

    steps: int = Field(ge=1)


class FitEpoch(Request):
    """Train for the next epoch of the idiomatic recipe. -> Fitted"""


class GetState(Request):
    """Give everything that decides how training goes on from here. -> ArraysSent, with it"""


class Restore(Request):
    """Go on after `epochs` whole epochs, from the state that comes with this. -> Restored"""

    epochs: int = Field(ge=1)


class Evaluate(Request):
    """Evaluate on all images of one part of the data. -> Evaluation"""

    part: Part = "test"


class TimeWindow(Request):
    """Time `steps` training steps after `uncounted` ones, from the host's batch (`end_to_end`) or one on the device
    (`compute`) to updated weights. Or time as many evaluations of a batch of test images. -> Window"""

    what: Timed
    steps: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class GetProfile(Request):
    """Do `steps` training steps under the framework's own profiler, or time each product of one alone. -> Profile"""

    steps: int = Field(ge=1)
    alone: Device | None = None  # on this device


class GetLimits(Request):
    """Find out what the framework reaches of the device's limits. -> Limits"""

    device: Device


class GetWeights(Request):
    """Give the current weights. -> ArraysSent, with them"""


class GetOptimizerState(Request):
    """Give the optimizer's own tensors. -> ArraysSent, with them"""


class GetActivations(Request):
    """Give the output of every layer for the `images` that come with this. -> ArraysSent, with them"""

    training: bool


class GetLogits(Request):
    """Give the logits for the `images` that come with this. -> ArraysSent, with `logits`"""


class GetGradients(Request):
    """Give the loss and gradients of the first batch of the first epoch; nothing is updated. -> LossSent, with them"""


class GetFingerprint(Request):
    """Give what the network is about to compute with, field by field. -> FingerprintSent"""


class GetCounts(Request):
    """Have the framework count what the network has and does. -> Counted"""


class AnswerRow(Request):
    """Answer one half of a row of the ledger, whose inputs come with this. -> ArraysSent, with the `answer`"""

    row: str
    half: Half


class Export(Request):
    """Write a trained network to the file `path`. Its weights come with this, and `images` from 0 to 1. So do the
    `mean` and `deviation` that its images were scaled by, if they were. -> ArraysSent, with the file's own `logits`"""

    model: ModelSpec
    format: Format
    epsilon: FiniteFloat
    path: Path


class GetMemory(Request):
    """Give the peak memory of the process and of its device. -> PeakMemory"""


class Ready(Answer):
    """The framework is imported."""

    environment: Environment
    lacking: tuple[Tier, ...] = ()  # the tiers that the implementation does not export (shared/protocol.py)
    missing: tuple[str, ...] = ()  # the names of them that it does not export


class DataLoaded(Answer):
    """The digest of the arrays as they arrived."""

    digest: str


class Created(Answer):
    """The parameters as the framework itself counts them, the device they are on, and what the recipe chose."""

    n_params: int
    n_trainable: int
    device_name: str
    scale: Scale | None  # None: images are used as they were sent
    choices: dict[str, str]
    lacking: tuple[Tier, ...] = ()  # the tiers of which the network lacks something (shared/protocol.py)
    missing: tuple[str, ...] = ()  # the methods of them that it lacks


class EpochEnd(Message):
    """Averages over the steps of an epoch that a slice brought to its end."""

    train_loss: FiniteFloat
    train_accuracy: FiniteFloat | None = None
    train_metrics: dict[str, FiniteFloat] = Field(default_factory=dict)  # of another task than classification


class Slice(Answer):
    """The steps of one slice, and where training stands after them (`step` counts within the epoch, from 1).

    `foreign_s` is the processor time that other processes took meanwhile, None if the system does not report it.
    `yardstick_s` is how long a matrix product took just before, None if one was timed not long ago. If `diverged` says
    what is no longer finite, and when, the steps are those before.
    """

    epoch: int
    step: int
    loss: tuple[FiniteFloat, ...]
    step_s: tuple[FiniteFloat, ...]
    slice_s: FiniteFloat
    yardstick_s: FiniteFloat | None = None
    foreign_s: FiniteFloat | None = None
    epoch_end: EpochEnd | None
    diverged: str | None = None


class Restored(Answer):
    """The network stands where it stood."""


class Fitted(Answer):
    """One epoch of the idiomatic recipe. `elapsed_s` is all of it; `foreign_s` and `yardstick_s` are as in a Slice."""

    train_loss: FiniteFloat
    train_accuracy: FiniteFloat
    validation_loss: FiniteFloat
    validation_accuracy: FiniteFloat
    n_steps: int
    train_s: FiniteFloat
    elapsed_s: FiniteFloat
    yardstick_s: FiniteFloat | None = None
    foreign_s: FiniteFloat | None = None


class Evaluation(Answer):
    """Figures of one part of the data, as shared/result.py has them of the test images."""

    accuracy: FiniteFloat | None = None
    loss: FiniteFloat
    confusion: tuple[tuple[int, ...], ...] = ()
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    label_counts: tuple[tuple[int, ...], ...] = ()
    points: tuple[Points, ...] = ()


class Window(Answer):
    """One timed window: its time, and that of fetching the last loss after it. Also the processor time in it of this
    process and of others (None: not known), and what processes that train together sent over the network."""

    elapsed_s: FiniteFloat
    fetch_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int
    sent_bytes: int | None = None


class Profile(Answer):
    """The seconds that each kind of operation took in one step, on average."""

    operation_s: dict[str, FiniteFloat]


class Limits(Answer):
    """What a framework reaches in products of large float32 matrices, and in copying (bytes read and written)."""

    flops_per_s: FiniteFloat
    copied_bytes_per_s: FiniteFloat


class ArraysSent(Answer):
    """The arrays asked for come with this."""


class LossSent(Answer):
    """The loss; its gradients come with this."""

    loss: FiniteFloat


class FingerprintSent(Answer):
    """What the network is about to compute with (compare/worker/fingerprint.py)."""

    fields: dict[str, str]


class Counted(Answer):
    """What the framework itself counts: parameters by layer, FLOPs of one image's forward pass."""

    n_params: dict[str, int]
    flops: int


class PeakMemory(Answer):
    """Peak memory in bytes; None if it is not known."""

    peak_rss_bytes: int | None
    peak_device_bytes: int | None


class Failed(Answer):
    """The request could not be done: what went wrong in one line, and the traceback; `diverged` if numbers are no
    longer finite. If it is the user's own code that failed, `error` says so, and `own_lines` are the last ones of its
    own traceback, none if the reason is known."""

    error: str
    traceback: str
    diverged: bool = False
    own_lines: tuple[str, ...] | None = None
