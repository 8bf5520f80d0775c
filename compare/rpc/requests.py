"""What the harness asks of a worker. Each docstring names the answer."""

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from compare.rpc.message import Message
from shared.data import Part
from shared.ledger import Half
from shared.models import ModelSpec
from shared.protocol import Build, Device, Format, Mode, Recipe
from shared.training import TrainSpec
from shared.weights import Weights


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
    tuning: dict[str, str] = Field(default_factory=dict)

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
