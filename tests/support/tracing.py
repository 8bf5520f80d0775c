"""What the conformance tests compare."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Trace:
    """What a network does: before training, on its first batch, and after 20 steps."""

    counted: tuple[int, int]
    initial: Weights
    activations: Weights
    logits: np.ndarray
    loss: float
    gradients: Weights
    losses: tuple[float, ...]
    trained: Weights
    optimizer_state: Weights
    trained_logits: np.ndarray


Tracer = Callable[..., Trace]
