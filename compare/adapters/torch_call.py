"""A call of a PyTorch function, and its meaning in canonical terms (docs/port.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from compare.graphs.node import Attribute


@dataclass
class Call:
    """One call of a function: its plain name, its arguments by name, and its result."""

    name: str
    arguments: dict[str, Any]
    output: torch.Tensor
    reverse: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or its default if it was not given."""
        found = self.arguments.get(name)
        return default if found is None else found

    @property
    def input(self) -> torch.Tensor:
        tensor: torch.Tensor = self.arguments["input"]
        return tensor

    @property
    def n_spatial(self) -> int:
        """The number of axes after batch and channels."""
        return self.input.ndim - 2

    def ints(self, name: str, default: Any, n: int | None = None) -> tuple[int, ...]:
        """Return an argument that is a number for all axes, or one for each."""
        value = self.get(name, default)
        n = self.n_spatial if n is None else n
        if isinstance(value, int):
            return (value,) * n
        return tuple(int(each) for each in value) * (n if len(value) == 1 else 1)


@dataclass(frozen=True)
class Held:
    """A weight that is a part of a tensor, or combined from several. `read` makes it from their arrays; `write` makes
    their new arrays from it and from their present ones. `shares`: for a sum, an array of its shape for each of the
    tensors, with zeros at the elements that the tensor does not contribute to."""

    tensors: tuple[torch.Tensor, ...]
    read: Callable[[Sequence[np.ndarray]], np.ndarray]
    write: Callable[[np.ndarray, Sequence[np.ndarray]], Sequence[np.ndarray]]
    shares: Callable[[np.ndarray], Sequence[np.ndarray]] | None = None


def turned(matrix: torch.Tensor) -> Held:
    """Return a matrix (I, O) as a product's weight (O, I)."""
    return Held((matrix,), lambda arrays: arrays[0].T, lambda array, _arrays: (array.T,))


@dataclass
class Meaning:
    """A call in canonical terms; `weights` are the tensors by role."""

    kind: str
    inputs: Sequence[torch.Tensor] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # a tensor, a Held, or None
