"""What a worker answers."""

from typing import Literal

from pydantic import FiniteFloat

from compare.rpc.message import Message
from shared.data import Scale
from shared.protocol import Tier
from shared.result import Environment


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
