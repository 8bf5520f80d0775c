"""What the worker of one person's own model can be asked when its times are measured, and what it answers."""

from typing import Literal

from pydantic import Field, FiniteFloat

from compare.rpc.messages import Answer, Request
from shared.choices import Mode

Pass = Literal["forward", "training"]


class PrepareTimes(Request):
    """Get ready to run the loaded model in `mode` (None: as its users do) on the examples `input/NAME` that come with
    this, in canonical layout. With `trains`, a training step on `targets`, given in `form`, too: `loss` and
    `optimizer` are a name and a reference each, as in SetLoss and Optimize. -> TimesPrepared"""

    mode: Mode | None
    trains: bool
    form: str = ""
    loss: tuple[str, str] = ("", "")
    optimizer: tuple[str, str] = ("", "")


class TimePass(Request):
    """Run `calls` passes over the first `batch_size` examples one after another, after so many `uncounted` ones.
    -> PassTimed"""

    what: Pass
    batch_size: int = Field(ge=1)
    calls: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class WatchNodes(Request):
    """Watch a forward pass over the first `batch_size` examples, so that its nodes can be timed one by one.
    -> NodesWatched"""

    batch_size: int = Field(ge=1)


class TimeNode(Request):
    """Compute one node of the pass that was watched `calls` times, after so many `uncounted` times. -> NodeTimed"""

    node: str
    calls: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class TimesPrepared(Answer):
    """How the model is run: the mode, and the same in words."""

    mode: Mode
    in_words: str


class PassTimed(Answer):
    """What all timed passes took together, and the processor time in it of this process, and of others where the system
    tells. `finite`: whether what they gave is."""

    elapsed_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int
    finite: bool


class NodesWatched(Answer):
    """The nodes that can be timed, by name."""

    nodes: tuple[str, ...]


class NodeTimed(Answer):
    """What one computation of the node takes, in seconds, less what calling it costs."""

    call_s: FiniteFloat
