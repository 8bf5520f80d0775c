"""The part of the watch (torch_watch.py) that a function with several operations needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from compare.graphs.node import Attribute


class Emitter(Protocol):
    """Adds operations to the recorded ones."""

    training: bool
    held: dict[Any, Any]  # what functions keep from one call for another, by the identity of a tensor

    @property
    def at(self) -> str:
        """The path of the module that runs now."""
        ...

    def known(self, tensor: Any) -> bool:
        """Whether a recorded operation made this tensor."""
        ...

    def owned(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether all are parameters or buffers of the model."""
        ...

    def emit(
        self,
        kind: str,
        inputs: Sequence[torch.Tensor],
        call: Callable[..., torch.Tensor],
        attributes: Mapping[str, Attribute] | None = None,
        weights: Mapping[str, Any] | None = None,
        path: str | None = None,
        output: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Record one of several operations; `output` if PyTorch has computed it already."""
        ...
