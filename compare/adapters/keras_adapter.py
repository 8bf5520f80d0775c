"""Read a Keras model by watching one call of it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree
from keras.backend import standardize_dtype

from compare.adapters import (
    keras_attention,
    keras_layers,
    keras_merges,
    keras_recurrent,
    keras_shapes,
)
from compare.adapters.adapter import Unreadable
from compare.adapters.canonical import Canonical
from compare.adapters.keras_backend import array, differentiable, exact, tensor
from compare.adapters.keras_known import without_dropout
from compare.adapters.keras_unseen import Unseen
from compare.adapters.keras_watch import KerasWatch
from compare.adapters.layouts import Form
from compare.adapters.patterns import Joined, joined
from compare.adapters.plain import plain
from compare.adapters.pruned import pruned
from compare.graphs.node import Arrays, Recording

TABLES = (keras_attention, keras_layers, keras_merges, keras_recurrent, keras_shapes)  # importing them registers them


class KerasAdapter:
    """An adapter for any keras.Model or layer: Sequential, functional, subclassed."""

    framework = "keras"

    def __init__(self, model: Any) -> None:
        self.model, self.known = model, frozenset[str]()
        self._canonical: Canonical | None = None
        self._joined: Joined | None = None
        self._stated: dict[str, bool] = {}
        self._unseen = Unseen()

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """Return the shape of one example of every input, in canonical layout and in order; None if none is stated."""
        stated = self._native_inputs()
        if stated is None:
            return None
        found = {}
        for name, sizes in stated.items():
            shape = tuple(size for size in sizes if size is not None)
            if len(shape) < len(sizes):
                return None
            order = Form(len(shape) + 1, self._last(name, shape)).order
            found[name] = tuple((1, *shape)[axis] for axis in order[1:])
        return found

    def record(self, inputs: Mapping[str, np.ndarray], training: bool, tape: Any = None) -> Recording:
        """Call the model in evaluation or training mode, and record the call. In training mode nothing is dropped, and
        the model's variables are restored. `tape` records what gradients need. Raises Unreadable if the model cannot be
        called."""
        lasts = {name: self.is_moved(name, each) for name, each in inputs.items()}
        self._unseen.seek(self.model, lambda given: self._watched(given, lasts, training)[0], inputs, training)
        return self._record(inputs, lasts, training, tape)

    def _record(
        self, inputs: Mapping[str, np.ndarray], lasts: Mapping[str, bool], training: bool, tape: Any = None
    ) -> Recording:
        if self._canonical is not None and self._canonical.recording.values:  # of a call on a tape, in gigabytes
            self._canonical = self._joined = None
        watch, updated = self._watched(inputs, lasts, training, tape)
        canonical = self._canonical = Canonical(watch.trace, array, self.known)
        made = joined(canonical.recording)
        self._joined = made.without_arrays() if tape is None else made
        statistics: Arrays = {}
        for name, step in canonical.step_of.items():
            for role, value in updated.get(id(step), {}).items():
                if f"{name}/{role}" in canonical.weight_of:
                    statistics[f"{name}/{role}"] = canonical.weight_of[f"{name}/{role}"].changed(value)
        watch.clear()
        if tape is None:  # gradients need the values
            canonical.drop_arrays()
        return replace(made.recording, statistics=statistics)

    def _watched(
        self, inputs: Mapping[str, np.ndarray], lasts: Mapping[str, bool], training: bool, tape: Any = None
    ) -> tuple[KerasWatch, dict[int, Arrays]]:
        """Return a watched call, and the statistics that it updated, by the step's identity."""
        watch = KerasWatch(training, self._unseen.known)
        tensors: dict[str, Any] = {}
        for name, native in self._native(inputs, lasts).items():
            tensors[name] = tensor(native)
            watch.input(name, tensors[name], lasts[name])
        if not getattr(self.model, "built", True):
            self._try(self._arguments(tensors), training)
        with _unchanged(self.model):
            with watch.watching(), differentiable(tape, tensors.values()):
                outputs = self._try(self._arguments(tensors), training, watch)
            updated = {
                id(step): {role: step.weights[role].read() for role in ("mean", "var")}
                for step in watch.trace.steps
                if step.kind == "BatchNormalization" and training and "mean" in step.weights
            }
        watch.trace.outputs = tuple(watch.trace.value(each) for each in tree.flatten(outputs))
        pruned(watch.trace)
        return watch, updated

    def _native(self, inputs: Mapping[str, np.ndarray], lasts: Mapping[str, bool]) -> Arrays:
        """Return inputs with the framework's axes and types."""
        forms = {name: Form(each.ndim, lasts[name]) for name, each in inputs.items()}
        types = {name: np.dtype(standardize_dtype(self._type(name, each))) for name, each in inputs.items()}
        return {name: np.asarray(form.native(inputs[name]), types[name], "C") for name, form in forms.items()}

    def native(self, inputs: Mapping[str, np.ndarray]) -> Arrays:
        """Return inputs in canonical layout as the model takes them."""
        return self._native(inputs, {name: self.is_moved(name, each) for name, each in inputs.items()})

    def called(self, tensors: Mapping[str, Any], training: bool) -> Any:
        """Return the model's output for tensors in its own layout, as its users call it."""
        return self.model(self._arguments(tensors), training=training)

    def called_again(self, tensors: list[Any]) -> Any:
        """Return the first output of a call in training mode that drops and records nothing."""
        stated = self._native_inputs() or {}
        named = dict(
            zip(stated if len(stated) == len(tensors) else map(str, range(len(tensors))), tensors, strict=True)
        )
        watch = KerasWatch(True, self._unseen.known)
        with watch.watching(), watch.mute(), without_dropout(self.model):
            return tree.flatten(self.model(self._arguments(named), training=True))[0]

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the model weights by "NODE/ROLE" of the last recording, in canonical layout. Raises Unreadable if one
        does not fit."""
        canonical, made = self.recorded()
        canonical.set_weights(made.unjoined(weights))

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """Return a node's output for other inputs. Raises Unreadable if it cannot be called alone."""
        canonical, made = self.recorded()
        with _unchanged(self.model), exact():
            return made.apply(node, inputs, lambda name, given: canonical.apply(name, given, training, tensor))

    def save_weights(self, path: Path) -> None:
        """Write the weights as `.weights.h5` and read them back. Raises Unreadable for another suffix, or if the file
        does not contain the weights."""
        if not path.name.endswith(".weights.h5"):
            raise Unreadable(f"{path.name}: Keras's weights are written to a file that ends with .weights.h5.")
        self.model.save_weights(path)
        before = [np.array(variable) for variable in self.model.weights]
        with _unchanged(self.model, whole=True):
            for variable in self.model.weights:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            self.model.load_weights(path)
            after = [np.array(variable) for variable in self.model.weights]
        if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
            raise Unreadable(f"{path.name}: what is read back differs from the model's weights.")

    def recorded(self) -> tuple[Canonical, Joined]:
        """Return the last recording, before and after joining operations that belong together."""
        if self._canonical is None or self._joined is None:
            raise Unreadable("The model must be recorded first.")
        return self._canonical, self._joined

    def _native_inputs(self) -> dict[str, tuple[int | None, ...]] | None:
        """Return the shapes of one example that the model states, with the framework's axes; None if it states none."""
        try:
            stated = self.model.inputs
        except (AttributeError, ValueError):
            return None
        if not stated:
            return None
        stated = tree.flatten(stated)
        return {name: tuple(each.shape[1:]) for name, each in zip(_input_names(stated), stated, strict=True)}

    def _type(self, name: str, given: np.ndarray) -> Any:
        """Return the type of integers that the model states for an input; floating-point numbers keep theirs."""
        stated = dict(zip(self._native_inputs() or {}, tree.flatten(getattr(self.model, "inputs", None)), strict=False))
        alone = next(iter(stated.values())) if len(stated) == 1 else None
        wanted = getattr(stated.get(name, alone), "dtype", None)
        if wanted is None or "int" not in str(wanted) or given.dtype.kind not in "iu":
            return given.dtype
        return wanted

    def is_moved(self, name: str, given: np.ndarray) -> bool:
        """Whether an input's channels are moved last for the model."""
        if given.ndim < 3:
            return False
        stated = self._native_inputs() or {}
        shape = stated.get(name)
        if shape is None and len(stated) == 1:
            shape = next(iter(stated.values()))
        if shape is None or len(shape) != given.ndim - 1:
            return _takes_last(self.model, given.ndim)
        moved = tuple((given.shape)[axis] for axis in (*range(2, given.ndim), 1))
        fits_moved, fits = (_fits(shape, each) for each in (moved, given.shape[1:]))
        if fits_moved != fits:
            return fits_moved
        return self._last(name, shape)

    def _last(self, name: str, shape: tuple[int | None, ...]) -> bool:
        """Whether a stated input has its channels last: for an image by its sizes, for a sequence by its use."""
        if len(shape) < 2:
            return False
        if len(shape) > 2:
            few = shape[0] in (1, 2, 3, 4) and shape[-1] not in (1, 2, 3, 4)
            return not few and _takes_last(self.model, len(shape) + 1)
        if name not in self._stated:
            self._stated[name] = self._sequence_is_last(name)
        return self._stated[name]

    def _sequence_is_last(self, name: str) -> bool:
        """Whether the first operation that depends on it takes a sequence as (N, T, C), as a trial shows."""
        if not _takes_last(self.model, 3):
            return False
        stated = self._native_inputs() or {}
        sizes = {each: tuple(size or 32 for size in shape) for each, shape in stated.items()}
        model, kept = self.model, (self._canonical, self._joined)
        types = dict(zip(sizes, (each.dtype for each in tree.flatten(model.inputs)), strict=True))
        inputs = {each: np.zeros((2, *shape), types[each]) for each, shape in sizes.items()}
        self._record(inputs, dict.fromkeys(inputs, False), False)
        made = self.recorded()[0]
        self._canonical, self._joined = kept
        return made.turned_for_channels(name)

    def _arguments(self, tensors: Mapping[str, Any]) -> Any:
        """Return the model's argument: one tensor, or the inputs as the model states them."""
        structure = getattr(self.model, "_inputs_struct", None)
        stated = list(self._native_inputs() or {})
        if structure is not None and len(stated) == len(tensors):
            names = stated if set(stated) == set(tensors) else list(tensors)
            return tree.pack_sequence_as(structure, [tensors[name] for name in names])
        if len(tensors) == 1:
            return next(iter(tensors.values()))
        return list(tensors.values()) if isinstance(structure, list | tuple) else dict(tensors)

    def _try(self, arguments: Any, training: bool, watch: KerasWatch | None = None) -> Any:
        try:
            if watch is not None:
                return watch.run(self.model, arguments)
            return self.model(arguments, training=training)
        except Unreadable:
            raise
        except Exception as error:
            shapes = [tuple(each.shape) for each in tree.flatten(arguments)]
            raise Unreadable(f"The model cannot be called with inputs of shape {shapes}: {plain(error)}") from error


