"""One model of a comparison: its worker, and recordings of its calls."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compare.graphs.evaluate import evaluate, statistics
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays, Node, Recording, renamed, without_values
from compare.graphs.optimizers import OptimizerRecord
from compare.port.fold import folded, unfolded
from compare.port.measure import distance
from compare.port.normal import normal_form
from compare.port.outputs import reordered
from compare.port.packed import Part, parts_of
from compare.processes.port_session import ModelWorker, Precision
from compare.rpc.port_messages import ModelLoaded
from shared.errors import InputError

SUFFIXES = {"torch": ".safetensors", "keras": ".weights.h5", "tensorflow": ".weights.h5", "onnx": ".onnx"}
FLOAT32 = 1e-3  # tolerance between a model's own float32 values and the evaluator's float64 ones


@dataclass(frozen=True)
class Differentiated:
    """A call in training mode in normal form: its loss, what the model adds to it (`penalty`), and the gradients. These
    are of the loss by values and by weights, and of the penalty by weights. `parameters` lists the trainable weights by
    NODE/ROLE, with the owner's name of each and whether it is trained. `record` is the loss, if the worker knows it;
    `axis` is the axis of the classes. `regularisers` is the penalty of each weight, as text."""

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


@dataclass(frozen=True)
class Optimized:
    """The result of an optimizer for given gradients: its name, and its record if that is known. By NODE/ROLE: the
    parameters after its steps, those that it trains (`held`), and how many trained numbers each element is the sum of
    (`copies`)."""

    label: str
    record: OptimizerRecord | None
    after: Arrays
    held: frozenset[str]
    copies: Arrays


class Side:
    """One model: its worker, and recordings of it in normal form."""

    def __init__(self, worker: ModelWorker, precision: Precision = "float64") -> None:
        self.worker, self.precision = worker, precision
        self.loaded: ModelLoaded = worker.load(precision)
        self.known: Arrays = {}  # weights, which can be large and are sent once
        self._shapes: dict[str, tuple[int, ...]] = {}  # shapes of the weights in the model itself
        self.folds: dict[str, str] = {}  # normalisations that are folded into the layers in front of them
        self.order: tuple[int, ...] = ()  # the order of its outputs, if it was changed
        self.recorded_outputs: tuple[int, ...] = ()  # shape of the first output in the last evaluation call
        self._whole: Recording | None = None  # the last recording in evaluation, without folding
        self.parts: dict[str, Part] = {}  # origin of each weight whose normal form differs from the worker's

    def check_backend(self, stated: str) -> None:
        """Raise InputError if a Keras backend is stated for a model of another framework."""
        name = self.worker.side
        if stated and self.loaded.framework != "keras":
            raise InputError(
                f"The {name} model is of {self.loaded.framework}, and --{name}-backend is for models of Keras. "
                "Leave it out."
            )

    def check_suffix(self, path: Path | None) -> None:
        """Raise InputError unless the file for the weights is of the framework that writes them."""
        framework = self.loaded.framework
        suffix = SUFFIXES.get(framework, ".weights.h5")
        if path is not None and not path.name.endswith(suffix):
            raise InputError(f"--save-weights {path} must end in {suffix} for a model of {framework}.")

    def record(self, given: Arrays, training: bool) -> Recording:
        """Record a call, in evaluation with normalisations folded if required. Raises InputError."""
        if training:
            return reordered(self._recorded(given, True), self.order)
        self._whole = None  # its weights can be gigabytes
        recording = reordered(self._recorded(given, False), self.order)
        self._whole = without_values(recording)
        self.recorded_outputs = recording.values[recording.graph.outputs[0]].shape
        return folded(recording, self.folds)

    def _recorded(self, given: Arrays, training: bool) -> Recording:
        """Record a call. In float64, a model that only computes in float32 is computed by the reference evaluator, and
        compared with its own values."""
        if self.precision in self.loaded.precisions:
            recording = self._called(given, training, self.known)
            self.known |= recording.weights
            return self._normal(recording)
        own = self._normal(self._called(cast(given, np.float32), training, {}))
        weights = cast(own.weights, np.float64)  # given weights were rounded when the model received them
        held: Arrays = {}
        for name in weights:
            part = self.parts.get(name, Part(name))
            if part.key in self.known:
                held[name] = part.of(self.known[part.key])
        weights |= {name: _like(array, weights[name].shape) for name, array in held.items()}
        weights |= self._unrounded(
            {name: array for name, array in own.weights.items() if name not in held and array.dtype.kind == "f"}
        )
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

    def _unrounded(self, others: Arrays) -> Arrays:
        """Return weights that have other names in this mode as before rounding to float32, matched by content."""
        known = {_content(array): array for array in self.known.values()} if others else {}
        found = {name: known.get(_content(array)) for name, array in others.items()}
        return {name: array.reshape(others[name].shape) for name, array in found.items() if array is not None}

    def _called(self, given: Arrays, training: bool, known: Arrays) -> Recording:
        """Record a call with inputs named as in `given`, matched by position if the model names them otherwise."""
        stated = self.loaded.inputs or {}
        if set(stated) == set(given) or len(stated) != len(given):
            recording = self.worker.record(given, training, known)
        else:
            own = dict(zip(stated, given.values(), strict=True))
            recording = renamed(self.worker.record(own, training, known), dict(zip(stated, given, strict=True)))
        self._shapes |= {name: array.shape for name, array in recording.weights.items()}
        return recording

    def differentiate(self, given: Arrays, targets: np.ndarray, form: str) -> Differentiated:
        """Call it in training mode, and return the gradients of its loss. Raises InputError."""
        if self.precision not in self.loaded.precisions:
            raise InputError(
                f"The {self.worker.side} model computes in float32 alone, and gradients are compared in float64. Give "
                "the model that it was saved from."
            )
        own = self._named(given)
        answer, raw, parts = self.worker.differentiate(own, targets, form, self.known)
        self.known |= raw.weights
        names = dict(zip(own, given, strict=True))
        recording = self._normal(renamed(raw, names))
        values = {}
        for name, array in parts["gradient"].items():
            node = names.get(name, name)
            if node in recording.values and name in raw.values and _unturned(raw.values[name], recording.values[node]):
                values[node] = array.reshape(recording.values[node].shape)
        record = None if answer.record is None else LossRecord.of_body(answer.record)
        return Differentiated(
            recording, answer.loss, answer.penalty, values,
            self._in_normal_form(parts["slope"]), self._in_normal_form(parts["penalty"]),
            {new: of for key, of in answer.parameters.items() for new, _ in self._normal_names(key)},
            record, answer.axis,
            {new: text for key, text in answer.regularisers.items() for new, _ in self._normal_names(key)},
        )  # fmt: skip

    def _named(self, given: Arrays) -> Arrays:
        """Return the inputs under the model's names for them; they are matched by position."""
        stated = self.loaded.inputs or {}
        same = set(stated) == set(given) or len(stated) != len(given)
        return given if same else dict(zip(stated, given.values(), strict=True))

    def optimize(self, by: tuple[str, str], gradients: Arrays, steps: int, scale: float) -> Optimized:
        """Apply an optimizer, given by name and reference, to gradients by NODE/ROLE. Raises InputError."""
        answer, parts = self.worker.optimize(by, self._in_its_own(gradients, zeros=True), steps, scale)
        record = None if answer.record is None else OptimizerRecord.of_body(answer.record)
        if record is not None:
            own = {new: value for key, value in record.own.items() for new, _ in self._normal_names(key)}
            parts_of_one = [
                (new, key) for new, part in self.parts.items() if part.rows is not None for key in [part.key]
            ]
            wholes = {new: whole for key, whole in record.wholes.items() for new, _ in self._normal_names(key)}
            record = replace(record, own=own, wholes=dict(parts_of_one) | wholes)
        held = frozenset(new for key in answer.held for new, _ in self._normal_names(key))
        after, copies = (self._in_normal_form(parts[name]) for name in ("after", "copies"))
        return Optimized(answer.label, record, after, held, copies)

    def train(
        self,
        by: tuple[str, str],
        ends: tuple[bool, bool],
        given: Arrays,
        targets: np.ndarray,
        form: str,
        wanted: Sequence[str],
    ) -> tuple[float, Arrays]:
        """Train for one step. `ends` says whether it is the first and the last. Return the loss, and the weights
        `wanted` by NODE/ROLE after the step. Raises InputError."""
        keys = list(dict.fromkeys(self.parts.get(name, Part(name)).key for name in wanted))
        loss, after = self.worker.train(by, ends, self._named(given), targets, form, keys)
        return loss, self._in_normal_form(after)

    def _normal_names(self, key: str) -> list[tuple[str, Part]]:
        """Return the normal form's names for one of the worker's weights, each with its part."""
        return [(name, part) for name, part in self.parts.items() if part.key == key] or [(key, Part(key))]

    def _in_normal_form(self, arrays: Arrays) -> Arrays:
        """Convert arrays from the worker's weights to those of the normal form."""
        return {name: part.of(array) for key, array in arrays.items() for name, part in self._normal_names(key)}

    def _normal(self, recording: Recording) -> Recording:
        own = normal_form(recording)
        self.parts |= parts_of(recording, own)
        return own

    def give(self, weights: Arrays) -> None:
        """Give the model weights by NODE/ROLE. Raises InputError if they do not fit."""
        if self.folds and self._whole is not None:
            weights = unfolded(weights, self._whole, self.folds)
        for name in weights:  # the replaced weights can be gigabytes
            part = self.parts.get(name, Part(name))
            if part.rows is None:
                self.known.pop(part.key, None)
        weights = self._in_its_own(weights)
        self.known |= weights
        self.worker.give_weights(weights)

    def _in_its_own(self, arrays: Arrays, zeros: bool = False) -> Arrays:
        """Convert arrays from the normal form's weights to those of the worker. Parts of a weight that are missing keep
        their values, or are set to 0 if `zeros`."""
        whole: Arrays = {}
        for name, array in arrays.items():
            part = self.parts.get(name, Part(name))
            known = self.known.get(part.key)
            before = np.zeros_like(known) if zeros and known is not None else known
            whole[part.key] = part.into(whole.get(part.key, before), array)
        return {name: _like(array, self._shapes.get(name)) for name, array in whole.items()}

    def fallback(self, training: bool) -> Callable[[Node, list[np.ndarray]], np.ndarray]:
        """Return a function that computes a node that the evaluator does not know."""
        return lambda node, given: self.worker.apply(node.name, given, training)


def _unturned(raw: np.ndarray, normal: np.ndarray) -> bool:
    """Whether a node's value has its elements in the same order in normal form, which moves transposes."""
    return raw.size == normal.size and np.array_equal(
        raw.reshape(normal.shape), normal, equal_nan=raw.dtype.kind == "f"
    )


def _content(array: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(array, np.float32).data).digest()


def _like(array: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """Reshape a weight if its size fits: normal forms leave out axes of length 1."""
    return array if shape is None or math.prod(shape) != array.size else array.reshape(shape)


def weights_of(node: Node, weights: Mapping[str, np.ndarray]) -> Arrays:
    """Return the weights of one node by role."""
    return {role: weights[f"{node.name}/{role}"] for role in node.roles}


def cast(arrays: Mapping[str, np.ndarray], dtype: type) -> Arrays:
    """Return the arrays in another floating-point type; integers are unchanged."""
    return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in arrays.items()}
