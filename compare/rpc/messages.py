"""What the harness can ask of a worker, and what a worker can answer. Arrays travel beside a message, by name
(compare/rpc/wire.py).

A worker announces itself with `Ready`. From then on every request gets exactly one answer: the one named beside it,
or `Failed`.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

from shared.data import Part, Scale
from shared.ledger import Half
from shared.models import ModelSpec
from shared.protocol import Build, Device, Format, Mode, Recipe, Tier
from shared.result import Environment
from shared.training import TrainSpec
from shared.weights import Weights


class Message(BaseModel):
    """A frozen message that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class LoadData(Message):
    """Take the arrays of the data that come with this. -> DataLoaded"""

    kind: Literal["load_data"] = "load_data"


class Create(Message):
    """Build a network and its optimizer; the initial weights come with this, unless it has its own. -> Created"""

    kind: Literal["create"] = "create"
    model: ModelSpec
    train: TrainSpec
    device: Device
    mode: Mode
    recipe: Recipe = "matched"
    tuning: dict[str, str] = {}

    def build(self, weights: Weights) -> Build:
        """The request with the arrays that came with it."""
        said = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        return Build(**said, weights=weights or None)


class TrainSlice(Message):
    """Train on for `steps` steps from where the last slice ended, but not beyond the end of an epoch. -> Slice"""

    kind: Literal["train_slice"] = "train_slice"
    steps: int = Field(ge=1)


class FitEpoch(Message):
    """Train for the next epoch of the idiomatic recipe. -> Fitted"""

    kind: Literal["fit_epoch"] = "fit_epoch"


class GetState(Message):
    """Give everything that decides how training goes on from here. -> ArraysSent, with it"""

    kind: Literal["get_state"] = "get_state"


class Restore(Message):
    """Go on after `epochs` whole epochs, from the state that comes with this. -> Restored"""

    kind: Literal["restore"] = "restore"
    epochs: int = Field(ge=1)


class Evaluate(Message):
    """Evaluate on all images of one part of the data. -> Evaluation"""

    kind: Literal["evaluate"] = "evaluate"
    part: Part = "test"


Timed = Literal["end_to_end", "compute", "evaluation"]


class TimeWindow(Message):
    """Time `steps` training steps from the host's batch to updated weights (`end_to_end`) or from a batch that is on
    the device already (`compute`), or as many batches of test images evaluated, after `uncounted` ones. -> Window"""

    kind: Literal["time_window"] = "time_window"
    what: Timed
    steps: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class GetProfile(Message):
    """Do `steps` training steps under the framework's own profiler. -> Profile"""

    kind: Literal["get_profile"] = "get_profile"
    steps: int = Field(ge=1)


class GetLimits(Message):
    """Find out what the framework reaches of the device's limits. -> Limits"""

    kind: Literal["get_limits"] = "get_limits"
    device: Device


class GetWeights(Message):
    """Give the current weights. -> ArraysSent, with them"""

    kind: Literal["get_weights"] = "get_weights"


class GetOptimizerState(Message):
    """Give the optimizer's own tensors. -> ArraysSent, with them"""

    kind: Literal["get_optimizer_state"] = "get_optimizer_state"


class GetActivations(Message):
    """Give the output of every layer for the `images` that come with this. -> ArraysSent, with them"""

    kind: Literal["get_activations"] = "get_activations"
    training: bool


class GetLogits(Message):
    """Give the logits for the `images` that come with this. -> ArraysSent, with `logits`"""

    kind: Literal["get_logits"] = "get_logits"


class GetGradients(Message):
    """Give the loss and gradients of the first batch of the first epoch; nothing is updated. -> LossSent, with them"""

    kind: Literal["get_gradients"] = "get_gradients"


class GetFingerprint(Message):
    """Give what the network is about to compute with, field by field. -> FingerprintSent"""

    kind: Literal["get_fingerprint"] = "get_fingerprint"


class GetCounts(Message):
    """Have the framework count what the network has and does. -> Counted"""

    kind: Literal["get_counts"] = "get_counts"


class AnswerRow(Message):
    """Answer one half of a row of the ledger, whose inputs come with this. -> ArraysSent, with the `answer`"""

    kind: Literal["answer_row"] = "answer_row"
    row: str
    half: Half


class Export(Message):
    """Write a trained network to the file `path`; its weights come with this, the `mean` and `deviation` that its
    images were scaled by where they were, and `images` from 0 to 1. -> ArraysSent, with the file's own `logits`"""

    kind: Literal["export"] = "export"
    model: ModelSpec
    format: Format
    epsilon: FiniteFloat
    path: Path


class GetMemory(Message):
    """Give the peak memory of the process and of its device. -> Memory"""

    kind: Literal["get_memory"] = "get_memory"


class Ready(Message):
    """The framework is imported."""

    kind: Literal["ready"] = "ready"
    environment: Environment
    lacking: tuple[Tier, ...] = ()  # the tiers that the implementation does not export (shared/protocol.py)


