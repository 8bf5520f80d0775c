"""Where numbers went bad: the first step, and in it the first tensor.

Looking at every gradient of every step would cost more than the steps. So the state of training is kept now and then,
and where a loss or a parameter is not finite, the steps since are done once more, slowly.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from compare.wire import Arrays
from shared.batches import EpochBatches
from shared.protocol import Model

KEEP_S = 10.0  # so much is done again at the most, and a turn


class Kept:
    """The state of training before step `step` (from 0) of an epoch."""

    def __init__(self, step: int, model: Model) -> None:
        self.step = step
        self.state = _copied(model.state())
        self.taken = time.perf_counter()

    def serves(self, step: int) -> bool:
        """Whether it is still of use before `step`: of this epoch, and not long ago."""
        return 0 < step >= self.step and time.perf_counter() - self.taken < KEEP_S


def _copied(state: Arrays) -> Arrays:
    """Apart from the model's own memory, which goes on being written to."""
    return {name: np.array(value) for name, value in state.items()}


def first_not_finite(arrays: Arrays) -> str | None:
    """The name of the first array with NaN or infinite values."""
    return next((name for name, value in arrays.items() if not np.isfinite(value).all()), None)


def told(loss: float, epoch: int, step: int, logits: np.ndarray, parameter: str | None = None) -> str:
    """A loss that is not finite, and what else is not; `step` counts from 1."""
    bad = np.count_nonzero(~np.isfinite(logits))
    seen = [f"{bad:,} of {logits.size:,} logits"] if bad else []
    also = ", ".join([*seen, *([parameter] if parameter else [])]) or "the loss alone"
    return f"the loss of epoch {epoch}, step {step} is {loss}; not finite: {also}"


def retraced(
    model: Model, kept: Kept, batches: EpochBatches, suspects: range, rate: Callable[[int], float], epoch: int
) -> str | None:
    """Which of the `suspects`, steps of `epoch` counted from 0, was the first to go bad, and where; None where none of
    them does so again."""
    model.restore(kept.state)
    for number in range(kept.step, suspects.stop):
        before = _copied(model.state()) if number in suspects else {}
        batch = model.put(*batches[number])
        loss, logits = model.train_step(batch, rate(number))
        if number not in suspects:
            continue
        found = float(model.fetch(loss))
        if not math.isfinite(found):
            return told(found, epoch, number + 1, model.fetch(logits))
        if parameter := first_not_finite(model.weights()):
            model.restore(before)
            gradient = first_not_finite(model.loss_and_gradients(batch)[1])
            where = f"epoch {epoch}, step {number + 1}"
            if gradient:
                return f"the gradient of {gradient} in {where} is not finite"
            return f"{parameter} is not finite after {where}, though all gradients were"
    return None
