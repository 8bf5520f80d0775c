"""The requests to one worker, a method each."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from compare.processes.process import Divergence, WorkerProcess
from compare.rpc import messages, own_messages
from shared.choices import Device, Format
from shared.data import Data, Part
from shared.description import Description
from shared.ledger import Half
from shared.models import Code, ModelSpec
from shared.protocol import Build, Tier
from shared.weights import Weights


class Session(WorkerProcess):
    """A worker, and the requests to it."""

    _model_lacks: tuple[Tier, ...] = ()  # set once a network was created
    _model_misses: tuple[str, ...] = ()

    @property
    def lacking(self) -> tuple[Tier, ...]:
        """The tiers that the implementation lacks, and those that the last created network lacks."""
        return *self._module_lacks, *self._model_lacks

    @property
    def missing(self) -> tuple[str, ...]:
        """The missing names of these tiers: exports of the implementation, and methods of its networks."""
        return *self._module_misses, *self._model_misses

    def load_data(self, data: Data) -> None:
        """Send the worker its data; `data_digest` is then that of what arrived."""
        self.data_digest = self._ask(messages.LoadData(), messages.DataLoaded, data.arrays())[0].digest

    def create(self, build: Build) -> messages.Created:
        """Build a network (shared/protocol.py)."""
        said = {field.name: getattr(build, field.name) for field in fields(build) if field.name != "weights"}
        created = self._ask(messages.Create(**said), messages.Created, build.weights)[0]
        self._model_lacks, self._model_misses = created.lacking, created.missing
        return created

    def describe(self, code: Code, input_shape: tuple[int, ...] | None, tokens: bool = False) -> Description:
        """Describe a network of the user's own. Raises UserCodeError if it cannot be built and called."""
        asked = own_messages.Describe(code=code, input_shape=input_shape, tokens=tokens)
        return self._ask(asked, own_messages.Described)[0].found

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that determines the rest of the training."""
        return self._ask(messages.GetState(), messages.ArraysSent)[1]

    def restore(self, epochs: int, state: Mapping[str, np.ndarray]) -> None:
        """Let the network continue after `epochs` whole epochs, from `state`."""
        self._ask(messages.Restore(epochs=epochs), messages.Restored, state)

    def train_slice(self, steps: int) -> messages.Slice:
        """Train for `steps` steps, but not beyond the end of the epoch. Raises Divergence."""
        part = self._ask(messages.TrainSlice(steps=steps), messages.Slice)[0]
        if part.diverged:
            raise Divergence(part)
        return part

    def fit_epoch(self) -> messages.Fitted:
        """Train for the next epoch of the idiomatic recipe."""
        return self._ask(messages.FitEpoch(), messages.Fitted)[0]

    def evaluate(self, part: Part = "test") -> messages.Evaluation:
        """Evaluate on all images of one part of the data."""
        return self._ask(messages.Evaluate(part=part), messages.Evaluation)[0]

    def time_window(self, what: messages.Timed, steps: int, uncounted: int = 0) -> messages.Window:
        """Time `steps` steps, after so many that are not counted (compare/worker/windows.py)."""
        return self._ask(messages.TimeWindow(what=what, steps=steps, uncounted=uncounted), messages.Window)[0]

    def profile(self, steps: int) -> dict[str, float]:
        """Return the seconds of each kind of operation in one training step, from `steps` steps that are profiled."""
        return self._ask(messages.GetProfile(steps=steps), messages.Profile)[0].operation_s

    def alone(self, device: Device) -> dict[str, float]:
        """Return the seconds of each convolution and matrix product of a step alone (compare/worker/limits.py)."""
        return self._ask(messages.GetProfile(steps=1, alone=device), messages.Profile)[0].operation_s

    def limits(self, device: Device) -> messages.Limits:
        """Return how much of the device's limits the framework reaches (compare/worker/limits.py)."""
        return self._ask(messages.GetLimits(device=device), messages.Limits)[0]

    def weights(self) -> Weights:
        """Return the current weights."""
        return self._ask(messages.GetWeights(), messages.ArraysSent)[1]

    def optimizer_state(self) -> Weights:
        """Return the optimizer's own tensors."""
        return self._ask(messages.GetOptimizerState(), messages.ArraysSent)[1]

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        """Return the output of every layer for images (N, H, W, C)."""
        return self._ask(messages.GetActivations(training=training), messages.ArraysSent, {"images": images})[1]

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits (N, classes) for images (N, H, W, C)."""
        return self._ask(messages.GetLogits(), messages.ArraysSent, {"images": images})[1]["logits"]

    def gradients(self) -> tuple[float, Weights]:
        """Return the loss and its gradients for the first batch of the first epoch."""
        answer, arrays = self._ask(messages.GetGradients(), messages.LossSent)
        return answer.loss, arrays

    def fingerprint(self) -> dict[str, str]:
        """Return what the network will compute with, field by field."""
        return self._ask(messages.GetFingerprint(), messages.FingerprintSent)[0].fields

    def answer_row(self, row: str, half: Half, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the answer of one half of a row of the ledger for its inputs."""
        return self._ask(messages.AnswerRow(row=row, half=half), messages.ArraysSent, inputs)[1]["answer"]

    def export(
        self,
        format_: Format,
        path: Path,
        model: ModelSpec,
        weights: Weights,
        epsilon: float,
        scaling: tuple[np.ndarray, np.ndarray] | None,
        images: np.ndarray,
    ) -> np.ndarray:
        """Write a trained network to `path`. Return the logits (N, classes) that the file gives for `images`
        (N, H, W, C), from 0 to 1."""
        statistics = {} if scaling is None else {"mean": scaling[0], "deviation": scaling[1]}
        request = messages.Export(model=model, format=format_, epsilon=epsilon, path=path)
        return self._ask(request, messages.ArraysSent, {**weights, **statistics, "images": images})[1]["logits"]

    def counts(self) -> messages.Counted:
        """Return the framework's own counts: parameters by layer, FLOPs of one image's forward pass."""
        return self._ask(messages.GetCounts(), messages.Counted)[0]

    def memory(self) -> messages.PeakMemory:
        """Return the peak memory so far."""
        return self._ask(messages.GetMemory(), messages.PeakMemory)[0]
