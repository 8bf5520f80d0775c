"""What can be asked of the worker that holds one person's own model, and what it answers."""

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
    """Call the model on the inputs that come with this, and watch. -> Recorded, with `value/NODE`, `weight/NODE/ROLE`
    and `kept/NODE/ROLE`; weights named in `known` are not sent: they can be large."""

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
    """Run the user's own training function that `reference` names for `steps` steps, and watch it
    (compare/adapters/fitting.py). -> FunctionFitted, with `x/STEP/INPUT`, `y/STEP`, `output/STEP` and `slope/STEP`"""

    reference: str
    steps: int


class SetLoss(Request):
    """Take the loss of this `name`, or that `reference` names, or that `record` describes (its body), or, if all are
    empty, that of the compiled model. -> LossSet"""

    name: str
    reference: str
    record: dict[str, Any] | None = None


class Differentiate(Request):
    """Call the model in training mode on the inputs `input/NAME`, and differentiate its loss for `targets`, given in
    `form`. -> Differentiated, with what comes with Recorded, and the gradients by values, by weights, and of what the
    model adds by weights: `gradient/NODE`, `slope/NODE/ROLE` and `penalty/NODE/ROLE`"""

    form: str
    known: tuple[str, ...] = ()


class Optimize(Request):
    """Give an optimizer `steps` gradients. It is the one of this `name`, or what `reference` names, or that of the
    compiled model. The gradients are made of those that come with this by NODE/ROLE, `scale` times as large.

    -> Optimized, with the parameters after them as `after/NODE/ROLE`, and `copies/NODE/ROLE`: of how many trained
    numbers each element is the sum, if of several"""

    name: str
    reference: str
    steps: int
    scale: float


class TrainStep(Request):
    """Take one step of training on the inputs `input/NAME` and `targets`, with an optimizer as in Optimize. It is made
    for the `first` step, and the model is put back after the `last`. -> Stepped, with the weights that are `wanted` by
    NODE/ROLE after it"""

    name: str
    reference: str
    first: bool
    last: bool
    form: str
    wanted: tuple[str, ...] = Field((), repr=False)


class ModelLoaded(Answer):
    """What it is: the framework with its version, the class of the model, and what it states of its inputs."""

    framework: str
    version: str
    model: str
    inputs: dict[str, tuple[int, ...]] | None
    precisions: tuple[str, ...] = ("float64", "float32")


class Recorded(Answer):
    """The graph of a call, as compare/graphs/node.py writes it."""

    graph: dict[str, Any] = Field(repr=False)


class FunctionFitted(Answer):
    """What was seen of a training function: the losses of its steps, what the model added to each, and the loss itself,
    if known. Also the axis of the classes, what is known of how it takes its data, and notes, in words."""

    losses: tuple[float, ...]
    penalties: tuple[float, ...]
    record: dict[str, Any] | None
    axis: int
    optimizer: str
    data: dict[str, str]
    notes: tuple[str, ...]


class LossSet(Answer):
    """What the loss is called, and the forms of targets that it may take."""

    label: str
    forms: tuple[str, ...]


class Differentiated(Answer):
    """The graph of a call, the loss and what the model adds to it, what the loss is, and all that can be trained."""

    graph: dict[str, Any] = Field(repr=False)
    loss: float
    penalty: float
    record: dict[str, Any] | None
    axis: int
    parameters: dict[str, tuple[str, bool]] = Field(repr=False)
    regularisers: dict[str, str] = Field(default_factory=dict)


class Optimized(Answer):
    """What the optimizer is called, what it is, and which parameters it has."""

    label: str
    record: dict[str, Any] | None
    held: tuple[str, ...]


class Stepped(Answer):
    """The loss of the step, with what the model adds to it."""

    loss: float


class Done(Answer):
    """It was done."""


class UserFailed(Answer):
    """What failed is the user's own model or file: the sentence, and the last lines of its own traceback."""

    message: str
    lines: tuple[str, ...] = ()
