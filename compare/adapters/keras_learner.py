"""Differentiate a model of Keras or raw TensorFlow: one watched call in training mode, its loss, and the gradients by
all values and weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops
from keras.backend import standardize_dtype

from compare.adapters import keras_losses
from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.canonical import Canonical
from compare.adapters.changes import apply, undo
from compare.adapters.keras_backend import BACKEND, Tape, array, dense, tensor
from compare.adapters.learner import Gradients, Parameter, by_record, referred
from compare.adapters.loss_names import RECORD, SLOPE, formed
from compare.adapters.patterns import Joined
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays, Recording


class KerasLearner:
    """See learner.Learner."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter
        self._loss: Any = None
        self._targets_first = True
        self._record: LossRecord | None = None
        self._value = 0.0  # of the last loss that a record describes

    def set_record(self, record: LossRecord) -> tuple[str, tuple[str, ...]]:
        """See Learner.set_record."""
        self._record = record
        return record.kind, (RECORD,)

    def set_loss(self, name: str, reference: str) -> tuple[str, tuple[str, ...]]:
        """See Learner.set_loss."""
        if name:
            found = keras_losses.BY_NAME[name]()
        elif reference:
            found = referred(reference)
        else:
            found = self._compiled_loss()
        with users_own():
            self._loss, forms, self._targets_first = keras_losses.loss_of(found, reference)
        return getattr(self._loss, "__name__", type(self._loss).__name__), forms

    def _compiled_loss(self) -> Any:
        found = getattr(self.adapter.model, "loss", None)
        while isinstance(found, list | tuple | dict) and len(found) == 1:
            found = next(iter(found.values() if isinstance(found, dict) else found))
        if found is None or isinstance(found, list | tuple | dict):
            raise Unreadable("The model was not compiled with one loss. Give one: --loss NAME, or a reference to it.")
        return found

    def differentiate(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str) -> Gradients:
        """See Learner.differentiate."""
        recording, tape, loss, penalty, output, axis = self.forward(inputs, targets, form)
        canonical, joined = self.adapter.recorded()
        values = _of_values(tape, loss, canonical, joined)
        owners = owners_of(canonical, joined)
        weights = _of_weights(tape, loss, owners, canonical, joined)
        penalties = _of_weights(tape, penalty, owners, canonical, joined) if penalty is not None else {}
        parameters = {
            key: Parameter(str(getattr(owner, "path", owner.name)), bool(owner.trainable))
            for key, owner in owners.items()
            if _can_be_trained(key, owner)
        }
        return Gradients(
            recording,
            self._value if form == RECORD else float(loss),
            0.0 if penalty is None else float(penalty),
            values,
            {key: each for key, each in weights.items() if key in parameters and parameters[key].trained},
            {key: each for key, each in penalties.items() if key in parameters and parameters[key].trained},
            parameters,
            self._described(form, axis, output),
            axis,
            {key: text for key, owner in owners.items() if (text := _regulariser(owner))},
        )

    def _described(self, form: str, axis: int, output: Any) -> LossRecord | None:
        if form == RECORD:
            return self._record
        return keras_losses.record_of(self._loss, axis, hasattr(output, "_keras_logits") and BACKEND == "tensorflow")

    def forward(
        self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str
    ) -> tuple[Recording, Tape, Any, Any, Any, int]:
        """Return a watched call in training mode on a tape: its recording, the tape, the loss of the data and what the
        model adds to it (None if nothing). Also return the output that the loss takes, and the canonical axis of its
        classes. Raises Unreadable."""
        tape = Tape(self.adapter)
        recording = self.adapter.record(inputs, True, tape)
        given, output, axis = self.shaped(recording, targets, form)
        if form in (SLOPE, RECORD):
            loss = tape.computed(lambda made: ops.sum(made * given), output)
        else:
            loss = tape.computed(lambda made: self.loss_of(made, given), output)
        penalty = tape.computed(lambda made: self.penalty(), output)
        return recording, tape, loss, penalty, output, axis

    def shaped(self, recording: Recording, targets: np.ndarray, form: str) -> tuple[Any, Any, int]:
        """Return the targets in the loss's form, the output that the loss takes, and the canonical axis of the classes.
        `recording` is the last one, of a call on a tape. Raises Unreadable."""
        canonical, joined = self.adapter.recorded()
        name = joined.before(recording.graph.outputs[0])
        output = canonical.step_of[name].output.tensor
        axis = _axis(output.shape, canonical, name)
        shape = recording.values[recording.graph.outputs[0]].shape
        if form == RECORD:
            assert self._record is not None
            outputs = recording.values[recording.graph.outputs[0]]
            self._value, targets = by_record(self._record, outputs, targets)
        native = formed(targets, form, shape, axis)
        if native.shape == shape:
            native = undo(canonical.changes[name], native)
        kind = standardize_dtype(output.dtype) if native.dtype.kind == "f" else "int64"
        return tensor(np.ascontiguousarray(native, kind)), output, axis

    def loss_of(self, output: Any, given: Any) -> Any:
        """Return the loss of an output for targets in the loss's form. Raises Unreadable unless it is one number."""
        with users_own():
            loss = keras_losses.computed(self._loss, given, output, self._targets_first)
        if len(loss.shape):
            raise Unreadable(
                f"The loss gives an array of shape {tuple(loss.shape)}, and it must be one number: take its mean or "
                "sum."
            )
        return loss

    def penalty(self) -> Any:
        """Return what the model adds to its loss; None if it adds nothing."""
        added = getattr(self.adapter.model, "losses", None) or []
        return sum(ops.convert_to_tensor(each) for each in added) if added else None


