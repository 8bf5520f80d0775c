"""Requests to the worker of a user's own model while it is timed, and its answers."""

from typing import Literal

from pydantic import Field, FiniteFloat

from compare.rpc.messages import Answer, Request
from shared.choices import Mode

Pass = Literal["forward", "training"]


class PrepareTimes(Request):
    """Prepare to run the loaded model in `mode` (None: as its users do) on the examples `input/NAME` that come with
    this, in canonical layout. With `trains`, also prepare a training step on `targets` in `form`. `loss` and
    `optimizer` are a name and a reference each, as in SetLoss and Optimize. -> TimesPrepared"""

    mode: Mode | None
    trains: bool
    form: str = ""
    loss: tuple[str, str] = ("", "")
    optimizer: tuple[str, str] = ("", "")


class TimePass(Request):
    """Run `calls` passes over the first `batch_size` examples one after another, after `uncounted` uncounted ones.
    -> PassTimed"""

    what: Pass
    batch_size: int = Field(ge=1)
    calls: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class WatchNodes(Request):
    """Record a forward pass over the first `batch_size` examples, to time its nodes one by one. -> NodesWatched"""

    batch_size: int = Field(ge=1)


class TimeNode(Request):
    """Compute one node of the recorded pass `calls` times, after `uncounted` uncounted times. -> NodeTimed"""

    node: str
    calls: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class TimesPrepared(Answer):
    """How the model is run: the mode, and its description."""

    mode: Mode
    in_words: str


class PassTimed(Answer):
    """The total of all timed passes, and the processor time of this process in it, and of others if the system reports
    it. `finite`: whether their results are finite."""

    elapsed_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int
    finite: bool


class NodesWatched(Answer):
    """The nodes that can be timed, by name."""

    nodes: tuple[str, ...]


class NodeTimed(Answer):
    """The seconds of one computation of the node, without the overhead of calling it."""

    call_s: FiniteFloat
