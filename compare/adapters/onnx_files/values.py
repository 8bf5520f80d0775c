"""Arithmetic and functions of an ONNX file as canonical nodes."""

from functools import partial
from typing import Any

import numpy as np

from compare.adapters.onnx_files.orders import Translator, in_canonical_order, name_of
from compare.adapters.onnx_files.reading import Reading, Unknown, View, decimal

Attributes = dict[str, Any]


def _carried(reading: Reading, proto: Any, kind: str, attrs: Attributes) -> None:
    """Add a function of each value: its layout is that of its input."""
    view = reading.views[proto.input[0]]
    node = reading.emit(name_of(proto), kind, (view.name,), attrs, layer=proto.op_type)
    reading.define(proto.output[0], node, view.perm, view.columns)


def _plain(kind: str, reading: Reading, proto: Any, _attrs: Attributes) -> None:
    _carried(reading, proto, kind, {})


def _with(names: dict[str, Any], reading: Reading, proto: Any, attrs: Attributes) -> None:
    _carried(reading, proto, proto.op_type, {name: attrs.get(name, default) for name, default in names.items()})


def identity(reading: Reading, proto: Any, _attrs: Attributes) -> None:
    """Identity: another name of a value."""
    reading.views[proto.output[0]] = reading.views[proto.input[0]]