def _can_be_trained(key: str, owner: Any) -> bool:
    """Whether a variable is more than a statistic that the network keeps."""
    real = standardize_dtype(owner.dtype) in ("float64", "float32")
    return real and key.rpartition("/")[2] not in ("mean", "var")


def _regulariser(owner: Any) -> str:
    """Return the regulariser of a variable, as text; "" if it has none."""
    found = getattr(owner, "regularizer", None)
    if found is None:
        return ""
    try:
        config = found.get_config()
    except (AttributeError, NotImplementedError):
        config = {}
    inside = ", ".join(f"{name}={float(value):.6g}" for name, value in config.items() if isinstance(value, int | float))
    return f"{type(found).__name__}({inside})"


def _axis(shape: Any, canonical: Canonical, name: str) -> int:
    """Return the canonical axis of the framework's last axis, as the classes are."""
    there = np.broadcast_to(np.arange(shape[-1]) if len(shape) else 0, tuple(shape))
    moved = apply(canonical.changes[name], there)
    axes = [axis for axis in range(moved.ndim) if moved.shape[axis] > 1 and np.ptp(moved, axis=axis).any()]
    return axes[0] if axes else min(1, max(moved.ndim - 1, 0))


def _array(gradient: Any) -> np.ndarray:
    return np.asarray(array(dense(gradient)))


def _of_values(tape: Tape, loss: Any, canonical: Canonical, joined: Joined) -> Arrays:
    """Return the gradient of the loss by every floating-point value that it depends on."""
    nodes = {}
    for node in joined.recording.graph.nodes:
        before = joined.before(node.name)
        made = canonical.step_of[before].output.tensor
        real = str(getattr(made, "dtype", "")).endswith(("float64", "float32'>", "float32", "float64'>"))
        if real and node.kind not in ("Constant", "Parameter"):
            nodes[node.name] = before, made
    found = tape.gradient(loss, [made for _, made in nodes.values()])
    values: Arrays = {}
    for (name, (before, made)), gradient in zip(nodes.items(), found, strict=True):
        value = joined.recording.values[name]
        if gradient is None or tuple(made.shape) == () != value.shape:
            continue
        if _same(apply(canonical.changes[before], _array(made)), value):  # a transpose within is another tensor's
            values[name] = np.ascontiguousarray(apply(canonical.changes[before], _array(gradient)))
    return values


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))


def owners_of(canonical: Canonical, joined: Joined) -> dict[str, Any]:
    """Return the variable of every weight that is one, by "NODE/ROLE"."""
    found = {}
    for node in joined.recording.graph.nodes:
        for role in node.roles:
            key = f"{node.name}/{role}"
            owner = getattr(canonical.weight_of[joined.sources[key].key].write, "__self__", None)
            if owner is not None:
                found[key] = owner
    return found


def _of_weights(tape: Tape, loss: Any, owners: Mapping[str, Any], canonical: Canonical, joined: Joined) -> Arrays:
    """Return the gradient by every variable that the loss depends on, in the weight's layout."""
    found = tape.gradient(loss, list(owners.values()))
    weights: Arrays = {}
    for key, gradient in zip(owners, found, strict=True):
        if gradient is not None:
            weights[key] = canonical_array(key, _array(gradient), canonical, joined)
    return weights


def canonical_array(key: str, array: np.ndarray, canonical: Canonical, joined: Joined) -> np.ndarray:
    """Return a variable's array in the weight's layout."""
    source = joined.sources[key]
    return source.changed(canonical.weight_of[source.key].changed(array))
