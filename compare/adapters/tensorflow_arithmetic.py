"""TensorFlow's operations on elements, axes and shapes, as canonical steps."""

from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters.changes import Permuted, Reshaped
from compare.adapters.tensorflow_operations import Meaning, ints, is_scalar, reader, scalar
from compare.adapters.tensorflow_watch import Operation, Watch
from compare.graphs.node import Attribute

_UNARY: dict[str, tuple[str, dict[str, Attribute]]] = {
    "Relu": ("Relu", {}),
    "Relu6": ("Clip", {"min": 0.0, "max": 6.0}),
    "Elu": ("Elu", {"alpha": 1.0}),
    "Selu": ("Selu", {}),
    "Sigmoid": ("Sigmoid", {}),
    "Tanh": ("Tanh", {}),
    "Softplus": ("Softplus", {"beta": 1.0, "threshold": None}),
    "Softsign": ("Softsign", {}),
    "Softmax": ("Softmax", {"axis": -1}),
    "LogSoftmax": ("LogSoftmax", {"axis": -1}),
    **{name: (name, {}) for name in ("Erf", "Exp", "Log", "Sqrt", "Rsqrt", "Neg", "Abs", "Square", "Reciprocal")},
    "Inv": ("Reciprocal", {}),
}
_BINARY = {
    "AddV2": "Add",
    "Add": "Add",
    "Sub": "Sub",
    "Mul": "Mul",
    "RealDiv": "Div",
    "Div": "Div",
    "Maximum": "Max",
    "Minimum": "Min",
    "Pow": "Pow",
}
_REDUCE = {"Mean": "ReduceMean", "Sum": "ReduceSum", "Max": "ReduceMax", "Min": "ReduceMin"}


@reader(*_UNARY)
def _unary(watch: Watch, operation: Operation) -> Meaning:
    kind, attributes = _UNARY[operation.kind]
    return Meaning(kind, (0,), "same", attributes)


@reader("LeakyRelu")
def _leaky(watch: Watch, operation: Operation) -> Meaning:
    alpha = operation.attributes["alpha"]
    return Meaning("LeakyRelu", (0,), "same", {"alpha": scalar(tf.constant(alpha, tf.float32))})


@reader(*_BINARY)
def _binary(watch: Watch, operation: Operation) -> Meaning:
    kind = _BINARY[operation.kind]
    for place in (0, 1):
        if is_scalar(watch, operation.inputs[place]) and not watch.fresh(operation.inputs[1 - place]):
            more: dict[str, Attribute] = {"scalar": scalar(operation.inputs[place])}
            return Meaning(kind, (1 - place,), "same", more | ({"scalar_first": True} if place == 0 else {}))
    return Meaning(kind, (0, 1), "same")


@reader("ClipByValue")
def _clip(watch: Watch, operation: Operation) -> Meaning | None:
    if not all(is_scalar(watch, tensor) for tensor in operation.inputs[1:]):
        return None
    return Meaning("Clip", (0,), "same", {"min": scalar(operation.inputs[1]), "max": scalar(operation.inputs[2])})


@reader("BiasAdd")
def _bias(watch: Watch, operation: Operation) -> Meaning:
    value, bias = operation.inputs
    weight = watch.weight(bias)
    if operation.text("data_format").startswith("NC") and len(value.shape) > 2 and weight is not None:
        size = int(bias.shape[0])
        shaped = tf.reshape(bias, (size, *(1,) * (len(value.shape) - 2)))
        watch.derive(shaped, weight.then(Reshaped((size,), tuple(shaped.shape))))
        operation.inputs[1] = shaped
    return Meaning("Add", (0, 1), "same")


@reader("Identity", "StopGradient", "PreventGradient", "EnsureShape", "CheckNumerics", "Snapshot")
def _identity(watch: Watch, operation: Operation) -> Meaning:
    return Meaning("Identity", (0,), "same")


@reader("Cast")
def _cast(watch: Watch, operation: Operation) -> Meaning:
    return Meaning("Cast", (0,), "same", {"to": operation.outputs[0].dtype.name})


@reader(*_REDUCE)
def _reduce(watch: Watch, operation: Operation) -> Meaning:
    rank = len(operation.inputs[0].shape)
    axes = tuple(axis % rank for axis in ints(operation.constant(1)))
    keepdims = bool(operation.attributes["keep_dims"])
    return Meaning(_REDUCE[operation.kind], (0,), "reduce", {"axes": axes, "keepdims": keepdims})


@reader("Reshape")
def _reshape(watch: Watch, operation: Operation) -> Meaning:
    return Meaning("Reshape", (0,), "reshape")


@reader("ExpandDims")
def _unsqueeze(watch: Watch, operation: Operation) -> Meaning:
    axis = int(operation.constant(1))
    return Meaning("Unsqueeze", (0,), "unsqueeze", {"axes": (axis % len(operation.outputs[0].shape),)})


@reader("Squeeze")
def _squeeze(watch: Watch, operation: Operation) -> Meaning:
    shape = operation.inputs[0].shape
    axes = ints(operation.attributes["squeeze_dims"]) or tuple(a for a, size in enumerate(shape) if size == 1)
    return Meaning("Squeeze", (0,), "squeeze", {"axes": tuple(axis % len(shape) for axis in axes)})


