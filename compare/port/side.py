"""One model of a comparison: its worker, and recordings of calls of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.evaluate import evaluate, statistics
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays, Node, Recording, renamed
from compare.port.fold import folded, unfolded
from compare.port.measure import distance
from compare.port.normal import normal_form
from compare.port.positions import table_keys
from compare.processes.port_session import ModelWorker, Precision
from compare.rpc.port_messages import ModelLoaded
from shared.errors import InputError

FLOAT32 = 1e-3  # how far a model's own float32 values may be from the evaluator's float64 ones


@dataclass(frozen=True)
class Differentiated:
    """A call in training mode in normal form, its loss and what the model adds to it (`penalty`), and the gradients:
    of the loss by values and by weights, of the penalty by weights. `parameters`: what can be trained by NODE/ROLE,
    with its owner's name of it and whether it is trained. `record` is the loss, if the worker knows it; `axis` that of
    the classes; `regularisers` what is added for a weight, as it is written."""

    recording: Recording
    loss: float
    penalty: float
    values: Arrays
    weights: Arrays
    penalties: Arrays
    parameters: Mapping[str, tuple[str, bool]]
    record: LossRecord | None
    axis: int
    regularisers: Mapping[str, str]


class Side:
    """One model: its worker, and recordings of it in normal form."""

    def __init__(self, worker: ModelWorker, precision: Precision = "float64") -> None:
        self.worker, self.precision = worker, precision
        self.loaded: ModelLoaded = worker.load(precision)
        self.known: Arrays = {}  # its weights, which can be large and are sent once
        self.folds: dict[str, str] = {}  # normalisations that are folded into the layers in front of them
        self._whole: Recording | None = None  # the last recording in evaluation, with nothing folded
        self.called: dict[str, str] = {}  # the worker's own name of a weight that has another one in normal form

    def record(self, given: Arrays, training: bool) -> Recording:
        """A call of it, in evaluation with what is to be folded. Raises InputError."""
        recording = self._recorded(given, training)
        if training:
            return recording
        self._whole = recording
        return folded(recording, self.folds)

    def _recorded(self, given: Arrays, training: bool) -> Recording:
        """A call of it. In float64 a model that computes in float32 alone is computed by the reference evaluator, and
        held to its own values."""
        if self.precision in self.loaded.precisions:
            recording = self._called(given, training, self.known)
            self.known |= recording.weights
            return self._normal(recording)
        own = self._normal(self._called(cast(given, np.float32), training, {}))
        weights = cast(own.weights, np.float64)  # those that were given were rounded when they were taken
        weights |= {name: self.known[raw] for name in weights if (raw := self.called.get(name, name)) in self.known}
        values = evaluate(own.graph, given, weights, self.fallback(training))
        for name in own.graph.outputs:
            if distance(values[name], own.values[name]) > FLOAT32:
                raise InputError(
                    f"The {self.worker.side} model computes in float32 alone, and its {name} differs from what its "
                    "operations give in float64 by more than rounding does. Make it compute in float64."
                )
        kept = {
            f"{node.name}/{role}": array
            for node in own.graph.nodes
            if node.kind == "BatchNormalization" and node.attributes.get("training_mode")
            for role, array in statistics(node, values[node.inputs[0]], weights_of(node, weights)).items()
        }
        return replace(own, values=values, weights=weights, statistics=kept)

    def _called(self, given: Arrays, training: bool, known: Arrays) -> Recording:
        """A recording in which inputs are called as in `given`, whatever the model calls them: they go by place."""
        stated = self.loaded.inputs or {}
        if set(stated) == set(given) or len(stated) != len(given):
            return self.worker.record(given, training, known)
        own = dict(zip(stated, given.values(), strict=True))
        return renamed(self.worker.record(own, training, known), dict(zip(stated, given, strict=True)))

    def differentiate(self, given: Arrays, targets: np.ndarray, form: str) -> Differentiated:
        """A call of it in training mode and the gradients of its loss. Raises InputError."""
        if self.precision not in self.loaded.precisions:
            raise InputError(
                f"The {self.worker.side} model computes in float32 alone, and gradients are compared in float64. Give "
                "the model that it was saved from."
            )
        stated = self.loaded.inputs or {}
        own = given
        if set(stated) != set(given) and len(stated) == len(given):
            own = dict(zip(stated, given.values(), strict=True))
        answer, raw, parts = self.worker.differentiate(own, targets, form, self.known)
        self.known |= raw.weights
        names = dict(zip(own, given, strict=True))
        recording = self._normal(renamed(raw, names))
        now = {was: name for name, was in self.called.items()}
        values = {}
        for name, array in parts["gradient"].items():
            node = names.get(name, name)
            if node in recording.values and array.size == recording.values[node].size:
                values[node] = array.reshape(recording.values[node].shape)
        record = None if answer.record is None else LossRecord.of_body(answer.record)
        return Differentiated(
            recording, answer.loss, answer.penalty, values,
            {now.get(key, key): array for key, array in parts["slope"].items()},
            {now.get(key, key): array for key, array in parts["penalty"].items()},
            {now.get(key, key): (name, trained) for key, (name, trained) in answer.parameters.items()},
            record, answer.axis, {now.get(key, key): text for key, text in answer.regularisers.items()},
        )  # fmt: skip

    def _normal(self, recording: Recording) -> Recording:
        own = normal_form(recording)
        self.called |= table_keys(recording, own)
        return own

    def give(self, weights: Arrays) -> None:
        """Give it weights by NODE/ROLE. Raises InputError if they do not fit."""
        if self.folds and self._whole is not None:
            weights = unfolded(weights, self._whole, self.folds)
        weights = {self.called.get(name, name): array for name, array in weights.items()}
        self.worker.give_weights(weights)
        self.known |= weights

    def fallback(self, training: bool) -> Callable[[Node, list[np.ndarray]], np.ndarray]:
        """What computes a node that the evaluator does not know."""
        return lambda node, given: self.worker.apply(node.name, given, training)


def weights_of(node: Node, weights: Mapping[str, np.ndarray]) -> Arrays:
    """The weights of one node by role."""
    return {role: weights[f"{node.name}/{role}"] for role in node.roles}


def cast(arrays: Mapping[str, np.ndarray], dtype: type) -> Arrays:
    """The arrays in another floating-point type; integers stay."""
    return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in arrays.items()}
