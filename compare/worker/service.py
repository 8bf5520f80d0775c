"""What a worker can do, one function a request.

This runs in the worker process, and sees the framework only through the protocol.
"""

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np

from compare.rpc import messages
from compare.rpc.wire import Arrays
from compare.worker import fingerprint, limits, machine, tiers
from compare.worker.divergence import Kept, first_not_finite, retraced, told
from compare.worker.fitting import Fitting
from compare.worker.windows import EVALUATION_BATCH, Windows
from shared import metrics
from shared.batches import EpochBatches
from shared.data import Data, Part, channel_statistics, standardised
from shared.ledger import Answer
from shared.protocol import Device, Implementation, Model, Trained
from shared.training import TrainSpec

# A product by which two runs are compared that met the machine at different speeds (compare/analysis/diff.py).
YARDSTICK_SIZE: dict[Device, int] = {"cpu": 512, "cuda": 2048}
YARDSTICK_TIMES = 6
YARDSTICK_EVERY_S = 1.0  # of training, so that it takes less than a hundredth of it


class Diverged(Exception):
    """A loss is NaN or infinite."""


@dataclass
class Training:
    """A network in training, and where it stands: in `epoch`, of whose `batches` the first `n_done` are done."""

    spec: TrainSpec
    model: Model
    n_classes: int
    scaling: tuple[np.ndarray, np.ndarray] | None = None  # mean and deviation of each channel, for an idiomatic network
    fitting: Fitting | None = None
    epoch: int = 1
    batches: EpochBatches | None = None
    n_done: int = 0
    logits: np.ndarray = field(default_factory=lambda: np.empty(0))  # of each training image, from its step
    kept: Kept | None = None
    unmeasured_s: float = math.inf  # of slices since the product was last timed
    windows: Windows | None = None
    resumes: bool = True  # whether its state can be kept and put back


def _finite(loss: float, what: str) -> float:
    if not math.isfinite(loss):
        raise Diverged(f"{what} is {loss}")
    return loss


