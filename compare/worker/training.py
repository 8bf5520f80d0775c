"""One network in training: its steps and epochs, its evaluation, and its timing."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from compare.rpc import messages
from compare.rpc.wire import Arrays
from compare.worker import evaluation, machine
from compare.worker.divergence import Kept, first_bad_value, first_not_finite, retraced
from compare.worker.fitting import Fitting
from compare.worker.windows import Windows
from shared.batches import EpochBatches
from shared.data import Data, Part, standardised
from shared.models import ModelSpec
from shared.protocol import Model
from shared.training import TrainSpec

YARDSTICK_TIMES = 6
# The images at once when a network is inspected: a convolution's result for so many stays in the cache, and PyTorch
# takes two thirds of the time that it takes with 250 (docs/decisions.md).
LOOK_BATCH = 120
YARDSTICK_EVERY_S = 1.0  # of training, to take less than a hundredth of it


class Diverged(Exception):
    """A loss is NaN or infinite."""


@dataclass
class Training:
    """A network in training, and its position: the first `n_done` `batches` of `epoch` are done."""

    spec: TrainSpec
    model: Model
    given_data: Data | None
    network: ModelSpec
    yardstick: Callable[[], None]
    agree: Callable[[bool], bool]  # makes one decision from those of all processes that train this network together
    fit: Callable[..., None] | None = None  # the framework's own loop, in the idiomatic recipe
    scaling: tuple[np.ndarray, np.ndarray] | None = None  # mean and deviation of each channel, for an idiomatic network
    fitting: Fitting | None = None
    epoch: int = 1
    batches: EpochBatches | None = None
    n_done: int = 0
    logits: np.ndarray = field(default_factory=lambda: np.empty(0))  # of each training image, from its step
    kept: Kept | None = None
    unmeasured_s: float = math.inf  # of training since the product was last timed
    windows: Windows | None = None
    resumes: bool = True  # whether its state can be kept and restored

    @property
    def data(self) -> Data:
        if self.given_data is None:
            raise RuntimeError("no data were loaded")
        return self.given_data

    def train_slice(self, request: messages.TrainSlice) -> messages.Slice:
        batches = self.batches or self._begin_epoch()
        epoch, first = self.epoch, self.n_done
        before, n_steps = (e * len(batches) for e in (epoch - 1, self.spec.epochs))

        def rate(step: int) -> float:
            return self.spec.learning_rate(step, n_steps)

        step_s: list[float] = []
        losses: list[float] = []
        bad_loss = None
        kept = self.kept
        if self.resumes and (self.agree(kept is None or not kept.is_recent()) or kept is None):
            kept = self.kept = Kept(before + first, self.model)
        yardstick_s = self._yardstick_s()
        usage = machine.usage()
        slice_start = time.perf_counter()
        for number in range(first, min(first + request.steps, len(batches))):
            images, labels = batches[number]
            start = time.perf_counter()
            loss, logits = self.model.train_step(self.model.put(images, labels), rate(before + number))
            self.model.sync()
            took_s = time.perf_counter() - start
            found, of_batch = float(self.model.fetch(loss)), self.model.fetch(logits)
            if not math.isfinite(found):
                bad_loss = first_bad_value(found, epoch, number + 1, of_batch, first_not_finite(self.model.weights()))
                break
            step_s.append(took_s)
            losses.append(found)
            self.logits[batches.indices[number]] = of_batch
            self.n_done += 1
        slice_s, foreign_s = time.perf_counter() - slice_start, machine.usage().foreign_s(usage)
        self.unmeasured_s += slice_s
        ended = self.n_done == len(batches)
        diverged = bad_loss
        if diverged is None and (parameter := first_not_finite(self.model.weights())):
            diverged = f"{parameter} is not finite after epoch {epoch}, step {self.n_done}"
        if diverged is not None and kept is not None:
            suspects = range(before + first, before + min(self.n_done + 1, len(batches)))
            diverged = retraced(self.model, kept, suspects, self._epoch_batches, rate) or diverged
        return messages.Slice(
            epoch=epoch,
            step=self.n_done,
            loss=tuple(losses),
            step_s=tuple(step_s),
            slice_s=slice_s,
            yardstick_s=yardstick_s,
            foreign_s=foreign_s,
            epoch_end=self._end_epoch() if ended and diverged is None else None,
            diverged=diverged,
        )

    def _yardstick_s(self) -> float | None:
        """Return the present seconds of a matrix product; None if that was timed recently."""
        if self.unmeasured_s < YARDSTICK_EVERY_S:
            return None
        self.unmeasured_s = 0.0
        times = []
        for _ in range(YARDSTICK_TIMES):
            start = time.perf_counter()
            self.yardstick()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def fit_epoch(self) -> messages.Fitted:
        if self.fitting is None:
            assert self.fit is not None, "only the idiomatic recipe has a loop of its own"
            self.fitting = Fitting(partial(self.fit, self.model, self.spec, self.data))
        yardstick_s = self._yardstick_s()
        usage, start = machine.usage(), time.perf_counter()
        done = self.fitting.next_epoch()
        elapsed_s, foreign_s = time.perf_counter() - start, machine.usage().foreign_s(usage)
        self.unmeasured_s += elapsed_s
        parameter = first_not_finite(self.model.weights())
        last = self.epoch * done.n_steps
        during = f"epoch {self.epoch} (steps {last - done.n_steps + 1:,} to {last:,})"
        also = f"; not finite: {parameter}" if parameter else ""
        for what, loss in (("training", done.train_loss), ("validation", done.validation_loss)):
            if not math.isfinite(loss):
                raise Diverged(f"the {what} loss of {during} is {loss}{also}")
        if parameter:
            raise Diverged(f"{parameter} is not finite after {during}")
        if self.spec.is_last(self.epoch, done.train_accuracy):
            self.fitting.finish()
        self.epoch += 1
        timed = {"elapsed_s": elapsed_s, "yardstick_s": yardstick_s, "foreign_s": foreign_s}
        return messages.Fitted(**asdict(done), **timed)

    def evaluate(self, part: Part) -> messages.Evaluation:
        x, y = self.data.part(part)
        found = evaluation.of_outputs(self.network, self.scaled_logits(x), y)
        _finite(found["loss"], f"the {part} loss after epoch {self.epoch - 1}")
        return messages.Evaluation(**found)

    @property
    def timed(self) -> Windows:
        if self.windows is None:
            self.windows = Windows(self.model, self.spec, self.data)
        return self.windows

    def scaled_logits(self, images: np.ndarray) -> np.ndarray:
        pieces = (self.scaled(images[i : i + LOOK_BATCH]) for i in range(0, len(images), LOOK_BATCH))
        return np.concatenate([self.model.logits(piece) for piece in pieces])

    def scaled(self, images: np.ndarray) -> np.ndarray:
        return images if self.scaling is None else standardised(images, *self.scaling)

    def gradients(self) -> tuple[messages.LossSent, Arrays]:
        model = self.model
        loss, gradients = model.loss_and_gradients(model.put(*self._epoch_batches(1)[0]))
        return messages.LossSent(loss=loss), gradients

    def _epoch_batches(self, epoch: int) -> EpochBatches:
        spec = self.spec
        x, y = self.data.part("train")
        return EpochBatches(x, y, spec.batch_size, spec.seed, epoch, spec.augmentation)

    def _begin_epoch(self) -> EpochBatches:
        """Prepare the batches, and one array for all coming logits.

        Small arrays kept from every step, among a framework's large ones, would fragment its heap.
        """
        self.batches = batches = self._epoch_batches(self.epoch)
        self.n_done = 0
        self.logits = np.empty((len(self.data.x_train), self.network.n_classes), self.spec.dtype)
        return batches

    def _end_epoch(self) -> messages.EpochEnd:
        """Return averages over the epoch's images, and go to the next epoch."""
        found = evaluation.figures(self.network, self.logits, self.data.y_train)
        self.batches = None
        self.epoch += 1
        _finite(found["loss"], f"the training loss of epoch {self.epoch - 1}")
        return messages.EpochEnd(**{f"train_{name}": value for name, value in found.items()})


def _finite(loss: float, what: str) -> None:
    if not math.isfinite(loss):
        raise Diverged(f"{what} is {loss}")
