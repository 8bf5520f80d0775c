"""Timed windows of training steps, in the worker, and the same for every implementation.

A window is a number of steps with one wait for the device at its end. Nothing else happens within it: no metrics, no
garbage collection, no fetched loss. Uncounted steps may run right before it, with nothing in between. The steps cycle
through a few batches of the data, at a learning rate that changes next to nothing. Thousands of steps at a real one
would drive the gradients to denormal numbers. Some frameworks compute slowly with those and others round them to 0.
"""

import math
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice

import numpy as np

from compare.processes.usage import no_garbage_collection
from compare.rpc import messages
from compare.worker import machine
from shared.batches import EpochBatches
from shared.data import Data
from shared.protocol import Batch, Model, Tensor
from shared.training import TrainSpec

N_BATCHES = 16
EVALUATION_BATCH = 250
LEARNING_RATE = 1e-9


class Windows:
    """Windows of one network, on whole batches of the first epoch."""

    def __init__(self, model: Model, train: TrainSpec, data: Data) -> None:
        x, y = data.part("train")
        batches = EpochBatches(x, y, train.batch_size, train.seed, 1, train.augmentation)
        n_whole = len(x) // train.batch_size
        self._model = model
        self._batches = [batches[number] for number in range(min(n_whole, N_BATCHES))]
        self._endless = cycle(self._batches)
        self._put: Iterator[Batch] | None = None
        self._test_images = data.x_test

    def time(self, what: messages.Timed, steps: int, uncounted: int = 0) -> messages.Window:
        """Time one window of `steps` steps, right after `uncounted` uncounted ones. Raises ValueError if a loss is not
        finite."""
        run_into = self._window(what, uncounted) if uncounted else None
        run = self._window(what, steps)
        with no_garbage_collection():
            if run_into:
                run_into()
                self._model.sync()
            before = machine.usage()
            start = time.perf_counter()
            last = run()
            self._model.sync()
            elapsed_s = time.perf_counter() - start
            after = machine.usage()
        start = time.perf_counter()
        value = None if last is None else float(self._model.fetch(last))
        fetch_s = time.perf_counter() - start  # long if the device was still at work
        if value is not None and not math.isfinite(value):
            raise ValueError(f"the loss is {value}")
        return messages.Window(
            elapsed_s=elapsed_s,
            fetch_s=fetch_s,
            own_s=after.own_s - before.own_s,
            foreign_s=after.foreign_s(before),
            n_preempted=after.n_preempted - before.n_preempted,
            sent_bytes=after.sent_since(before),
        )

    def profile(self, steps: int) -> dict[str, float]:
        """Return the seconds of each kind of operation in one step on batches that are on the device."""
        work = self._window("compute", steps)

        def watched() -> None:
            work()
            self._model.sync()

        return {name: spent_s / steps for name, spent_s in self._model.profile(watched).items()}

    def _window(self, what: messages.Timed, steps: int) -> Callable[[], Tensor | None]:
        """Return a function that runs the window; it returns the last loss, if there is one."""
        model = self._model
        match what:
            case "end_to_end":
                host = list(islice(self._endless, steps))
                return lambda: _train_from_host(model, host)
            case "compute":
                if self._put is None:
                    self._put = cycle([model.put(*batch) for batch in self._batches])
                put = list(islice(self._put, steps))
                return lambda: _train(model, put)
            case "evaluation":
                images = [self._test_images[:EVALUATION_BATCH]] * steps
                return lambda: _evaluate(model, images)


def _train_from_host(model: Model, batches: list[tuple[np.ndarray, np.ndarray]]) -> Tensor:
    for images, labels in batches:
        loss, _ = model.train_step(model.put(images, labels), LEARNING_RATE)
    return loss


def _train(model: Model, batches: list[Batch]) -> Tensor:
    for batch in batches:
        loss, _ = model.train_step(batch, LEARNING_RATE)
    return loss


def _evaluate(model: Model, images: list[np.ndarray]) -> None:
    for batch in images:
        model.logits(batch)
