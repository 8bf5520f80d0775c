"""Answer requests about losses, gradients and training, in the worker."""

from collections.abc import Callable, Container
from functools import cached_property

import numpy as np

from compare.adapters.adapter import Adapter, Unreadable
from compare.adapters.fitting import Watcher, fitted
from compare.adapters.learner import Learner, inputs_of
from compare.adapters.trainer import Trainer, answered
from compare.graphs.losses import LossRecord
from compare.graphs.node import Recording
from compare.rpc import port_messages as messages
from compare.rpc import wire
from compare.rpc.messages import Answer

Asked = messages.Fit | messages.SetLoss | messages.Differentiate | messages.Optimize | messages.TrainStep


class Learning:
    """Answers about one model."""

    def __init__(self, adapter: Adapter) -> None:
        """Raises Unreadable if the model cannot be differentiated."""
        self.learner, self._trainer_of, self._watcher_of = learner_of(adapter)

    @cached_property
    def trainer(self) -> Trainer:
        return self._trainer_of()

    @cached_property
    def watcher(self) -> Watcher:
        return self._watcher_of()

    def do(self, request: Asked, arrays: wire.Arrays) -> tuple[Answer, wire.Arrays]:
        """Carry out the request, and return the answer with its arrays."""
        match request:
            case messages.Fit():
                answer = fitted(self.watcher, request)
                self.trainer.seen = self.watcher.seen
                return answer
            case messages.SetLoss(record=body) if body is not None:
                label, forms = self.learner.set_record(LossRecord.of_body(body))
                return messages.LossSet(label=label, forms=forms), {}
            case messages.SetLoss(name=name, reference=reference):
                label, forms = self.learner.set_loss(name, reference)
                return messages.LossSet(label=label, forms=forms), {}
            case messages.Differentiate():
                return self._differentiated(request, arrays)
            case messages.Optimize() | messages.TrainStep():
                return answered(self.trainer, request, arrays)

    def _differentiated(
        self, request: messages.Differentiate, arrays: wire.Arrays
    ) -> tuple[messages.Differentiated, wire.Arrays]:
        found = self.learner.differentiate(inputs_of(arrays), arrays["targets"], request.form)
        sent = sent_of(found.recording, frozenset(request.known))
        for part, named in (("gradient", found.values), ("slope", found.weights), ("penalty", found.penalties)):
            sent |= {f"{part}/{name}": array for name, array in named.items()}
        answer = messages.Differentiated(
            graph=found.recording.graph.body(),
            loss=found.loss,
            penalty=found.penalty,
            record=None if found.record is None else found.record.body(),
            axis=found.axis,
            parameters={key: (one.name, one.trained) for key, one in found.parameters.items()},
            regularisers=dict(found.regularisers),
        )
        return answer, sent


def sent_of(recording: Recording, known: Container[str]) -> wire.Arrays:
    """Return the arrays of a recording in the form for sending, without the known weights."""
    weights = {name: array for name, array in recording.weights.items() if name not in known}
    parts = (("value", recording.values), ("weight", weights), ("kept", recording.statistics))
    return {f"{part}/{name}": np.asarray(array) for part, named in parts for name, array in named.items()}


def learner_of(adapter: Adapter) -> tuple[Learner, Callable[[], Trainer], Callable[[], Watcher]]:
    """Return the learner of an adapter's model, and functions for its trainer and for the watcher of a training
    function. Raises Unreadable if its framework does not train it."""
    if adapter.framework == "torch":
        from compare.adapters.torch_adapter import TorchAdapter
        from compare.adapters.torch_fit import TorchWatcher
        from compare.adapters.torch_learner import TorchLearner
        from compare.adapters.torch_trainer import TorchTrainer

        assert isinstance(adapter, TorchAdapter)
        torch_learner = TorchLearner(adapter)
        return torch_learner, lambda: TorchTrainer(adapter, torch_learner), lambda: TorchWatcher(adapter)
    if adapter.framework in ("keras", "tensorflow"):
        from compare.adapters.keras_learner import KerasLearner
        from compare.adapters.keras_trainer import KerasTrainer

        keras_learner = KerasLearner(adapter)
        return keras_learner, lambda: KerasTrainer(adapter, keras_learner), lambda: keras_watcher(adapter)
    raise Unreadable("An ONNX file has no gradients and cannot be trained. Leave the loss out, or give its source.")


def keras_watcher(adapter: Adapter) -> Watcher:
    """Return a watcher of Keras's training functions. Raises Unreadable if Keras does not compute with TensorFlow."""
    from compare.adapters.keras_backend import BACKEND

    if BACKEND != "tensorflow":
        raise Unreadable(
            f"A training function of Keras is recorded only on TensorFlow, not on {BACKEND}. Leave --fit out: --steps "
            "trains it on any backend."
        )
    from compare.adapters.keras_fit import KerasWatcher

    return KerasWatcher(adapter)
