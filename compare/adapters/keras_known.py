"""Call and record a known Keras layer: its own step, then that of its activation."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from compare.adapters.keras_activations import kind_of_function
from compare.adapters.keras_backend import computable, is_tensor, is_variable, weight_of
from compare.adapters.keras_watch import Call, Description, KerasWatch, Known, Original
from compare.adapters.steps import Weight

Describer = Callable[[Call], Description]
DESCRIBERS: dict[type, Describer] = {}
COMPOUND: dict[type, Known] = {}


def describer(*classes: str) -> Callable[[Describer], Describer]:
    """Register a function that describes calls of these classes of keras.layers, some of which this Keras may lack."""

    def register(function: Describer) -> Describer:
        DESCRIBERS.update(dict.fromkeys(_there(classes), function))
        return function

    return register


def compound(*classes: str) -> Callable[[Known], Known]:
    """Register a function that records calls of these classes as several steps."""

    def register(function: Known) -> Known:
        COMPOUND.update(dict.fromkeys(_there(classes), function))
        return function

    return register


def _there(classes: tuple[str, ...]) -> list[type]:
    return [getattr(keras.layers, name) for name in classes if hasattr(keras.layers, name)]


def known_of(layer: Any) -> Known | None:
    """Return how a layer is recorded; None for a user's layer, a model or a lambda, whose content is recorded."""
    for each in type(layer).__mro__:
        if each in DESCRIBERS or each in COMPOUND:
            # A subclass with another call is no longer the known layer.
            if type(layer).call is not each.call:  # type: ignore[attr-defined]
                break
            return COMPOUND.get(each) or _single(DESCRIBERS[each])
    of_keras = type(layer).__module__.startswith("keras.src.layers")
    if of_keras and not isinstance(layer, keras.layers.Lambda | keras.layers.Wrapper):
        return _single(_own_kind)
    return None


def weights_of(path: str, layer: Any, **roles: str) -> dict[str, Weight]:
    """Return those of these weights that a layer has, by role, from the names of its attributes."""
    return {
        role: weight_of(getattr(layer, name), f"{path}.{name.lstrip('_')}")
        for role, name in roles.items()
        if getattr(layer, name, None) is not None
    }


def own_weights(path: str, layer: Any) -> dict[str, Weight]:
    """Return all weights of a layer by their own names."""
    found: dict[str, Weight] = {}
    for variable in layer.weights:
        if "seed" in variable.path:
            continue
        name = variable.path.split("/", 1)[-1].replace("/", ".")
        found[name if name not in found else f"{name}#{len(found)}"] = weight_of(variable, f"{path}.{name}")
    return found


def _own_kind(call: Call) -> Description:
    layer = call.layer
    plain = {
        name: value
        for name, value in layer.get_config().items()
        if isinstance(value, bool | int | float | str) and name not in ("name", "trainable", "seed")
    }
    return Description(f"keras:{type(layer).__name__}", "opaque", plain, own_weights(call.path, layer))


@contextmanager
def _without(layer: Any) -> Iterator[None]:
    """Remove a layer's activation and the dropout inside it for this context."""
    with ExitStack() as stack:
        if getattr(layer, "activation", None) is not None and not _gated(layer):
            stack.callback(object.__setattr__, layer, "activation", layer.activation)
            object.__setattr__(layer, "activation", None)
        stack.enter_context(without_dropout(layer))
        yield


@contextmanager
def without_dropout(layer: Any) -> Iterator[None]:
    """Remove the dropout inside a layer for this context."""
    changed: list[tuple[Any, str, Any]] = []
    for part in [layer, *layer._flatten_layers(include_self=False)]:
        names = ("rate",) if isinstance(part, keras.layers.Dropout) else ("dropout", "recurrent_dropout", "_dropout")
        for name in names:
            if isinstance(vars(part).get(name), float | int) and vars(part)[name]:
                changed.append((part, name, 0.0))
    with ExitStack() as stack:
        for part, name, value in changed:
            # Bypass Keras's own bookkeeping, which would track or refuse it.
            stack.callback(object.__setattr__, part, name, vars(part)[name])
            object.__setattr__(part, name, value)
        yield


def _gated(layer: Any) -> bool:
    """Whether the activation is part of the layer's computation, as in a recurrent one."""
    return type(layer) not in DESCRIBERS and not any(each in DESCRIBERS for each in type(layer).__mro__)


