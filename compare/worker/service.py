"""The requests that a worker can carry out, a function each.

This runs in the worker process, and sees the framework only through the protocol.
"""

import gc
from collections.abc import Callable
from contextlib import nullcontext

from compare.rpc import messages, own_messages
from compare.rpc.wire import Arrays
from compare.worker import fingerprint, limits, machine, own, tiers
from compare.worker.training import Training
from shared.choices import Device
from shared.data import Data, channel_statistics
from shared.lean import uncollected
from shared.ledger import Answer
from shared.models import ModelSpec
from shared.protocol import MODEL_TIERS, Implementation, Trained

# A product for comparing two runs that met the machine at different speeds (compare/analysis/diff.py).
YARDSTICK_SIZE: dict[Device, int] = {"cpu": 512, "cuda": 2048}


class Service:
    """A worker's state: its implementation, the data it was given, and the network it is training."""

    def __init__(self, implementation: Implementation, agree: Callable[[bool], bool] = lambda mine: mine) -> None:
        """`agree` makes one decision from those of all processes that train a network together."""
        self.implementation = implementation
        self._name = getattr(implementation, "__name__", "?")
        self._agree = agree
        self._data: Data | None = None
        self._training: Training | None = None
        self._n_created = 0
        self._checked: set[ModelSpec] = set()  # networks of the user's own that meet their contract
        self._yardsticks: dict[Device, Callable[[], None]] = {}

    def do(self, request: messages.Request, arrays: Arrays) -> tuple[messages.Answer, Arrays]:
        """Carry out the request, and return the answer with its arrays."""
        match request:
            case messages.LoadData():
                return self.load_data(arrays), {}
            case messages.Create():
                return self.create(request, arrays), {}
            case messages.Restore(epochs=epochs):
                return self.restore(epochs, arrays), {}
            case messages.TrainSlice():
                return self.training.train_slice(request), {}
            case messages.FitEpoch():
                return self.training.fit_epoch(), {}
            case messages.Evaluate():
                return self.training.evaluate(request.part), {}
            case messages.TimeWindow():
                return self.training.timed.time(request.what, request.steps, request.uncounted), {}
            case messages.GetProfile(alone=str(device)):
                network, batch_size = self.training.network, self.training.spec.batch_size
                alone_s = limits.alone(self.implementation, network, batch_size, device)
                return messages.Profile(operation_s=alone_s), {}
            case messages.GetProfile():
                return messages.Profile(operation_s=self.training.timed.profile(request.steps)), {}
            case _:
                return self.answer_read_only(request, arrays)

    def answer_read_only(self, request: messages.Request, arrays: Arrays) -> tuple[messages.Answer, Arrays]:
        """Answer a request that changes nothing."""
        match request:
            case messages.GetWeights():
                return messages.ArraysSent(), self.training.model.weights()
            case messages.GetState():
                return messages.ArraysSent(), self.training.model.state()
            case messages.GetOptimizerState():
                return messages.ArraysSent(), self.training.model.optimizer_state()
            case messages.GetActivations():
                images = self.training.scaled(arrays["images"])
                return messages.ArraysSent(), self.training.model.activations(images, request.training)
            case messages.GetLogits():
                return messages.ArraysSent(), {"logits": self.training.scaled_logits(arrays["images"])}
            case messages.GetGradients():
                return self.training.gradients()
            case messages.GetFingerprint():
                return self.fingerprint(), {}
            case messages.GetCounts():
                return self.counts(), {}
            case messages.AnswerRow(row=row, half=half):
                answer: Answer = getattr(tiers.offered(self.implementation, "ledger")[row], half)
                return messages.ArraysSent(), {"answer": answer(arrays)}
            case messages.Export():
                return self.export(request, arrays)
            case _:
                return self.describe(request), {}

    def describe(self, request: messages.Request) -> messages.Answer:
        """Answer a request about this process instead of its network."""
        match request:
            case messages.GetLimits(device=device):
                return limits.measure(self.implementation, device)
            case messages.GetMemory():
                return self.memory()
            case own_messages.Describe(code=code, input_shape=shape, tokens=tokens):
                return own_messages.Described(found=own.described(self.implementation, code, shape, tokens))
        raise TypeError(f"no method answers {type(request).__name__}")

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
        self._data = Data.of_arrays(arrays)
        return messages.DataLoaded(digest=self.data.digest())

    def create(self, request: messages.Create, weights: Arrays) -> messages.Created:
        # The last network is freed before the next one takes memory: frameworks keep theirs in reference cycles.
        was_first = self._n_created == 1  # it loaded the modules that a framework imports when it first needs them
        was_timed = self._training is not None and self._training.windows is not None
        self._training = None
        self._n_created += 1
        if was_timed:
            gc.unfreeze()  # it was frozen with everything else
        gc.collect()
        if was_timed or was_first:
            gc.freeze()
        yardstick = self._yardstick_for(request.device)  # before random numbers are seeded, because it uses some
        machine.reset_peak_rss()
        idiom = tiers.offered(self.implementation, "idiom") if request.recipe == "idiomatic" else None
        self._check_own(request.model)
        # With its first optimizer PyTorch imports its compiler: 1.0 s of processor time, 1.5 with searches for garbage.
        first = uncollected() if self._n_created == 1 else nullcontext()
        with first, own.blamed(request.model.code, "be built"):
            created = self.implementation.create(request.build(weights))
        absent = tiers.absent(created, MODEL_TIERS)
        model, lacking = tiers.filled(created, self._name)
        scaled = idiom is not None and idiom.scale == "standard"
        self._training = Training(
            request.train,
            model,
            self._data,
            request.model,
            yardstick,
            self._agree,
            fit=tiers.offered(self.implementation, "fit") if idiom else None,
            scaling=channel_statistics(self.data.x_train) if scaled else None,
            resumes="resume" not in lacking,
        )
        n_params, n_trainable = model.count_parameters()
        return messages.Created(
            n_params=n_params,
            n_trainable=n_trainable,
            device_name=model.device_name(),
            scale=idiom.scale if idiom else None,
            choices=idiom.choices if idiom else {},
            lacking=lacking,
            missing=absent,
        )

    def _check_own(self, model: ModelSpec) -> None:
        """Compare a network of the user's own with its contract, once for each. Raises own.OwnCodeFailed."""
        if model.code is not None and model not in self._checked:
            own.check(self.implementation, model)
            self._checked.add(model)

    def restore(self, epochs: int, state: Arrays) -> messages.Restored:
        self.training.model.restore(state)
        self.training.epoch, self.training.batches, self.training.kept = epochs + 1, None, None
        return messages.Restored()

    def _yardstick_for(self, device: Device) -> Callable[[], None]:
        if device not in self._yardsticks:
            product = getattr(self.implementation, "matrix_product", limits.numpy_product)
            self._yardsticks[device] = product(device, YARDSTICK_SIZE[device])
        return self._yardsticks[device]

    def fingerprint(self) -> messages.FingerprintSent:
        training = self.training
        return messages.FingerprintSent(fields=fingerprint.of_worker(training.model, training.spec, self.data))

    def export(self, request: messages.Export, arrays: Arrays) -> tuple[messages.ArraysSent, Arrays]:
        self._check_own(request.model)
        images = arrays.pop("images")
        scaling = (arrays.pop("mean"), arrays.pop("deviation")) if "mean" in arrays else None
        trained = Trained(request.model, arrays, request.epsilon, scaling)
        return messages.ArraysSent(), {
            "logits": tiers.offered(self.implementation, "exporters")[request.format](trained, request.path)(images)
        }

    def counts(self) -> messages.Counted:
        model = self.training.model
        return messages.Counted(n_params=model.count_by_layer(), flops=model.count_flops())

    def memory(self) -> messages.PeakMemory:
        return messages.PeakMemory(
            peak_rss_bytes=machine.peak_rss_bytes(),
            peak_device_bytes=self.training.model.peak_device_bytes(),
        )
