"""Requests to the worker that holds a user's own model, and its answers."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from compare.rpc.messages import Answer, Request


class LoadModel(Request):
    """Load the model that `reference` names (compare/adapters/references.py), to compute in `precision`.
    -> ModelLoaded"""

    reference: str
    precision: Literal["float64", "float32"]


class RecordCall(Request):
    """Call the model on the inputs that come with this, and record the call. -> Recorded, with `value/NODE`,
    `weight/NODE/ROLE` and `kept/NODE/ROLE`. Weights named in `known` are not sent: they can be large."""

    training: bool
    known: tuple[str, ...] = ()


class GiveWeights(Request):
    """Give the model the weights that come with this, by NODE/ROLE. -> Done"""


class ApplyNode(Request):
    """Compute one node for the inputs `0`, `1`, ... that come with this. -> ArraysSent, with `output`"""

    node: str
    training: bool


class SaveWeights(Request):
    """Write the model's weights to `path`, in its framework's own format. -> Done"""

    path: Path


class Fit(Request):
    """Run the user's own training function that `reference` names for `steps` steps, and record it
    (compare/adapters/fitting.py). -> FunctionFitted, with `x/STEP/INPUT`, `y/STEP`, `output/STEP` and `slope/STEP`"""

    reference: str
    steps: int


class SetLoss(Request):
    """Set the loss by its `name`, or to the one that `reference` names, or that `record` describes (its body). If all
    are empty, it is that of the compiled model. -> LossSet"""

    name: str
    reference: str
    record: dict[str, Any] | None = None


class Differentiate(Request):
    """Call the model in training mode on the inputs `input/NAME`, and differentiate its loss for `targets` in `form`.
    -> Differentiated, with the arrays of Recorded, and the gradients by values, by weights, and of the model's own
    additions by weights: `gradient/NODE`, `slope/NODE/ROLE` and `penalty/NODE/ROLE`"""

    form: str
    known: tuple[str, ...] = ()


class Optimize(Request):
    """Give an optimizer `steps` gradients. It is the one of this `name`, or the one that `reference` names, or that of
    the compiled model. The gradients are derived from those that come with this by NODE/ROLE, `scale` times as large.

    -> Optimized, with the parameters after them as `after/NODE/ROLE`, and `copies/NODE/ROLE`: how many trained numbers
    each element is the sum of, if there are several"""

    name: str
    reference: str
    steps: int
    scale: float


class TrainStep(Request):
    """Take one step of training on the inputs `input/NAME` and `targets`, with an optimizer as in Optimize. It is made
    for the `first` step, and the model is restored after the `last`. -> Stepped, with the weights `wanted` by NODE/ROLE
    after it"""

    name: str
    reference: str
    first: bool
    last: bool
    form: str
    wanted: tuple[str, ...] = Field((), repr=False)


class ModelLoaded(Answer):
    """The model's description: the framework with its version, its class, and what it states of its inputs."""

    framework: str
    version: str
    model: str
    inputs: dict[str, tuple[int, ...]] | None
    precisions: tuple[str, ...] = ("float64", "float32")


class Recorded(Answer):
    """The graph of a call, in the format of compare/graphs/node.py."""

    graph: dict[str, Any] = Field(repr=False)


class FunctionFitted(Answer):
    """What was recorded of a training function: the losses of its steps, what the model added to each, and the loss
    itself, if known. Also the axis of the classes, what is known of its data, and notes, in words."""

    losses: tuple[float, ...]
    penalties: tuple[float, ...]
    record: dict[str, Any] | None
    axis: int
    optimizer: str
    data: dict[str, str]
    notes: tuple[str, ...]


class LossSet(Answer):
    """The loss's name, and the forms of targets that it may take."""

    label: str
    forms: tuple[str, ...]


class Differentiated(Answer):
    """The graph of a call, the loss and what the model adds to it, the loss's record, and all trainable weights."""

    graph: dict[str, Any] = Field(repr=False)
    loss: float
    penalty: float
    record: dict[str, Any] | None
    axis: int
    parameters: dict[str, tuple[str, bool]] = Field(repr=False)
    regularisers: dict[str, str] = Field(default_factory=dict)


class Optimized(Answer):
    """The optimizer's name, its record, and its parameters."""

    label: str
    record: dict[str, Any] | None
    held: tuple[str, ...]


class Stepped(Answer):
    """The loss of the step, with what the model adds to it."""

    loss: float


class Done(Answer):
    """The request was carried out."""


class UserFailed(Answer):
    """The user's own model or file failed: the sentence, and the last lines of its own traceback."""

    message: str
    lines: tuple[str, ...] = ()