def selu(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Selu with the constants of its paper; with others it has no canonical kind."""
    if {"alpha", "gamma"} & set(attrs) and not (
        np.isclose(attrs.get("alpha", 1.6732632), 1.6732632) and np.isclose(attrs.get("gamma", 1.0507010), 1.0507010)
    ):
        raise Unknown
    _carried(reading, proto, "Selu", {})


def clip(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Clip: its bounds are attributes until opset 11, inputs since."""
    bounds: Attributes = {}
    for place, name in enumerate(("min", "max"), 1):
        given = reading.known(proto, place)
        value = attrs.get(name) if given is None else given.item()
        bounds[name] = None if value is None or abs(value) > 1e38 else decimal(value)
    _carried(reading, proto, "Clip", bounds)


def softmax(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Softmax and LogSoftmax; before opset 13 over all axes from `axis` on."""
    rank = len(reading.shape(proto.input[0]))
    axis = attrs.get("axis", -1 if reading.opset >= 13 else 1) % rank
    if reading.opset < 13 and axis != rank - 1:
        raise Unknown
    view = reading.views[proto.input[0]]
    _carried(reading, proto, proto.op_type, {"axis": view.perm[axis]})


def shrink(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Shrink: soft if its bias is its bound, hard without a bias."""
    bias, bound = attrs.get("bias", 0.0), attrs.get("lambd", 0.5)
    if bias not in {0.0, bound}:
        raise Unknown
    _carried(reading, proto, "Softshrink" if bias else "Hardshrink", {"lambd": bound})


def swish(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Swish without a factor of its own."""
    if attrs.get("alpha", 1.0) != 1:
        raise Unknown
    _carried(reading, proto, "Swish", {})


def dropout(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Dropout: since opset 12 an input says whether it drops."""
    ratio = reading.known(proto, 1)
    active = reading.known(proto, 2)
    own = {"ratio": attrs.get("ratio", 0.5) if ratio is None else decimal(ratio.item()), "active": bool(active)}
    if len(proto.output) > 1 and proto.output[1]:
        raise Unknown  # its mask
    _carried(reading, proto, "Dropout", own)


def cast(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Cast: nothing from one type of real numbers to another, because the whole network has one type."""
    from onnx import helper

    target = helper.tensor_dtype_to_np_dtype(attrs["to"])
    view = reading.views[proto.input[0]]
    value = reading.values[view.name]
    if target.kind not in "biufV":
        raise Unknown
    if target.kind in "fV":
        if value.dtype == reading.dtype:
            identity(reading, proto, attrs)
            return
        target = reading.dtype
    _carried(reading, proto, "Cast", {"to": target.name})


def binary(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Two or more values: all in one layout, constants too; a constant of one value becomes a number of the node."""
    if "axis" in attrs or attrs.get("broadcast"):
        raise Unknown  # the broadcasting of opset 6
    kind = {"Sum": "Add"}.get(proto.op_type, proto.op_type)
    moving = [reading.views[each] for each in proto.input if each not in reading.constants]
    first, rank = moving[0], max(len(reading.shape(each)) for each in proto.input)
    if any(not _alike(first, other) for other in moving) or len(first.perm) < rank:
        for each in proto.input:
            if each not in reading.constants:
                reading.plain(each)
        first = next(reading.views[each] for each in proto.input if each not in reading.constants)
    inputs, own = [], dict[str, Any]()
    for place, each in enumerate(proto.input):
        value = reading.constants.get(each)
        if value is None:
            inputs.append(reading.views[each].name)
        elif value.size == 1 and value.ndim <= len(first.perm) and len(proto.input) == 2:
            number = value.item()
            own = {"scalar": decimal(number) if isinstance(number, float) else number, "scalar_first": place == 0}
        elif len(first.perm) >= value.ndim:
            inputs.append(reading.constant(each, *in_canonical_order(value, first)))
        else:
            inputs.append(reading.constant(each))
    if kind in {"Max", "Min"} and own:
        kind, own = "Clip", {"min": None, "max": None} | {{"Max": "min", "Min": "max"}[kind]: own["scalar"]}
    node = reading.emit(name_of(proto), kind, inputs, own, layer=proto.op_type)
    keep = len(first.perm) == reading.values[node].ndim
    reading.define(proto.output[0], node, first.perm if keep else None, first.columns)


def _alike(one: View, other: View) -> bool:
    if one.columns is None or other.columns is None:
        return one.perm == other.perm and one.columns is other.columns
    return one.perm == other.perm and np.array_equal(one.columns, other.columns)


def reduction(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """A reduction; a mean of all spatial axes is a global pooling."""
    given = reading.known(proto, 1)
    axes = attrs.get("axes") if given is None else given.tolist()
    if not axes and attrs.get("noop_with_empty_axes"):
        identity(reading, proto, attrs)
        return
    if reading.views[proto.input[0]].columns is not None:
        reading.plain(proto.input[0])
    view = reading.views[proto.input[0]]
    rank, keepdims = len(view.perm), bool(attrs.get("keepdims", 1))
    taken = sorted(axis % rank for axis in (axes or range(rank)))
    own: Attributes = {"axes": tuple(sorted(view.perm[axis] for axis in taken)), "keepdims": keepdims}
    kind = proto.op_type
    if rank > 3 and own["axes"] == tuple(range(2, rank)) and kind in {"ReduceMean", "ReduceMax"}:
        kind = {"ReduceMean": "GlobalAveragePool", "ReduceMax": "GlobalMaxPool"}[kind]
        del own["axes"]
    node = reading.emit(name_of(proto), kind, (view.name,), own, layer=proto.op_type)
    reading.define(proto.output[0], node, view.perm if keepdims else without(view.perm, taken))


def without(perm: tuple[int, ...], axes: list[int]) -> tuple[int, ...]:
    """Return the permutation that remains if the value loses these axes."""
    left = [axis for place, axis in enumerate(perm) if place not in axes]
    return tuple(sorted(left).index(axis) for axis in left)


PLAIN = (
    "Relu", "Sigmoid", "Tanh", "Softsign", "HardSwish", "Mish", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Reciprocal",
)  # fmt: skip
WITH: dict[str, Attributes] = {
    "LeakyRelu": {"alpha": 0.01},
    "Elu": {"alpha": 1.0},
    "Celu": {"alpha": 1.0},
    "ThresholdedRelu": {"alpha": 1.0},
    "Gelu": {"approximate": "none"},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "Softplus": {"beta": 1.0, "threshold": None},
}
VALUES: dict[str, Translator] = {
    **{kind: partial(_plain, kind) for kind in PLAIN},
    **{kind: partial(_with, names) for kind, names in WITH.items()},
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum"), binary),
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), reduction),
    "Identity": identity,
    "Selu": selu,
    "Clip": clip,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Shrink": shrink,
    "Swish": swish,
    "Dropout": dropout,
    "Cast": cast,
}