@reader("Transpose")
def _transpose(watch: Watch, operation: Operation) -> Meaning:
    return Meaning("Transpose", (0,), "transpose", {"perm": ints(operation.constant(1))})


@reader("ConcatV2")
def _concat(watch: Watch, operation: Operation) -> Meaning:
    rank = len(operation.outputs[0].shape)
    data = tuple(range(len(operation.inputs) - 1))
    return Meaning("Concat", data, "concat", {"axis": int(operation.constant(-1)) % rank})


@reader("Pad", "PadV2", "MirrorPad")
def _pad(watch: Watch, operation: Operation) -> Meaning:
    pads = operation.constant(1)
    mode, value = "constant", 0.0
    if operation.kind == "MirrorPad":
        mode = operation.text("mode").lower()
    if operation.kind == "PadV2":
        value = scalar(operation.inputs[2])
    return Meaning("Pad", (0,), "same", {"pads": ints(pads.T), "mode": mode, "value": value})


def sliced(kept: list[tuple[int, int, int | None, int]]) -> Meaning:
    """Return the meaning of a slice by its (axis, start, end, step)."""
    if not kept:
        return Meaning("Identity", (0,), "same")
    axes, starts, ends, steps = (tuple(each) for each in zip(*kept, strict=True))
    return Meaning("Slice", (0,), "same", {"axes": axes, "starts": starts, "ends": ends, "steps": steps})


@reader("Slice")
def _plain_slice(watch: Watch, operation: Operation) -> Meaning:
    begins, shape = ints(operation.constant(1)), operation.outputs[0].shape
    before = operation.inputs[0].shape
    kept = [(axis, start, start + shape[axis], 1) for axis, start in enumerate(begins) if shape[axis] != before[axis]]
    return sliced(kept)


@reader("MatMul", "BatchMatMulV2", "BatchMatMul", "BatchMatMulV3")
def _product(watch: Watch, operation: Operation) -> Meaning | list[Meaning]:
    plain = operation.kind == "MatMul"
    turned = [
        bool(operation.attributes.get(name, False))
        for name in (("transpose_a", "transpose_b") if plain else ("adj_x", "adj_y"))
    ]
    right = operation.inputs[1]
    weight = watch.weight(right)
    if weight is not None and len(right.shape) == 2 and not turned[0]:
        weight = weight if turned[1] else weight.then(Permuted((1, 0)))
        return Meaning("Gemm", (0,), "product", {"axis": -1}, {"W": weight})
    rank = len(right.shape)
    order = (*range(rank - 2), rank - 1, rank - 2)
    if any(turned):
        return _turned_product(watch, operation, turned, order)
    return Meaning("MatMul", (0, 1), "native")


def _turned_product(watch: Watch, operation: Operation, turned: list[bool], order: tuple[int, ...]) -> list[Meaning]:
    """Return a product whose transposes are separate steps."""

    def turn(tensors: list[Any], training: bool) -> Any:
        with watch.mute():
            return tf.transpose(tensors[0], order)

    def product(tensors: list[Any], training: bool) -> Any:
        with watch.mute():
            return tf.matmul(*tensors)

    layer, values = f"tf.raw_ops.{operation.kind}", list(operation.inputs)
    for place in (0, 1):
        if turned[place]:
            before = values[place]
            values[place] = turn([before], False)
            more: dict[str, Any] = {"attributes": {"perm": order}, "layer": layer, "call": turn}
            watch.trace.add(watch.name("Transpose"), "Transpose", [before], values[place], "transpose", **more)
    name = watch.name("MatMul")
    watch.trace.add(name, "MatMul", values, operation.outputs[0], "native", layer=layer, call=product)
    return []


@reader("GatherV2", "ResourceGather")
def _gather(watch: Watch, operation: Operation) -> Meaning | None:
    table = operation.inputs[0]
    if operation.kind == "ResourceGather":
        known = watch.variables.get(id(table))
        if known is None:
            return None
        return Meaning("Gather", (1,), "opaque", {"axis": 0, "padding_idx": None}, {"W": known})
    weight = watch.weight(table)
    if weight is not None and np.ndim(operation.constant(2)) == 0 and int(operation.constant(2)) == 0:
        return Meaning("Gather", (1,), "opaque", {"axis": 0, "padding_idx": None}, {"W": weight})
    return None


@reader("SquaredDifference")
def _squared_difference(watch: Watch, operation: Operation) -> list[Meaning]:
    left, right = operation.inputs
    with watch.mute():
        difference = left - right

    def subtract(tensors: list[Any], training: bool) -> Any:
        with watch.mute():
            return tensors[0] - tensors[1]

    def square(tensors: list[Any], training: bool) -> Any:
        with watch.mute():
            return tensors[0] * tensors[0]

    layer = "tf.raw_ops.SquaredDifference"
    watch.trace.add(watch.name("Sub"), "Sub", [left, right], difference, "same", layer=layer, call=subtract)
    watch.trace.add(
        watch.name("Square"), "Square", [difference], operation.outputs[0], "same", layer=layer, call=square
    )
    return []
