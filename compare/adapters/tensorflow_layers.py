"""TensorFlow's convolutions, pooling, normalisation, resizing and splitting as canonical steps."""

from typing import Any

import numpy as np

from compare.adapters import padding
from compare.adapters.kernels import depthwise, kernel_order
from compare.adapters.shortest import shortest
from compare.adapters.tensorflow_operations import Meaning, ints, reader
from compare.adapters.tensorflow_watch import Operation, Watch
from compare.graphs.node import Attribute


def _last(operation: Operation) -> bool:
    return not operation.text("data_format").startswith("NC")


def _spatial(values: Any, last: bool) -> tuple[int, ...]:
    sizes = ints(values)
    return sizes[1:-1] if last else sizes[2:]


def _pads(operation: Operation, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]) -> Any:
    last = _last(operation)
    if operation.text("padding") == "EXPLICIT":
        pairs = ints(operation.attributes["explicit_paddings"])
        return (*_spatial(pairs[::2], last), *_spatial(pairs[1::2], last))
    sizes = _spatial(operation.inputs[0].shape, last)
    return padding.pads(operation.text("padding"), sizes, kernel, strides, dilations)


@reader("Conv2D", "Conv3D", "DepthwiseConv2dNative")
def _conv(watch: Watch, operation: Operation) -> Meaning | None:
    weight, last = watch.weight(operation.inputs[1]), _last(operation)
    if weight is None:
        return None
    shape = ints(operation.inputs[1].shape)
    kernel = shape[:-2]
    strides, dilations = (_spatial(operation.attributes[name], last) for name in ("strides", "dilations"))
    channels = int(operation.inputs[0].shape[-1 if last else 1])
    deep = operation.kind == "DepthwiseConv2dNative"
    attributes: dict[str, Attribute] = {
        "strides": strides,
        "pads": _pads(operation, kernel, strides, dilations),
        "dilations": dilations,
        "group": channels if deep else channels // shape[-2],
        "pad_mode": "constant",
    }
    weight = depthwise(weight, shape) if deep else weight.then(kernel_order(len(kernel)))
    return Meaning("Conv", (0,), "spatial", attributes, {"W": weight}, last)


@reader("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def _transposed(watch: Watch, operation: Operation) -> Meaning | None:
    weight, last = watch.weight(operation.inputs[1]), _last(operation)
    if weight is None or operation.text("padding") == "EXPLICIT":
        return None
    kernel = ints(operation.inputs[1].shape)[:-2]
    strides, dilations = (_spatial(operation.attributes[name], last) for name in ("strides", "dilations"))
    before, after = (_spatial(each.shape, last) for each in (operation.inputs[2], operation.outputs[0]))
    pads, extra = padding.transposed(operation.text("padding"), before, after, kernel, strides, dilations)
    attributes: dict[str, Attribute] = {
        "strides": strides,
        "pads": pads,
        "output_padding": extra,
        "dilations": dilations,
        "group": 1,
    }
    return Meaning("ConvTranspose", (2,), "spatial", attributes, {"W": weight.then(kernel_order(len(kernel)))}, last)


@reader("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D", "MaxPoolV2")
def _pool(watch: Watch, operation: Operation) -> Meaning | None:
    if "ksize" not in operation.attributes:
        return None
    last = _last(operation)
    kernel, strides = (_spatial(operation.attributes[name], last) for name in ("ksize", "strides"))
    ones = (1,) * len(kernel)
    attributes: dict[str, Attribute] = {
        "kernel_shape": kernel,
        "strides": strides,
        "pads": _pads(operation, kernel, strides, ones),
        "ceil_mode": False,
    }
    if operation.kind.startswith("Max"):
        more: dict[str, Attribute] = attributes | {"dilations": ones, "pad_value": None}
        return Meaning("MaxPool", (0,), "spatial", more, last=last)
    return Meaning("AveragePool", (0,), "spatial", attributes | {"count_include_pad": False}, last=last)


@reader("FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm")
def _normalization(watch: Watch, operation: Operation) -> Meaning | None:
    weights = {
        role: watch.weight(each) for role, each in zip(("scale", "B", "mean", "var"), operation.inputs[1:], strict=True)
    }
    training = bool(operation.attributes["is_training"])
    kept = {role: weight for role, weight in weights.items() if weight is not None}
    if len(kept) < (2 if training else 4):
        return None
    attributes: dict[str, Attribute] = {
        "epsilon": shortest(_single(operation.attributes["epsilon"])),
        "momentum": None,
        "axis": len(operation.inputs[0].shape) - 1 if _last(operation) else 1,
        "training_mode": training,
        "unbiased": False,
    }
    return Meaning("BatchNormalization", (0,), "same", attributes, kept)


def _single(number: float) -> Any:
    return np.float32(number)


@reader("ResizeNearestNeighbor", "ResizeBilinear", "ResizeBicubic")
def _resize(watch: Watch, operation: Operation) -> Meaning:
    modes = {"ResizeNearestNeighbor": "nearest", "ResizeBilinear": "linear", "ResizeBicubic": "cubic"}
    half, corners = (bool(operation.attributes[name]) for name in ("half_pixel_centers", "align_corners"))
    nearest = "floor"
    if operation.kind == "ResizeNearestNeighbor" and (half or corners):
        nearest = "round_prefer_ceil"
    attributes: dict[str, Attribute] = {
        "mode": modes[operation.kind],
        "coordinate_transformation_mode": "align_corners" if corners else "half_pixel" if half else "asymmetric",
        "nearest_mode": nearest,
        # In TensorFlow: Keys's kernel with -0.5 for centred pixels, else the older -0.75.
        "cubic_coeff_a": -0.5 if half else -0.75,
        "antialias": False,
        "exclude_outside": half and operation.kind == "ResizeBicubic",
        "sizes": _spatial(operation.outputs[0].shape, True),
    }
    return Meaning("Resize", (0,), "spatial", attributes, last=True)


@reader("DepthToSpace", "SpaceToDepth")
def _blocks(watch: Watch, operation: Operation) -> Meaning:
    attributes: dict[str, Attribute] = {"blocksize": int(operation.attributes["block_size"]), "mode": "DCR"}
    return Meaning(operation.kind, (0,), "spatial", attributes, last=_last(operation))
