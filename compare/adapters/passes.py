"""A model that is ready to be run as its users run it, pass by pass and node by node, so that it can be timed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from compare.rpc.timing_messages import Pass
from shared.choices import Mode

Run = Callable[[], Any]
MANY = 16  # computations of a small node in one call: calling it takes as long as computing it


@dataclass(frozen=True)
class Repeated:
    """`run` computes a node `times` times; calling it costs `overhead_s` besides."""

    run: Run
    times: int = 1
    overhead_s: float = 0.0


class Passes(Protocol):
    """One model, ready to be run as its users run it."""

    mode: Mode
    in_words: str

    def forward(self, inputs: Mapping[str, np.ndarray]) -> Run:
        """What makes one forward pass in evaluation, from arrays on the host to the output on the host."""
        ...

    def training(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray) -> Run:
        """What takes one step of training on arrays on the host, and gives the loss."""
        ...

    def begin(self, what: Pass) -> None:
        """Make the model ready for passes of this kind. Before training its weights, statistics and optimizer are put
        back as they were: so no step is one of an end of training, or of weights that are not finite."""
        ...

    def watch(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, Callable[[], Repeated]]:
        """The nodes of a forward pass, each with what makes it ready to be computed again for the same inputs."""
        ...
