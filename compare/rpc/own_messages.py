"""Requests to a worker about a network of the user's own before it is trained."""

from compare.rpc.messages import Answer, Request
from shared.description import Description
from shared.models import Code


class Describe(Request):
    """Describe a network of the user's own, as it is built here. `input_shape` and `tokens` are for implementations
    whose code does not state them. -> Described"""

    code: Code
    input_shape: tuple[int, ...] | None
    tokens: bool = False


class Described(Answer):
    """The network's description."""

    found: Description
