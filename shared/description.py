"""An implementation's description of a network of the user's own, from which a contract is derived and checked.

A process that only answers imports this, too (compare/worker/serve.py): it uses the standard library alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

CONTRACT = "contract.json"  # the file of the folder


class Parameter(NamedTuple):
    """A parameter that an implementation has: its canonical name and shape."""

    name: str
    shape: tuple[int, ...]
    trainable: bool = True


class Layer(NamedTuple):
    """A layer that an implementation has: its name and the shape of its output for one image, channels last."""

    name: str
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """An implementation's report about its network, which it has built and called: layers in the order of the
    computation, parameters in any order, and the rate of its dropout. Also the FLOPs of one image's forward pass by the
    framework's own count; None if it was not asked. `tokens` says that its inputs are whole numbers."""

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    parameters: tuple[Parameter, ...]
    dropout: float | None
    flops: int | None
    tokens: bool = False
