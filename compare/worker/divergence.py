"""Find where numbers diverged: the first step, and in it the first tensor.

Checking every gradient of every step would cost more than the steps. The state of training is therefore kept now and
then. If a loss or a parameter is not finite, the steps since are repeated, slowly.
"""

import functools
import math
import time
from collections.abc import Callable

import numpy as np

from compare.rpc.wire import Arrays
from shared.batches import EpochBatches
from shared.protocol import Model

KEEP_S = 10.0  # at most so much, plus a turn, is repeated


class Kept:
    """The state of training before its step `step`, counted from 0 over all epochs."""

    def __init__(self, step: int, model: Model) -> None:
        self.step = step
        self.state = _copied(model.state())
        self.taken = time.perf_counter()

    def is_recent(self) -> bool:
        """Whether the steps since then can be repeated quickly."""
        return time.perf_counter() - self.taken < KEEP_S


def _copied(state: Arrays) -> Arrays:
    """Return copies, because the model's own memory is written to later."""
    return {name: np.array(value) for name, value in state.items()}


def first_not_finite(arrays: Arrays) -> str | None:
    """Return the name of the first array with NaN or infinite values."""
    return next((name for name, value in arrays.items() if not np.isfinite(value).all()), None)


def first_bad_value(loss: float, epoch: int, step: int, logits: np.ndarray, parameter: str | None = None) -> str:
    """Describe a loss that is not finite, and what else is not; `step` counts from 1."""
    bad = np.count_nonzero(~np.isfinite(logits))
    seen = [f"{bad:,} of {logits.size:,} logits"] if bad else []
    also = ", ".join([*seen, *([parameter] if parameter else [])]) or "the loss alone"
    return f"the loss of epoch {epoch}, step {step} is {loss}; not finite: {also}"


def retraced(
    model: Model,
    kept: Kept,
    suspects: range,
    epoch_batches: Callable[[int], EpochBatches],
    rate: Callable[[int], float],
) -> str | None:
    """Return which of the `suspects`, steps counted from 0 over all epochs, diverged first, and where. Return None if
    none of them does so in the repetition."""
    of_epoch = functools.lru_cache(maxsize=1)(epoch_batches)
    n_steps = len(of_epoch(1))
    model.restore(kept.state)
    for step in range(kept.step, suspects.stop):
        epoch, number = step // n_steps + 1, step % n_steps
        before = _copied(model.state()) if step in suspects else {}
        batch = model.put(*of_epoch(epoch)[number])
        loss, logits = model.train_step(batch, rate(step))
        if step not in suspects:
            continue
        found = float(model.fetch(loss))
        if not math.isfinite(found):
            return first_bad_value(found, epoch, number + 1, model.fetch(logits))
        if parameter := first_not_finite(model.weights()):
            model.restore(before)
            gradient = first_not_finite(model.loss_and_gradients(batch)[1])
            where = f"epoch {epoch}, step {number + 1}"
            if gradient:
                return f"the gradient of {gradient} in {where} is not finite"
            return f"{parameter} is not finite after {where}, though all gradients were"
    return None
