"""A model ready to be timed as its users run it, pass by pass and node by node."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from compare.rpc.timing_messages import Pass
from shared.choices import Mode

Run = Callable[[], Any]
MANY = 16  # computations of a small node in one call, whose own overhead is as long as one


@dataclass(frozen=True)
class Repeated:
    """`run` computes a node `times` times; calling it costs `overhead_s` in addition."""

    run: Run
    times: int = 1
    overhead_s: float = 0.0


class Passes(Protocol):
    """A model that is ready to run as its users run it."""

    mode: Mode
    in_words: str

    def forward(self, inputs: Mapping[str, np.ndarray]) -> Run:
        """Return a function for one forward pass in evaluation, from arrays on the host to the output on the host."""
        ...

    def training(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray) -> Run:
        """Return a function for one step of training on arrays on the host, which returns the loss."""
        ...

    def begin(self, what: Pass) -> None:
        """Prepare the model for passes of this kind. Before training, its weights, statistics and optimizer are
        restored: no step then belongs to the end of a training, or has weights that are not finite."""
        ...

    def watch(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, Callable[[], Repeated]]:
        """Return the nodes of a forward pass, each with a function that prepares it for the same inputs."""
        ...