class DataLoaded(Message):
    """The digest of the arrays as they arrived."""

    kind: Literal["data_loaded"] = "data_loaded"
    digest: str


class Created(Message):
    """The parameters as the framework itself counts them, the device they are on, and what the recipe chose."""

    kind: Literal["created"] = "created"
    n_params: int
    n_trainable: int
    device_name: str
    scale: Scale | None  # None: images are used as they were sent
    choices: dict[str, str]
    lacking: tuple[Tier, ...] = ()  # the tiers of which the network lacks something (shared/protocol.py)


class EpochEnd(Message):
    """Averages over the steps of an epoch that a slice brought to its end."""

    train_loss: FiniteFloat
    train_accuracy: FiniteFloat


class Slice(Message):
    """The steps of one slice, and where training stands after them (`step` counts within the epoch, from 1).

    `foreign_s` is the processor time that other processes took meanwhile, None where the system does not tell, and
    `yardstick_s` how long a matrix product took just before, None where one was timed not long ago.
    Where `diverged` says what is no longer finite, and where, the steps are those before.
    """

    kind: Literal["slice"] = "slice"
    epoch: int
    step: int
    loss: tuple[FiniteFloat, ...]
    step_s: tuple[FiniteFloat, ...]
    slice_s: FiniteFloat
    yardstick_s: FiniteFloat | None = None
    foreign_s: FiniteFloat | None = None
    epoch_end: EpochEnd | None
    diverged: str | None = None


class Restored(Message):
    """The network stands where it stood."""

    kind: Literal["restored"] = "restored"


class Fitted(Message):
    """One epoch of the idiomatic recipe."""

    kind: Literal["fitted"] = "fitted"
    train_loss: FiniteFloat
    train_accuracy: FiniteFloat
    validation_loss: FiniteFloat
    validation_accuracy: FiniteFloat
    n_steps: int
    train_s: FiniteFloat


class Evaluation(Message):
    """Figures of one part of the data; `confusion` is by true class (row) and predicted class (column)."""

    kind: Literal["evaluation"] = "evaluation"
    accuracy: FiniteFloat
    loss: FiniteFloat
    confusion: tuple[tuple[int, ...], ...]


class Window(Message):
    """One timed window: how long it took, and how long the last loss took to fetch after it; the processor time in it
    of this process, and of others where the system tells (compare/worker/machine.py); where several processes train
    together, what was sent over the network."""

    kind: Literal["window"] = "window"
    elapsed_s: FiniteFloat
    fetch_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int
    sent_bytes: int | None = None


class Profile(Message):
    """The seconds that each kind of operation took in one step, on average."""

    kind: Literal["profile"] = "profile"
    operation_s: dict[str, FiniteFloat]


class Limits(Message):
    """What a framework reaches: in products of large float32 matrices, and copying a large array, bytes read
    and bytes written."""

    kind: Literal["limits"] = "limits"
    flops_per_s: FiniteFloat
    copied_bytes_per_s: FiniteFloat


class ArraysSent(Message):
    """The arrays asked for come with this."""

    kind: Literal["arrays_sent"] = "arrays_sent"


class LossSent(Message):
    """The loss; its gradients come with this."""

    kind: Literal["loss_sent"] = "loss_sent"
    loss: FiniteFloat


class FingerprintSent(Message):
    """What the network is about to compute with (compare/worker/fingerprint.py)."""

    kind: Literal["fingerprint_sent"] = "fingerprint_sent"
    fields: dict[str, str]


class Counted(Message):
    """What the framework itself counts: parameters by layer, FLOPs of one image's forward pass."""

    kind: Literal["counted"] = "counted"
    n_params: dict[str, int]
    flops: int


class Memory(Message):
    """Peak memory in bytes; None where it is not known."""

    kind: Literal["memory"] = "memory"
    peak_rss_bytes: int | None
    peak_device_bytes: int | None


class Failed(Message):
    """The request could not be done: what went wrong in one line, and the traceback; `diverged` where numbers are no
    longer finite."""

    kind: Literal["failed"] = "failed"
    error: str
    traceback: str
    diverged: bool = False


Question = (
    GetWeights
    | GetState
    | GetOptimizerState
    | GetActivations
    | GetLogits
    | GetGradients
    | GetFingerprint
    | GetCounts
    | AnswerRow
    | Export
    | GetMemory
    | GetLimits
)
Request = LoadData | Create | Restore | TrainSlice | FitEpoch | Evaluate | TimeWindow | GetProfile | Question
Answer = (
    Ready
    | DataLoaded
    | Created
    | Restored
    | Slice
    | Fitted
    | Evaluation
    | Window
    | Limits
    | Profile
    | ArraysSent
    | LossSent
    | FingerprintSent
    | Counted
    | Memory
    | Failed
)

# Built when first used: a worker only reads requests, and the harness only answers.
_LATER = ConfigDict(defer_build=True)
REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")], config=_LATER)
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")], config=_LATER)
