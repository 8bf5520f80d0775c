"""Requests about losses, gradients and training, answered in the worker."""

from collections.abc import Container, Mapping

import numpy as np

from compare.adapters.adapter import Adapter, Unreadable
from compare.adapters.learner import Learner
from compare.graphs.node import Recording
from compare.rpc import port_messages as messages
from compare.rpc import wire
from compare.rpc.messages import Answer


class Learning:
    """Answers about one model."""

    def __init__(self, adapter: Adapter) -> None:
        """Raises Unreadable if the model cannot be differentiated."""
        self.learner = learner_of(adapter)

    def do(self, request: messages.SetLoss | messages.Differentiate, arrays: wire.Arrays) -> tuple[Answer, wire.Arrays]:
        """Do what is asked; return the answer and the arrays that go with it."""
        match request:
            case messages.SetLoss(name=name, reference=reference):
                label, forms = self.learner.set_loss(name, reference)
                return messages.LossSet(label=label, forms=forms), {}
            case messages.Differentiate():
                return self._differentiated(request, arrays)

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


def inputs_of(arrays: Mapping[str, np.ndarray]) -> wire.Arrays:
    """The inputs among the arrays of a request."""
    return {name.removeprefix("input/"): array for name, array in arrays.items() if name.startswith("input/")}


def sent_of(recording: Recording, known: Container[str]) -> wire.Arrays:
    """The arrays of a recording as they are sent, without the weights that are known."""
    weights = {name: array for name, array in recording.weights.items() if name not in known}
    parts = (("value", recording.values), ("weight", weights), ("kept", recording.statistics))
    return {f"{part}/{name}": np.asarray(array) for part, named in parts for name, array in named.items()}


def learner_of(adapter: Adapter) -> Learner:
    """The learner of an adapter's model. Raises Unreadable if its framework does not train it."""
    if adapter.framework == "torch":
        from compare.adapters.torch_learner import TorchLearner

        return TorchLearner(adapter)
    if adapter.framework in ("keras", "tensorflow"):
        from compare.adapters.keras_learner import KerasLearner

        return KerasLearner(adapter)
    raise Unreadable("An ONNX file has no gradients and cannot be trained. Leave the loss out, or give its source.")
