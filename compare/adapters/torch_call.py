"""A call of a PyTorch function, and what it is in canonical terms (docs/port.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from compare.graphs.node import Attribute


@dataclass
class Call:
    """One call of a function: its plain name, its arguments by name, and the tensor it gave."""

    name: str
    arguments: dict[str, Any]
    output: torch.Tensor
    reverse: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or what it is if it was not given."""
        found = self.arguments.get(name)
        return default if found is None else found

    @property
    def input(self) -> torch.Tensor:
        tensor: torch.Tensor = self.arguments["input"]
        return tensor

    @property
    def n_spatial(self) -> int:
        """How many axes stand behind batch and channels."""
        return self.input.ndim - 2

    def ints(self, name: str, default: Any, n: int | None = None) -> tuple[int, ...]:
        """An argument that is a number for all axes, or one for each."""
        value = self.get(name, default)
        n = self.n_spatial if n is None else n
        if isinstance(value, int):
            return (value,) * n
        return tuple(int(each) for each in value) * (n if len(value) == 1 else 1)


@dataclass(frozen=True)
class Held:
    """A weight that is a part of a tensor, or made of several: `read` makes it of their arrays, and `write` makes their
    new arrays of it and of those that they have. `shares`: of a sum, an array of its shape for each of the tensors,
    which has zeros where the tensor is no part of it."""

    tensors: tuple[torch.Tensor, ...]
    read: Callable[[Sequence[np.ndarray]], np.ndarray]
    write: Callable[[np.ndarray, Sequence[np.ndarray]], Sequence[np.ndarray]]
    shares: Callable[[np.ndarray], Sequence[np.ndarray]] | None = None


def turned(matrix: torch.Tensor) -> Held:
    """A matrix (I, O) as a product's weight (O, I)."""
    return Held((matrix,), lambda arrays: arrays[0].T, lambda array, _arrays: (array.T,))


@dataclass
class Meaning:
    """What a call is in canonical terms; `weights` are the tensors by role."""

    kind: str
    inputs: Sequence[torch.Tensor] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # a tensor, a Held, or None
