"""What can be asked of a worker about a network of the user's own before it is trained."""

from compare.rpc.messages import Answer, Request
from shared.description import Description
from shared.models import Code


class Describe(Request):
    """Say what a network of the user's own has, as it is built here. `input_shape`, and whether it
    takes `tokens`, are for implementations whose code does not state it. -> Described"""

    code: Code
    input_shape: tuple[int, ...] | None
    tokens: bool = False


class Described(Answer):
    """What the network has."""

    found: Description