def _input_names(stated: list[Any]) -> list[str]:
    """Return the names of inputs: those that the author chose, else "input", "input_2" and so on."""
    names: list[str] = []
    for place, each in enumerate(stated, 1):
        name = str(each._keras_history.operation.name)
        if re.fullmatch(r"(input_layer|keras_tensor)(_\d+)?", name):
            name = "input" if place == 1 else f"input_{place}"
        names.append(name)
    return names


def _fits(stated: tuple[int | None, ...], given: tuple[int, ...]) -> bool:
    return all(size is None or size == each for size, each in zip(stated, given, strict=True))


def _takes_last(model: Any, rank: int) -> bool:
    """Whether the layers of this rank take channels last; undecided layers follow Keras's configuration."""
    formats = set()
    for layer in model._flatten_layers():
        name = type(layer).__name__
        if hasattr(layer, "data_format") and (f"{rank - 2}D" in name or "D" not in name):
            formats.add(layer.data_format)
    if rank == 3:
        return "channels_last" in formats and any(
            "1D" in type(layer).__name__ for layer in model._flatten_layers() if hasattr(layer, "data_format")
        )
    formats = formats or {keras.config.image_data_format()}
    return "channels_last" in formats


@contextmanager
def _unchanged(model: Any, whole: bool = False) -> Iterator[None]:
    """Restore the variables of a model afterwards: those that a call can change, or all for `whole`."""
    variables = model.variables if whole else model.non_trainable_variables  # weights can be gigabytes
    before = [(variable, array(variable.value)) for variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            if not np.array_equal(array(variable.value), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)
