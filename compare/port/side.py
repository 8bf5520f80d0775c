"""One model of a comparison: its worker, and recordings of calls of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.evaluate import evaluate, statistics
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays, Node, Recording, renamed
from compare.port.measure import distance
from compare.port.normal import normal_form
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

    def record(self, given: Arrays, training: bool) -> Recording:
        """A call of it. In float64 a model that computes in float32 alone is computed by the reference evaluator, and
        held to its own values. Raises InputError."""
        if self.precision in self.loaded.precisions:
            recording = self._called(given, training, self.known)
            self.known |= recording.weights
            return normal_form(recording)
        own = normal_form(self._called(cast(given, np.float32), training, {}))
        weights = cast(own.weights, np.float64)  # those that were given were rounded when they were taken
        weights |= {name: array for name, array in self.known.items() if name in weights}
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
        recording = normal_form(renamed(raw, names))
        values = {}
        for name, array in parts["gradient"].items():
            node = names.get(name, name)
            if node in recording.values and array.size == recording.values[node].size:
                values[node] = array.reshape(recording.values[node].shape)
        record = None if answer.record is None else LossRecord.of_body(answer.record)
        return Differentiated(
            recording, answer.loss, answer.penalty, values, parts["slope"], parts["penalty"],
            {key: (name, trained) for key, (name, trained) in answer.parameters.items()},
            record, answer.axis, answer.regularisers,
        )  # fmt: skip

    def give(self, weights: Arrays) -> None:
        """Give it weights by NODE/ROLE. Raises InputError if they do not fit."""
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