def own_kind(
    watch: KerasWatch, path: str, layer: Any, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record a layer as a node of its own kind."""
    return _single(_own_kind)(watch, path, layer, original, args, kwargs)


def tensors_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """Return the tensors that a layer was called with, without masks."""
    kept = {name: value for name, value in kwargs.items() if "mask" not in name}
    return [each for each in tree.flatten((args, kept)) if is_tensor(each)]


def converted(args: Any) -> Any:
    """Return arguments with arrays and variables as tensors."""

    def tensor(value: Any) -> Any:
        return ops.convert_to_tensor(value) if isinstance(value, np.ndarray) or is_variable(value) else value

    return tree.map_structure(tensor, args)


def calling(
    layer: Any, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any], inputs: list[Any]
) -> Callable[[list[Any], bool], Any]:
    """Return a function that calls the layer again without its activation, with other tensors."""
    has_training = "training" in layer._call_signature.parameters and "training" not in kwargs

    def call(tensors: list[Any], training: bool) -> Any:
        others = {id(before): after for before, after in zip(inputs, tensors, strict=True)}
        again, more = tree.map_structure(lambda each: others.get(id(each), each), (args, kwargs))
        with _without(layer):
            return original(layer, *again, **more, **({"training": training} if has_training else {}))

    return call


def _single(describe: Describer) -> Known:
    def known(
        watch: KerasWatch, path: str, layer: Any, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        original = computable(layer, original)
        with watch.mute():
            args, kwargs = converted(args), converted(kwargs)
            inputs = tensors_of(args, kwargs)
            with _without(layer):
                output = original(layer, *args, **kwargs)
        resolved = watch.resolved(layer)
        masked = any(each is not None for each in tree.flatten(resolved.get("mask")))
        outputs = [watch.own(each) for each in tree.flatten(output)]
        call = Call(layer, path, inputs, outputs[0], bool(resolved.get("training")), masked)
        meant = describe(call)
        if masked and meant.kind in ("BatchNormalization", "Softmax", "GlobalAveragePool", "ReduceMean"):
            meant = _own_kind(call)
        again = calling(layer, original, args, kwargs, inputs)
        add(watch, path, call, meant, again)
        for number, each in enumerate(outputs[1:], 1):
            more = Description(f"{meant.kind}.{number}", "opaque")
            one = Call(layer, path, inputs, each, call.training, masked)
            add(watch, f"{path}:{number}", one, more, _part(again, number))
        made = tree.pack_sequence_as(output, outputs) if len(outputs) != 1 or isinstance(output, list) else outputs[0]
        function = getattr(layer, "activation", None)
        return made if function is None or _gated(layer) else activated(watch, path, function, made)

    return known


def _part(call: Callable[[list[Any], bool], Any], number: int) -> Callable[[list[Any], bool], Any]:
    return lambda tensors, training: tree.flatten(call(tensors, training))[number]


def add(
    watch: KerasWatch, path: str, call: Call, meant: Description, again: Callable[[list[Any], bool], Any] | None
) -> None:
    """Add the step of a layer's call."""

    def first(tensors: list[Any], training: bool) -> Any:
        assert again is not None
        return tree.flatten(again(tensors, training))[0]

    watch.trace.add(
        path,
        meant.kind,
        call.inputs,
        call.output,
        meant.rule,
        attributes=meant.attributes,
        weights=meant.weights,
        layer=type(call.layer).__name__,
        last=meant.last,
        call=first if again else None,
    )


def activated(watch: KerasWatch, path: str, function: Any, x: Any) -> Any:
    """Apply a layer's activation: one step if it is one of Keras's own, else all of its operations."""
    if getattr(function, "__name__", "") == "linear":
        return x
    meant = None if isinstance(function, keras.layers.Layer) else kind_of_function(function)
    if meant is not None:
        return watch.function(f"{path}:{meant[0].removeprefix('keras:')}", meant, x, function, function.__name__)
    return called(watch, path, f"{path}:{function_name(function)}", function, x)


def called(watch: KerasWatch, path: str, name: str, function: Any, x: Any) -> Any:
    """Call a function that is not Keras's own. Its operations are recorded or, if no watch sees them, one step."""
    with watch.inside(path):
        made = function(x)
    if watch.fresh(made):
        return watch.function(name, (f"keras:{function_name(function)}", {}), x, function, function_name(function))
    return made


def function_name(function: Any) -> str:
    """Return the name of a function or of a callable object."""
    return str(getattr(function, "__name__", type(function).__name__))