class Bench:
    """A worker's state: its implementation, the data it was given, and the network it is training."""

    def __init__(self, implementation: Implementation, agree: Callable[[bool], bool] = lambda mine: mine) -> None:
        """`agree` makes one decision of those of all processes that train a network together."""
        self.implementation = implementation
        self._name = getattr(implementation, "__name__", "?")
        self._agree = agree
        self._data: Data | None = None
        self._training: Training | None = None
        self._n_created = 0
        self._yardsticks: dict[Device, Callable[[], None]] = {}

    def do(self, request: messages.Request, arrays: Arrays) -> tuple[messages.Answer, Arrays]:
        """Do what is asked; return the answer and the arrays that go with it."""
        match request:
            case messages.LoadData():
                return self.load_data(arrays), {}
            case messages.Create():
                return self.create(request, arrays), {}
            case messages.Restore(epochs=epochs):
                return self.restore(epochs, arrays), {}
            case messages.TrainSlice():
                return self.train_slice(request), {}
            case messages.FitEpoch():
                return self.fit_epoch(), {}
            case messages.Evaluate():
                return self.evaluate(request.part), {}
            case messages.TimeWindow():
                return self.windows.time(request.what, request.steps, request.uncounted), {}
            case messages.GetProfile():
                return messages.Profile(operation_s=self.windows.profile(request.steps)), {}
            case _:
                return self.look(request, arrays)

    def look(self, request: messages.Question, arrays: Arrays) -> tuple[messages.Answer, Arrays]:
        """Answer what changes nothing."""
        match request:
            case messages.GetWeights():
                return messages.ArraysSent(), self.training.model.weights()
            case messages.GetState():
                return messages.ArraysSent(), self.training.model.state()
            case messages.GetOptimizerState():
                return messages.ArraysSent(), self.training.model.optimizer_state()
            case messages.GetActivations():
                images = self._scaled(arrays["images"])
                return messages.ArraysSent(), self.training.model.activations(images, request.training)
            case messages.GetLogits():
                return messages.ArraysSent(), {"logits": self._logits(arrays["images"])}
            case messages.GetGradients():
                return self.gradients()
            case messages.GetFingerprint():
                return self.fingerprint(), {}
            case messages.GetCounts():
                return self.counts(), {}
            case messages.AnswerRow(row=row, half=half):
                answer: Answer = getattr(tiers.offered(self.implementation, "ledger")[row], half)
                return messages.ArraysSent(), {"answer": answer(arrays)}
            case messages.Export():
                return self.export(request, arrays)
            case messages.GetLimits(device=device):
                return limits.measure(self.implementation, device), {}
            case messages.GetMemory():
                return self.memory(), {}

    @property
    def data(self) -> Data:
        if self._data is None:
            raise RuntimeError("no data were loaded")
        return self._data

    @property
    def training(self) -> Training:
        if self._training is None:
            raise RuntimeError("no network was created")
        return self._training

    def load_data(self, arrays: Arrays) -> messages.DataLoaded:
        self._data = Data(**arrays)
        return messages.DataLoaded(digest=self.data.digest())

    def create(self, request: messages.Create, weights: Arrays) -> messages.Created:
        # The last network is gone before the next one takes memory: frameworks tie theirs up in cycles.
        was_first = self._n_created == 1  # with it came what a framework imports when it is first needed
        was_timed = self._training is not None and self._training.windows is not None
        self._training = None
        self._n_created += 1
        if was_timed:
            gc.unfreeze()  # it was frozen with all else
        gc.collect()
        if was_timed or was_first:
            gc.freeze()
        self._yardstick_for(request.device)  # before random numbers are seeded: it takes some
        machine.reset_peak_rss()
        idiom = tiers.offered(self.implementation, "idiom") if request.recipe == "idiomatic" else None
        created = self.implementation.create(request.build(weights))
        model, lacking = tiers.filled(created, self._name)
        self._training = Training(request.train, model, request.model.n_classes, resumes="resume" not in lacking)
        if idiom and idiom.scale == "standard":
            self._training.scaling = channel_statistics(self.data.x_train)
        n_params, n_trainable = model.count_parameters()
        return messages.Created(
            n_params=n_params,
            n_trainable=n_trainable,
            device_name=model.device_name(),
            scale=idiom.scale if idiom else None,
            choices=idiom.choices if idiom else {},
            lacking=lacking,
        )

    def restore(self, epochs: int, state: Arrays) -> messages.Restored:
        self.training.model.restore(state)
        self.training.epoch, self.training.batches, self.training.kept = epochs + 1, None, None
        return messages.Restored()

    def train_slice(self, request: messages.TrainSlice) -> messages.Slice:
        training = self.training
        batches = training.batches or self._begin_epoch()
        epoch, first = training.epoch, training.n_done
        before, n_steps = (e * len(batches) for e in (epoch - 1, training.spec.epochs))

        def rate(step: int) -> float:
            return training.spec.learning_rate(step, n_steps)

        step_s: list[float] = []
        losses: list[float] = []
        bad_loss = None
        kept = training.kept
        if training.resumes and (self._agree(kept is None or not kept.is_recent()) or kept is None):
            kept = training.kept = Kept(before + first, training.model)
        yardstick_s = self._yardstick_s() if training.unmeasured_s >= YARDSTICK_EVERY_S else None
        usage = machine.usage()
        slice_start = time.perf_counter()
        for number in range(first, min(first + request.steps, len(batches))):
            images, labels = batches[number]
            start = time.perf_counter()
            loss, logits = training.model.train_step(training.model.put(images, labels), rate(before + number))
            training.model.sync()
            took_s = time.perf_counter() - start
            found, of_batch = float(training.model.fetch(loss)), training.model.fetch(logits)
            if not math.isfinite(found):
                bad_loss = told(found, epoch, number + 1, of_batch, first_not_finite(training.model.weights()))
                break
            step_s.append(took_s)
            losses.append(found)
            training.logits[batches.indices[number]] = of_batch
            training.n_done += 1
        slice_s, foreign_s = time.perf_counter() - slice_start, machine.usage().foreign_s(usage)
        training.unmeasured_s = slice_s if yardstick_s is not None else training.unmeasured_s + slice_s
        ended = training.n_done == len(batches)
        diverged = bad_loss
        if diverged is None and (parameter := first_not_finite(training.model.weights())):
            diverged = f"{parameter} is not finite after epoch {epoch}, step {training.n_done}"
        if diverged is not None and kept is not None:
            suspects = range(before + first, before + min(training.n_done + 1, len(batches)))
            diverged = retraced(training.model, kept, suspects, self._epoch_batches, rate) or diverged
        return messages.Slice(
            epoch=epoch,
            step=training.n_done,
            loss=tuple(losses),
            step_s=tuple(step_s),
            slice_s=slice_s,
            yardstick_s=yardstick_s,
            foreign_s=foreign_s,
            epoch_end=self._end_epoch() if ended and diverged is None else None,
            diverged=diverged,
        )

    def _yardstick_for(self, device: Device) -> None:
        if device not in self._yardsticks:
            product = getattr(self.implementation, "matrix_product", limits.numpy_product)
            self._yardsticks[device] = product(device, YARDSTICK_SIZE[device])
        self._yardstick = self._yardsticks[device]

    def _yardstick_s(self) -> float:
        """How fast the machine is just now, in a few milliseconds."""
        times = []
        for _ in range(YARDSTICK_TIMES):
            start = time.perf_counter()
            self._yardstick()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def fit_epoch(self) -> messages.Fitted:
        training = self.training
        if training.fitting is None:
            model, spec, data, fit = training.model, training.spec, self.data, tiers.offered(self.implementation, "fit")
            training.fitting = Fitting(lambda on_epoch: fit(model, spec, data, on_epoch))
        done = training.fitting.next_epoch()
        parameter = first_not_finite(training.model.weights())
        last = training.epoch * done.n_steps
        during = f"epoch {training.epoch} (steps {last - done.n_steps + 1:,} to {last:,})"
        also = f"; not finite: {parameter}" if parameter else ""
        for what, loss in (("training", done.train_loss), ("validation", done.validation_loss)):
            if not math.isfinite(loss):
                raise Diverged(f"the {what} loss of {during} is {loss}{also}")
        if parameter:
            raise Diverged(f"{parameter} is not finite after {during}")
        if training.spec.is_last(training.epoch, done.train_accuracy):
            training.fitting.finish()
        training.epoch += 1
        return messages.Fitted(**asdict(done))

    def evaluate(self, part: Part) -> messages.Evaluation:
        x, y = self.data.part(part)
        logits = self._logits(x)
        return messages.Evaluation(
            accuracy=metrics.accuracy(logits, y),
            loss=_finite(metrics.cross_entropy(logits, y), f"the {part} loss after epoch {self.training.epoch - 1}"),
            confusion=tuple(tuple(row) for row in metrics.confusion(logits, y).tolist()),
        )

    @property
    def windows(self) -> Windows:
        training = self.training
        if training.windows is None:
            training.windows = Windows(training.model, training.spec, self.data)
        return training.windows

    def _logits(self, images: np.ndarray) -> np.ndarray:
        pieces = (self._scaled(images[i : i + EVALUATION_BATCH]) for i in range(0, len(images), EVALUATION_BATCH))
        return np.concatenate([self.training.model.logits(piece) for piece in pieces])

    def _scaled(self, images: np.ndarray) -> np.ndarray:
        return images if self.training.scaling is None else standardised(images, *self.training.scaling)

    def gradients(self) -> tuple[messages.LossSent, Arrays]:
        model = self.training.model
        loss, gradients = model.loss_and_gradients(model.put(*self._epoch_batches(1)[0]))
        return messages.LossSent(loss=loss), gradients

    def fingerprint(self) -> messages.FingerprintSent:
        training = self.training
        return messages.FingerprintSent(fields=fingerprint.of_worker(training.model, training.spec, self.data))

    def export(self, request: messages.Export, arrays: Arrays) -> tuple[messages.ArraysSent, Arrays]:
        images = arrays.pop("images")
        scaling = (arrays.pop("mean"), arrays.pop("deviation")) if "mean" in arrays else None
        trained = Trained(request.model, arrays, request.epsilon, scaling)
        return messages.ArraysSent(), {
            "logits": tiers.offered(self.implementation, "exporters")[request.format](trained, request.path)(images)
        }

    def counts(self) -> messages.Counted:
        model = self.training.model
        return messages.Counted(n_params=model.count_by_layer(), flops=model.count_flops())

    def memory(self) -> messages.Memory:
        return messages.Memory(
            peak_rss_bytes=machine.peak_rss_bytes(),
            peak_device_bytes=self.training.model.peak_device_bytes(),
        )

    def _epoch_batches(self, epoch: int) -> EpochBatches:
        spec = self.training.spec
        x, y = self.data.part("train")
        return EpochBatches(x, y, spec.batch_size, spec.seed, epoch, spec.augmentation)

    def _begin_epoch(self) -> EpochBatches:
        """Set out the batches, and one array for all logits to come.

        Small arrays kept from every step, among a framework's large ones, would keep its heap in pieces.
        """
        training = self.training
        training.batches = batches = self._epoch_batches(training.epoch)
        training.n_done = 0
        training.logits = np.empty((len(self.data.x_train), training.n_classes), training.spec.dtype)
        return batches

    def _end_epoch(self) -> messages.EpochEnd:
        """Averages over the epoch's images, and on to the next one."""
        training, labels = self.training, self.data.y_train
        loss = metrics.cross_entropy(training.logits, labels)
        training.batches = None
        training.epoch += 1
        return messages.EpochEnd(
            train_loss=_finite(loss, f"the training loss of epoch {training.epoch - 1}"),
            train_accuracy=metrics.accuracy(training.logits, labels),
        )
