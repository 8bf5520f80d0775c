"""What a worker can do, one function a request.

This runs in the worker process, and sees the framework only through the protocol.
"""

import gc
import math
import time
from dataclasses import dataclass, field

import numpy as np

from compare import environment, messages
from compare.wire import Arrays
from shared import metrics
from shared.batches import epoch_batches
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Implementation, Model
from shared.training import TrainSpec

EVALUATION_BATCH = 250


class Diverged(Exception):
    """A loss is NaN or infinite."""


@dataclass
class Training:
    """A network in training, and where it stands: in `epoch`, of whose `batches` the first `n_done` are done."""

    spec: TrainSpec
    model: Model
    n_classes: int
    epoch: int = 1
    batches: list[np.ndarray] = field(default_factory=list)
    n_done: int = 0
    logits: np.ndarray = field(default_factory=lambda: np.empty(0))  # of each training image, from its step


def _finite(loss: float, what: str) -> float:
    if not math.isfinite(loss):
        raise Diverged(f"{what} is {loss}")
    return loss


class Bench:
    """A worker's state: its implementation, the data it was given, and the network it is training."""

    def __init__(self, implementation: Implementation) -> None:
        self.implementation = implementation
        self._data: Data | None = None
        self._training: Training | None = None

    def do(self, request: messages.Request, arrays: Arrays) -> tuple[messages.Answer, Arrays]:
        """Do what is asked; return the answer and the arrays that go with it."""
        match request:
            case messages.LoadData():
                return self.load_data(arrays), {}
            case messages.Create():
                return self.create(request, arrays), {}
            case messages.TrainSlice():
                return self.train_slice(request), {}
            case messages.Evaluate():
                return self.evaluate(), {}
            case messages.GetWeights():
                return messages.ArraysSent(), self.training.model.weights()
            case messages.GetOptimizerState():
                return messages.ArraysSent(), self.training.model.optimizer_state()
            case messages.GetActivations():
                return messages.ArraysSent(), self.training.model.activations(self.data.x_test[: request.n])
            case messages.GetLogits():
                return messages.ArraysSent(), {"logits": self.training.model.logits(self.data.x_test[: request.n])}
            case messages.GetGradients():
                return self.gradients()
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
        self._training = None
        gc.collect()
        environment.reset_peak_rss()
        spec = MODELS[request.model]
        model = self.implementation.create(spec, request.train, weights, request.device, request.mode)
        self._training = Training(request.train, model, spec.n_classes)
        n_params, n_trainable = model.count_parameters()
        return messages.Created(n_params=n_params, n_trainable=n_trainable, device_name=model.device_name())

    def train_slice(self, request: messages.TrainSlice) -> messages.Slice:
        training, data = self.training, self.data
        if not training.batches:
            self._begin_epoch()
        epoch, first = training.epoch, training.n_done
        before, n_steps = (e * len(training.batches) for e in (epoch - 1, training.spec.epochs))
        step_s: list[float] = []
        losses: list[float] = []
        slice_start = time.perf_counter()
        for indices in training.batches[first : first + request.steps]:
            images, labels = data.x_train[indices], data.y_train[indices]
            rate = training.spec.learning_rate(before + training.n_done, n_steps)
            start = time.perf_counter()
            loss, logits = training.model.train_step(training.model.put(images, labels), rate)
            training.model.sync()
            step_s.append(time.perf_counter() - start)
            losses.append(float(training.model.fetch(loss)))
            training.logits[indices] = training.model.fetch(logits)
            training.n_done += 1
            _finite(losses[-1], f"the loss in epoch {epoch}, step {training.n_done}")
        return messages.Slice(
            epoch=epoch,
            step=training.n_done,
            loss=tuple(losses),
            step_s=tuple(step_s),
            slice_s=time.perf_counter() - slice_start,
            epoch_end=self._end_epoch() if training.n_done == len(training.batches) else None,
        )

    def evaluate(self) -> messages.Evaluation:
        x, y = self.data.x_test, self.data.y_test
        starts = range(0, len(x), EVALUATION_BATCH)
        logits = np.concatenate([self.training.model.logits(x[i : i + EVALUATION_BATCH]) for i in starts])
        return messages.Evaluation(
            accuracy=metrics.accuracy(logits, y),
            loss=_finite(metrics.cross_entropy(logits, y), f"the test loss after epoch {self.training.epoch - 1}"),
            confusion=tuple(tuple(row) for row in metrics.confusion(logits, y).tolist()),
        )

    def gradients(self) -> tuple[messages.LossSent, Arrays]:
        indices = self._epoch_batches(1)[0]
        model = self.training.model
        batch = model.put(self.data.x_train[indices], self.data.y_train[indices])
        loss, gradients = model.loss_and_gradients(batch)
        return messages.LossSent(loss=loss), gradients

    def memory(self) -> messages.Memory:
        return messages.Memory(
            peak_rss_bytes=environment.peak_rss_bytes(),
            peak_device_bytes=self.training.model.peak_device_bytes(),
        )

    def _epoch_batches(self, epoch: int) -> list[np.ndarray]:
        spec = self.training.spec
        return epoch_batches(len(self.data.x_train), spec.batch_size, spec.seed, epoch)

    def _begin_epoch(self) -> None:
        """Set out the batches, and one array for all logits to come.

        Small arrays kept from every step, among a framework's large ones, would keep its heap in pieces.
        """
        training = self.training
        training.batches = self._epoch_batches(training.epoch)
        training.n_done = 0
        training.logits = np.empty((len(self.data.x_train), training.n_classes), training.spec.dtype)

    def _end_epoch(self) -> messages.EpochEnd:
        """Averages over the epoch's images, and on to the next one."""
        training, labels = self.training, self.data.y_train
        loss = metrics.cross_entropy(training.logits, labels)
        training.batches = []
        training.epoch += 1
        return messages.EpochEnd(
            train_loss=_finite(loss, f"the training loss of epoch {training.epoch - 1}"),
            train_accuracy=metrics.accuracy(training.logits, labels),
        )
