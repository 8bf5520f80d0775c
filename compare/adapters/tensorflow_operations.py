"""TensorFlow's operations as steps: a table, and `tf:NAME` for all others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import op_def_library, op_def_registry

from compare.adapters.changes import Permuted, Reshaped, apply
from compare.adapters.shortest import shortest
from compare.adapters.steps import Weight
from compare.adapters.tensorflow_watch import Operation, Watch
from compare.graphs.node import Attribute


@dataclass(frozen=True)
class Meaning:
    """What an operation is: the places of the inputs that are data, and of those that are weights, by role."""

    kind: str
    data: tuple[int, ...]
    rule: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)
    last: bool = False
    output: int = 0


Reader = Callable[[Watch, Operation], Meaning | list[Meaning] | None]
READERS: dict[str, Reader] = {}

# Operations on shapes, and random numbers: they are not steps, and their output is a constant.
_ASIDE = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "Fill", "Range", "VarHandleOp", "Const", "NoOp"}
_PASSING = {"Identity", "StopGradient", "PreventGradient", "EnsureShape", "CheckNumerics", "Snapshot", "Cast"}


def reader(*kinds: str) -> Callable[[Reader], Reader]:
    """Register a function that reads operations of these kinds."""

    def register(function: Reader) -> Reader:
        READERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def add(watch: Watch, operation: Operation) -> None:
    """Add the steps of one operation to the trace."""
    if operation.kind == "ReadVariableOp":
        _variable_read(watch, operation)
        return
    if operation.kind in _ASIDE or not operation.outputs or all(watch.fresh(tensor) for tensor in operation.inputs):
        return
    if _derived(watch, operation):
        return
    meanings = READERS[operation.kind](watch, operation) if operation.kind in READERS else None
    if meanings is not None:
        for meaning in meanings if isinstance(meanings, list) else [meanings]:
            _put(watch, operation, meaning)
        return
    for number in range(len(operation.outputs)):
        data = tuple(place for place, tensor in enumerate(operation.inputs) if tensor.dtype != tf.resource)
        suffix = f".{number}" if number else ""
        rule = "same" if operation.kind in _ELEMENTWISE else "opaque"
        other = Meaning(f"tf:{operation.kind}{suffix}", data, rule, _plain(operation), output=number)
        _put(watch, operation, other)


_ELEMENTWISE = {
    "Cos", "Sin", "Tan", "Acos", "Asin", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Sign", "Floor", "Ceil",
    "Round", "Rint", "Expm1", "Log1p", "Erfc", "Erfinv", "Lgamma", "Digamma", "IsNan", "IsInf", "IsFinite",
    "LogicalNot", "LogicalAnd", "LogicalOr", "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual",
    "SelectV2", "Select", "SquaredDifference", "FloorDiv", "FloorMod", "Mod", "DivNoNan", "MulNoNan", "Xdivy",
    "Xlogy", "Atan2", "AddN", "Cast", "Inv",
}  # fmt: skip


def _put(watch: Watch, operation: Operation, meaning: Meaning) -> None:
    output = operation.outputs[meaning.output]
    if watch.trace.known(output):
        return

    def call(tensors: list[Any], training: bool) -> Any:
        inputs = list(operation.inputs)
        for place, tensor in zip(meaning.data, tensors, strict=True):
            inputs[place] = tensor
        for place in range(len(inputs)):
            held = watch.weight(operation.inputs[place])
            if held is not None and place not in meaning.data:
                with tf.init_scope():  # a graph under construction has no values
                    array = apply(held.changes, held.read())
                inputs[place] = tf.constant(array, dtype=operation.inputs[place].dtype)
        if not tf.executing_eagerly():
            return in_graph(operation, inputs)[meaning.output]
        made = execute.quick_execute(operation.kind, len(operation.outputs), inputs, operation.given, context.context())
        return made[meaning.output]

    watch.trace.add(
        watch.name(meaning.kind.removeprefix("tf:"), next(iter(meaning.weights.values()), None)),
        meaning.kind,
        [operation.inputs[place] for place in meaning.data],
        output,
        meaning.rule,
        attributes=meaning.attributes,
        weights=meaning.weights,
        layer=f"tf.raw_ops.{operation.kind}",
        last=meaning.last,
        call=call,
    )


def in_graph(operation: Operation, inputs: Sequence[Any]) -> list[Any]:
    """Add an operation to the graph under construction, and return its outputs."""
    definition = op_def_registry.get(operation.kind)
    given: dict[str, Any] = {}
    attributes, inferred, place = operation.attributes, set(), 0
    for argument in definition.input_arg:
        several = argument.number_attr or argument.type_list_attr
        if several:
            n = attributes[several] if argument.number_attr else len(attributes[several])
            given[argument.name], place = list(inputs[place : place + n]), place + n
        else:
            given[argument.name], place = inputs[place], place + 1
        inferred |= {argument.type_attr, argument.number_attr, argument.type_list_attr}
    more = {each.name: attributes.get(each.name) for each in definition.attr if each.name not in inferred}
    made = op_def_library.apply_op(operation.kind, **given, **more)
    return [made] if isinstance(made, tf.Tensor) else list(made)


def _variable_read(watch: Watch, operation: Operation) -> None:
    weight = watch.variables.get(id(operation.inputs[0]))
    if weight is None:  # a variable that the adapter did not find can be read, but not set
        array = operation.outputs[0].numpy()
        weight = Weight(watch.name("Variable"), lambda: array, None)
    watch.derive(operation.outputs[0], weight)


def _derived(watch: Watch, operation: Operation) -> bool:
    """Note an operation that only changes the layout of a weight. Return whether this one does."""
    weight = watch.weight(operation.inputs[0])
    if weight is None or not all(watch.fresh(tensor) for tensor in operation.inputs[1:]):
        return False
    before, after = (tuple(int(size) for size in each.shape) for each in (operation.inputs[0], operation.outputs[0]))
    if operation.kind in _PASSING:
        watch.derive(operation.outputs[0], weight)
    elif operation.kind in ("Reshape", "ExpandDims", "Squeeze"):
        watch.derive(operation.outputs[0], weight.then(Reshaped(before, after)))
    elif operation.kind == "Transpose":
        watch.derive(operation.outputs[0], weight.then(Permuted(ints(operation.constant(1)))))
    else:
        return False
    return True


def _plain(operation: Operation) -> dict[str, Attribute]:
    """Return the attributes that are plain numbers and texts."""
    kept: dict[str, Attribute] = {}
    for name, value in operation.attributes.items():
        if isinstance(value, bytes):
            kept[name] = value.decode()
        elif isinstance(value, bool | int | float | str) and name not in ("T", "Tidx", "N", "Tshape", "Index"):
            kept[name] = value
    return kept


def is_scalar(watch: Watch, tensor: Any) -> bool:
    """Whether a tensor is a number in the code."""
    return watch.fresh(tensor) and len(tensor.shape) == 0


def scalar(tensor: Any) -> float:
    """Return the number of a tensor as its author wrote it."""
    return shortest(tensor.numpy())


def ints(values: Sequence[Any] | np.ndarray) -> tuple[int, ...]:
    """Return plain integers."""
    return tuple(int(value) for value in np.asarray(values).ravel())
