"""The harness's requests to a worker, which announces itself with `Ready`, and the answers. The answer to every request
is the one that its docstring names, or `Failed`. Arrays are sent with a message, by name (compare/rpc/wire.py)."""

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
    """A request to a worker."""

    @property
    def in_words(self) -> str:
        """The request in words: `TrainSlice` is "train slice"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()


class Answer(Message):
    """A worker's answer."""


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
        """Return the request with the arrays that were sent with it."""
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return Build(**said, weights=weights or None)


class TrainSlice(Request):
    """Train on for `steps` steps from where the last slice ended, but not beyond the end of an epoch. -> Slice"""

    steps: int = Field(ge=1)


class FitEpoch(Request):
    """Train for the next epoch of the idiomatic recipe. -> Fitted"""


class GetState(Request):
    """Send everything that determines the rest of the training. -> ArraysSent, with it"""


class Restore(Request):
    """Continue after `epochs` whole epochs, from the state that comes with this. -> Restored"""

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
    alone: Device | None = None  # time products alone, on this device


class GetLimits(Request):
    """Measure how much of the device's limits the framework reaches. -> Limits"""

    device: Device


class GetWeights(Request):
    """Send the current weights. -> ArraysSent, with them"""


class GetOptimizerState(Request):
    """Send the optimizer's own tensors. -> ArraysSent, with them"""


class GetActivations(Request):
    """Send the output of every layer for the `images` that come with this. -> ArraysSent, with them"""

    training: bool


class GetLogits(Request):
    """Send the logits for the `images` that come with this. -> ArraysSent, with `logits`"""


class GetGradients(Request):
    """Send the loss and gradients of the first batch of the first epoch; nothing is updated. -> LossSent, with them"""


class GetFingerprint(Request):
    """Send what the network will compute with, field by field. -> FingerprintSent"""


class GetCounts(Request):
    """Send the framework's own counts of the network's parameters and FLOPs. -> Counted"""


class AnswerRow(Request):
    """Answer one half of a row of the ledger, whose inputs come with this. -> ArraysSent, with the `answer`"""

    row: str
    half: Half


class Export(Request):
    """Write a trained network to the file `path`. Its weights come with this, and `images` from 0 to 1. So do the
    `mean` and `deviation` that scaled its images, if there are any. -> ArraysSent, with the file's own `logits`"""

    model: ModelSpec
    format: Format
    epsilon: FiniteFloat
    path: Path


class GetMemory(Request):
    """Send the peak memory of the process and of its device. -> PeakMemory"""


class Ready(Answer):
    """The framework is imported."""

    environment: Environment
    lacking: tuple[Tier, ...] = ()  # the tiers that the implementation does not export (shared/protocol.py)
    missing: tuple[str, ...] = ()  # the names in these tiers that it does not export


class DataLoaded(Answer):
    """The digest of the arrays as they arrived."""

    digest: str


class Created(Answer):
    """The framework's own count of parameters, the device they are on, and the recipe's choices."""

    n_params: int
    n_trainable: int
    device_name: str
    scale: Scale | None  # None: images are used as they were sent
    choices: dict[str, str]
    lacking: tuple[Tier, ...] = ()  # the tiers that the network implements incompletely (shared/protocol.py)
    missing: tuple[str, ...] = ()  # the methods in these tiers that it lacks


class EpochEnd(Message):
    """Averages over the steps of an epoch that a slice completed."""

    train_loss: FiniteFloat
    train_accuracy: FiniteFloat | None = None
    train_metrics: dict[str, FiniteFloat] = Field(default_factory=dict)  # for tasks other than classification


class Slice(Answer):
    """The steps of one slice, and the position of the training after them (`step` counts within the epoch, from 1).

    `foreign_s` is the processor time that other processes took meanwhile, None if the system does not report it.
    `yardstick_s` is the time of a matrix product just before, None if one was timed recently. If `diverged` says what
    is no longer finite, and when, the steps are those before.
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
    """The network is in the restored state."""


class Fitted(Answer):
    """One epoch of the idiomatic recipe. `elapsed_s` is its total; `foreign_s` and `yardstick_s` are as in a Slice."""

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
    """Figures of one part of the data, like those of the test images in shared/result.py."""

    accuracy: FiniteFloat | None = None
    loss: FiniteFloat
    confusion: tuple[tuple[int, ...], ...] = ()
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    label_counts: tuple[tuple[int, ...], ...] = ()
    points: tuple[Points, ...] = ()


class Window(Answer):
    """One timed window: its time, and that of fetching the last loss after it. Also the processor time of this process
    and of others in it (None: not known), and the bytes that processes sent if they train together."""

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
    """A framework's rates for products of large float32 matrices, and for copying (bytes read and written)."""

    flops_per_s: FiniteFloat
    copied_bytes_per_s: FiniteFloat


class ArraysSent(Answer):
    """The requested arrays come with this."""


class LossSent(Answer):
    """The loss; its gradients come with this."""

    loss: FiniteFloat


class FingerprintSent(Answer):
    """What the network will compute with (compare/worker/fingerprint.py)."""

    fields: dict[str, str]


class Counted(Answer):
    """The framework's own counts: parameters by layer, FLOPs of one image's forward pass."""

    n_params: dict[str, int]
    flops: int


class PeakMemory(Answer):
    """Peak memory in bytes; None if it is not known."""

    peak_rss_bytes: int | None
    peak_device_bytes: int | None


class Failed(Answer):
    """The request failed: the error in one line, and the traceback; `diverged` if numbers are no longer finite. If the
    user's own code failed, `error` says so, and `own_lines` are the last ones of its own traceback; () if the reason is
    known."""

    error: str
    traceback: str
    diverged: bool = False
    own_lines: tuple[str, ...] | None = None
