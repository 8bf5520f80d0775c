"""The objects that the conformance tests compare."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Trace:
    """A network's results: before training, on its first batch, and after its steps of training.

    `untouched` are the weights after everything that must not change them. Results that were not inspected are empty.
    """

    counted: tuple[int, int]
    initial: Weights
    losses: tuple[float, ...] = ()
    trained: Weights = field(default_factory=dict)
    optimizer_state: Weights = field(default_factory=dict)
    trained_logits: np.ndarray = field(default_factory=lambda: np.empty(0))
    activations: Weights = field(default_factory=dict)
    training_activations: Weights = field(default_factory=dict)
    logits: np.ndarray = field(default_factory=lambda: np.empty(0))
    loss: float = float("nan")
    gradients: Weights = field(default_factory=dict)
    untouched: Weights = field(default_factory=dict)


Tracer = Callable[..., Trace]
