"""Requests to a worker that only answers, and its answers (compare/worker/serve.py)."""

from pydantic import Field, FiniteFloat

from compare.rpc.messages import Answer, Request


class AnswerImages(Request):
    """Answer the `images` (N, H, W, C) that come with this. -> ArraysSent, with `logits` (N, classes)"""


class GiveImages(Request):
    """Take the `images` that come with this, for timing. -> ImagesTaken"""


class TimeCalls(Request):
    """Answer `calls` batches of `batch_size` images one after another, after `uncounted` uncounted ones. -> Calls"""

    batch_size: int = Field(ge=1)
    calls: int = Field(ge=1)
    uncounted: int = Field(0, ge=0)


class DescribeServer(Request):
    """Describe what computes the answers. -> ServerDescribed"""


class ImagesTaken(Answer):
    """The images have arrived."""


class Calls(Answer):
    """The total of all timed calls; with it comes `call_ns`, the nanoseconds of each. Also the processor time of this
    process in it, and of others if the system reports it."""

    elapsed_s: FiniteFloat
    own_s: FiniteFloat
    foreign_s: FiniteFloat | None
    n_preempted: int


class ServerDescribed(Answer):
    """The framework that computes, and the top-level modules that were imported for it."""

    framework: str
    version: str
    modules: tuple[str, ...]
