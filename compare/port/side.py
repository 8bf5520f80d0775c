"""One model of a comparison: its worker, and recordings of calls of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from compare.graphs.evaluate import evaluate, statistics
from compare.graphs.node import Arrays, Node, Recording, renamed
from compare.port.measure import distance
from compare.port.normal import normal_form
from compare.port.packed import Part, parts_of
from compare.processes.port_session import ModelWorker, Precision
from compare.rpc.port_messages import ModelLoaded
from shared.errors import InputError

FLOAT32 = 1e-3  # how far a model's own float32 values may be from the evaluator's float64 ones


class Side:
    """One model: its worker, and recordings of it in normal form."""

    def __init__(self, worker: ModelWorker, precision: Precision = "float64") -> None:
        self.worker, self.precision = worker, precision
        self.loaded: ModelLoaded = worker.load(precision)
        self.known: Arrays = {}  # its weights, which can be large and are sent once
        self.parts: dict[str, Part] = {}  # what a weight in normal form is of the worker's, if it is not as it is

    def record(self, given: Arrays, training: bool) -> Recording:
        """A call of it. In float64 a model that computes in float32 alone is computed by the reference evaluator, and
        held to its own values. Raises InputError."""
        if self.precision in self.loaded.precisions:
            recording = self._called(given, training, self.known)
            self.known |= recording.weights
            return self._normal(recording)
        own = self._normal(self._called(cast(given, np.float32), training, {}))
        weights = cast(own.weights, np.float64)  # those that were given were rounded when they were taken
        for name in weights:
            part = self.parts.get(name, Part(name))
            if part.key in self.known:
                given_to = self.known[part.key]
                weights[name] = given_to if part.rows is None else given_to[slice(*part.rows)]
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

    def _normal(self, recording: Recording) -> Recording:
        own = normal_form(recording)
        self.parts |= parts_of(recording, own)
        return own

    def give(self, weights: Arrays) -> None:
        """Give it weights by NODE/ROLE. Raises InputError if they do not fit."""
        whole: Arrays = {}
        for name, array in weights.items():
            part = self.parts.get(name, Part(name))
            whole[part.key] = part.into(whole.get(part.key, self.known.get(part.key)), array)
        weights = whole
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
