"""Layers of an ONNX file as canonical nodes: convolutions, pooling, normalization."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from compare.adapters.onnx_files.orders import Translator, in_order, name_of, out_of_order, weight, weights_of
from compare.adapters.onnx_files.reading import Reading, Unknown, unchanged


def _pads(
    attrs: Mapping[str, Any],
    lengths: Sequence[int],
    size: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    """Return the pads of a convolution or a pool, even if the file only says SAME."""
    auto = attrs.get("auto_pad", "NOTSET")
    rank = len(size)
    if auto == "VALID":
        return (0,) * 2 * rank
    if auto not in {"SAME_UPPER", "SAME_LOWER"}:
        return tuple(attrs.get("pads", (0,) * 2 * rank))
    totals = [
        max((-(-length // stride) - 1) * stride + dilation * (taps - 1) + 1 - length, 0)
        for length, taps, stride, dilation in zip(lengths, size, strides, dilations, strict=True)
    ]
    fewer, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return (*fewer, *more) if auto == "SAME_UPPER" else (*more, *fewer)


def conv(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """Conv, with its weights unchanged."""
    weights = weights_of(W=weight(reading, proto, 1), B=weight(reading, proto, 2))
    size = weights["W"][0].shape[2:]
    ones = (1,) * len(size)
    x = reading.plain(proto.input[0])
    strides, dilations = tuple(attrs.get("strides", ones)), tuple(attrs.get("dilations", ones))
    pads = _pads(attrs, reading.values[x].shape[2:], size, strides, dilations)
    own = {"strides": strides, "pads": pads, "dilations": dilations, "group": attrs.get("group", 1)}
    node = reading.emit(name_of(proto), "Conv", (x,), {**own, "pad_mode": "constant"}, weights, proto.op_type)
    reading.define(proto.output[0], node)


def conv_transpose(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """ConvTranspose; a stated shape of its output becomes pads, as ONNX defines them."""
    weights = weights_of(W=weight(reading, proto, 1), B=weight(reading, proto, 2))
    size = weights["W"][0].shape[2:]
    ones = (1,) * len(size)
    x = reading.plain(proto.input[0])
    lengths = reading.values[x].shape[2:]
    strides, dilations = tuple(attrs.get("strides", ones)), tuple(attrs.get("dilations", ones))
    extra = tuple(attrs.get("output_padding", (0,) * len(size)))
    auto, shape = attrs.get("auto_pad", "NOTSET"), attrs.get("output_shape")
    pads = tuple(attrs.get("pads", (0,) * 2 * len(size)))
    if auto.startswith("SAME") and shape is None:
        shape = [length * stride for length, stride in zip(lengths, strides, strict=True)]
    if auto == "VALID":
        pads = (0,) * 2 * len(size)
    elif shape is not None:
        full = zip(lengths, strides, extra, dilations, size, shape[-len(size) :], strict=True)
        totals = [stride * (n - 1) + more + (taps - 1) * by + 1 - wanted for n, stride, more, by, taps, wanted in full]
        fewer, more_ = [total // 2 for total in totals], [total - total // 2 for total in totals]
        pads = (*fewer, *more_) if auto == "SAME_UPPER" else (*more_, *fewer)
    own = {"strides": strides, "pads": pads, "output_padding": extra, "dilations": dilations}
    own["group"] = attrs.get("group", 1)
    node = reading.emit(name_of(proto), "ConvTranspose", (x,), own, weights, proto.op_type)
    reading.define(proto.output[0], node)


def batch_normalization(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """BatchNormalization; channels of a flattened value are put into its canonical order."""
    roles = ("scale", "B", "mean", "var")
    view = reading.views[proto.input[0]]
    order = partial(in_order, order=view.columns) if view.columns is not None else unchanged
    back = partial(out_of_order, order=view.columns) if view.columns is not None else unchanged
    weights = weights_of(**{role: weight(reading, proto, place, order, back) for place, role in enumerate(roles, 1)})
    own = {"epsilon": attrs.get("epsilon", 1e-5), "momentum": attrs.get("momentum", 0.9)}
    own |= {"axis": view.perm[1], "training_mode": bool(attrs.get("training_mode", 0)), "unbiased": False}
    node = reading.emit(name_of(proto), "BatchNormalization", (view.name,), own, weights, proto.op_type)
    reading.define(proto.output[0], node, view.perm, view.columns)


def instance_normalization(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """InstanceNormalization: as many groups as channels."""
    weights = weights_of(scale=weight(reading, proto, 1), B=weight(reading, proto, 2))
    x = reading.plain(proto.input[0])
    own = {"num_groups": reading.values[x].shape[1], "epsilon": attrs.get("epsilon", 1e-5)}
    node = reading.emit(name_of(proto), "GroupNormalization", (x,), own, weights, proto.op_type)
    reading.define(proto.output[0], node)


def group_normalization(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """GroupNormalization; until opset 21 its weights were those of groups, not of channels."""
    x, groups = reading.plain(proto.input[0]), int(attrs["num_groups"])
    each = reading.values[x].shape[1] // groups
    few = reading.opset < 21 and each > 1
    forward, back = (partial(np.repeat, repeats=each), partial(_every, step=each)) if few else (unchanged, unchanged)
    weights = weights_of(scale=weight(reading, proto, 1, forward, back), B=weight(reading, proto, 2, forward, back))
    own = {"num_groups": groups, "epsilon": attrs.get("epsilon", 1e-5)}
    node = reading.emit(name_of(proto), "GroupNormalization", (x,), own, weights, proto.op_type)
    reading.define(proto.output[0], node)


def layer_normalization(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """LayerNormalization and RMSNormalization over the last axes."""
    rank = len(reading.shape(proto.input[0]))
    axes = range(attrs.get("axis", -1) % rank, rank)
    if len(axes) > 1 or reading.views[proto.input[0]].columns is not None:
        reading.plain(proto.input[0])
    view = reading.views[proto.input[0]]
    lengths = tuple(reading.shape(proto.input[0])[axis] for axis in axes)
    for place in (1, 2):
        if (given := reading.known(proto, place)) is not None and given.shape != lengths:
            raise Unknown
    weights = weights_of(scale=weight(reading, proto, 1), B=weight(reading, proto, 2))
    own = {"axes": tuple(view.perm[axis] for axis in axes), "epsilon": attrs.get("epsilon", 1e-5)}
    node = reading.emit(name_of(proto), proto.op_type, (view.name,), own, weights, proto.op_type)
    reading.define(proto.output[0], node, view.perm)


def pool(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """MaxPool and AveragePool."""
    if len(proto.output) > 1 and proto.output[1]:
        raise Unknown  # the positions of the maxima
    x = reading.plain(proto.input[0])
    size = tuple(attrs["kernel_shape"])
    ones = (1,) * len(size)
    strides, dilations = tuple(attrs.get("strides", ones)), tuple(attrs.get("dilations", ones))
    own: dict[str, Any] = {"kernel_shape": size, "strides": strides}
    own["pads"] = _pads(attrs, reading.values[x].shape[2:], size, strides, dilations)
    own["ceil_mode"] = bool(attrs.get("ceil_mode", 0))
    if proto.op_type == "MaxPool":
        own |= {"dilations": dilations, "pad_value": None}
    else:
        own["count_include_pad"] = bool(attrs.get("count_include_pad", 0))
        own |= {"dilations": dilations} if dilations != ones else {}
    node = reading.emit(name_of(proto), proto.op_type, (x,), own, layer=proto.op_type)
    reading.define(proto.output[0], node)


def global_pool(reading: Reading, proto: Any, _attrs: dict[str, Any]) -> None:
    """GlobalAveragePool and GlobalMaxPool."""
    x = reading.plain(proto.input[0])
    node = reading.emit(name_of(proto), proto.op_type, (x,), {"keepdims": True}, layer=proto.op_type)
    reading.define(proto.output[0], node)


def p_relu(reading: Reading, proto: Any, _attrs: dict[str, Any]) -> None:
    """PRelu: its slope as one number, one for each channel, or one for each place."""
    given = reading.known(proto, 1)
    assert given is not None
    view = reading.views[proto.input[0]]
    if view.columns is not None:
        reading.plain(proto.input[0])
        view = reading.views[proto.input[0]]
    rank = len(view.perm)
    shape = (1,) * (rank - given.ndim) + given.shape
    back = np.argsort(view.perm)
    if given.ndim > rank or shape[0] != 1 or view.perm[0] != 0:
        raise Unknown
    canonical = tuple(shape[axis] for axis in back)
    own = (given.size,) if given.size in {1, canonical[1]} and given.size == max(canonical[:2]) else canonical[1:]

    def forward(x: np.ndarray) -> np.ndarray:
        return x.reshape(shape).transpose(back).reshape(own)

    def backward(x: np.ndarray) -> np.ndarray:
        return x.reshape(canonical).transpose(view.perm).reshape(given.shape)

    slope = weights_of(slope=weight(reading, proto, 1, forward, backward))
    node = reading.emit(name_of(proto), "PRelu", (view.name,), {}, slope, proto.op_type)
    reading.define(proto.output[0], node, view.perm)


def _every(x: np.ndarray, step: int) -> np.ndarray:
    return x[::step]


LAYERS: dict[str, Translator] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "BatchNormalization": batch_normalization,
    "InstanceNormalization": instance_normalization,
    "GroupNormalization": group_normalization,
    "LayerNormalization": layer_normalization,
    "RMSNormalization": layer_normalization,
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "PRelu": p_relu,
}
