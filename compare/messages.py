"""What the harness can ask of a worker, and what a worker can answer. Arrays travel beside a message, by name
(compare/wire.py).

A worker announces itself with `Ready`. From then on every request gets exactly one answer: the one named beside it,
or `Failed`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

from shared.protocol import Device, Mode
from shared.result import Environment
from shared.training import TrainSpec


class Message(BaseModel):
    """A frozen message that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LoadData(Message):
    """Take the arrays x_train, y_train, x_test, y_test that come with this. -> DataLoaded"""

    kind: Literal["load_data"] = "load_data"


class Create(Message):
    """Build a network and its optimizer; the initial weights come with this. -> Created"""

    kind: Literal["create"] = "create"
    model: str
    train: TrainSpec
    device: Device
    mode: Mode


class TrainSlice(Message):
    """Train on for `steps` steps from where the last slice ended, but not beyond the end of an epoch. -> Slice"""

    kind: Literal["train_slice"] = "train_slice"
    steps: int = Field(ge=1)


class Evaluate(Message):
    """Evaluate on the whole test set. -> Evaluation"""

    kind: Literal["evaluate"] = "evaluate"


class GetWeights(Message):
    """Give the current weights. -> ArraysSent, with them"""

    kind: Literal["get_weights"] = "get_weights"


class GetOptimizerState(Message):
    """Give the optimizer's own tensors. -> ArraysSent, with them"""

    kind: Literal["get_optimizer_state"] = "get_optimizer_state"


class GetActivations(Message):
    """Give the output of every layer for the first `n` test images. -> ArraysSent, with them"""

    kind: Literal["get_activations"] = "get_activations"
    n: int = Field(ge=1)


class GetLogits(Message):
    """Give the logits for the first `n` test images. -> ArraysSent, with `logits`"""

    kind: Literal["get_logits"] = "get_logits"
    n: int = Field(ge=1)


class GetGradients(Message):
    """Give the loss and gradients of the first batch of the first epoch; nothing is updated. -> LossSent, with them"""

    kind: Literal["get_gradients"] = "get_gradients"


class GetMemory(Message):
    """Give the peak memory of the process and of its device. -> Memory"""

    kind: Literal["get_memory"] = "get_memory"


class Ready(Message):
    """The framework is imported."""

    kind: Literal["ready"] = "ready"
    environment: Environment


class DataLoaded(Message):
    """The digest of the arrays as they arrived."""

    kind: Literal["data_loaded"] = "data_loaded"
    digest: str


class Created(Message):
    """The parameters as the framework itself counts them, and the device they are on."""

    kind: Literal["created"] = "created"
    n_params: int
    n_trainable: int
    device_name: str


class EpochEnd(Message):
    """Averages over the steps of an epoch that a slice brought to its end."""

    train_loss: FiniteFloat
    train_accuracy: FiniteFloat


class Slice(Message):
    """The steps of one slice, and where training stands after them (`step` counts within the epoch, from 1)."""

    kind: Literal["slice"] = "slice"
    epoch: int
    step: int
    loss: tuple[FiniteFloat, ...]
    step_s: tuple[FiniteFloat, ...]
    slice_s: FiniteFloat
    epoch_end: EpochEnd | None


class Evaluation(Message):
    """Figures of the whole test set; `confusion` is by true class (row) and predicted class (column)."""

    kind: Literal["evaluation"] = "evaluation"
    accuracy: FiniteFloat
    loss: FiniteFloat
    confusion: tuple[tuple[int, ...], ...]


class ArraysSent(Message):
    """The arrays asked for come with this."""

    kind: Literal["arrays_sent"] = "arrays_sent"


class LossSent(Message):
    """The loss; its gradients come with this."""

    kind: Literal["loss_sent"] = "loss_sent"
    loss: FiniteFloat


class Memory(Message):
    """Peak memory in bytes; None where it is not known."""

    kind: Literal["memory"] = "memory"
    peak_rss_bytes: int | None
    peak_device_bytes: int | None


class Failed(Message):
    """The request could not be done: what went wrong in one line, and the traceback."""

    kind: Literal["failed"] = "failed"
    error: str
    traceback: str


Request = (
    LoadData
    | Create
    | TrainSlice
    | Evaluate
    | GetWeights
    | GetOptimizerState
    | GetActivations
    | GetLogits
    | GetGradients
    | GetMemory
)
Answer = Ready | DataLoaded | Created | Slice | Evaluation | ArraysSent | LossSent | Memory | Failed

REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])
