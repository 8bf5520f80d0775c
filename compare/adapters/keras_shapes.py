"""Keras's layers that change shapes, merge values or apply a function to each element, as canonical steps."""

from typing import Any

from compare.adapters.keras_activations import kind_of
from compare.adapters.keras_known import describer, weights_of
from compare.adapters.keras_layers import is_last, spatial
from compare.adapters.keras_watch import Call, Description
from compare.graphs.node import Attribute


@describer("ReLU", "LeakyReLU", "ELU", "Softmax")
def _activation_layer(call: Call) -> Description:
    layer = call.layer
    name = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}[_base(layer)]
    parameters = {
        each: getattr(layer, each, None) for each in ("negative_slope", "max_value", "threshold", "alpha", "axis")
    }
    kind = kind_of(name, parameters)
    if kind is None:
        return Description(f"keras:{_base(layer)}", "opaque")
    return Description(kind[0], "same", kind[1])


def _base(layer: Any) -> str:
    """Return the name of Keras's own class."""
    return next(each.__name__ for each in type(layer).__mro__ if each.__module__.startswith("keras."))


@describer("PReLU")
def _prelu(call: Call) -> Description:
    return Description("PRelu", "same", {}, weights_of(call.path, call.layer, slope="alpha"))


@describer("Identity", "ActivityRegularization", "InputLayer")
def _identity(call: Call) -> Description:
    return Description("Identity")


@describer("Masking")
def _masking(call: Call) -> Description:
    return Description("keras:Masking", "same", {"mask_value": float(call.layer.mask_value)})


@describer("Flatten")
def _flatten(call: Call) -> Description:
    layer = call.layer
    if layer.data_format == "channels_first" and len(call.inputs[0].shape) > 2:
        # Keras moves the channels last before it flattens, which users seldom intend.
        return Description("keras:Flatten", "opaque", {"data_format": "channels_first"})
    return Description("Reshape", "reshape")


@describer("Reshape")
def _reshape(call: Call) -> Description:
    return Description("Reshape", "reshape")


@describer("Permute")
def _permute(call: Call) -> Description:
    return Description("Transpose", "transpose", {"perm": (0, *call.layer.dims)})


def _pads(call: Call, around: Any) -> tuple[int, ...]:
    """Return the pads of every native axis: all begins, then all ends."""
    each = [tuple(pair) for pair in around]
    pairs = [(0, 0), *each, (0, 0)] if is_last(call.layer) else [(0, 0), (0, 0), *each]
    return (*(pair[0] for pair in pairs), *(pair[1] for pair in pairs))


@describer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _zero_padding(call: Call) -> Description:
    around = call.layer.padding
    around = [around] if isinstance(around[0], int) else around
    attributes: dict[str, Attribute] = {"pads": _pads(call, around), "mode": "constant", "value": 0.0}
    return Description("Pad", "same", attributes)


@describer("Cropping1D", "Cropping2D", "Cropping3D")
def _cropping(call: Call) -> Description:
    around = call.layer.cropping
    around = [around] if isinstance(around[0], int) else around
    first = 1 if is_last(call.layer) else 2
    kept = [
        (first + place, begin, call.inputs[0].shape[first + place] - end)
        for place, (begin, end) in enumerate(around)
        if begin or end
    ]
    axes, starts, ends = (tuple(int(each[part]) for each in kept) for part in range(3))
    attributes: dict[str, Attribute] = {"axes": axes, "starts": starts, "ends": ends, "steps": (1,) * len(kept)}
    return Description("Slice", "same", attributes) if kept else Description("Identity")


@describer("Concatenate")
def _concatenate(call: Call) -> Description:
    return Description("Concat", "concat", {"axis": call.layer.axis % len(call.output.shape)})


@describer("Dot")
def _dot(call: Call) -> Description:
    layer = call.layer
    axes = layer.axes if isinstance(layer.axes, list | tuple) else (layer.axes, layer.axes)
    return Description("keras:Dot", "opaque", {"axes": tuple(axes), "normalize": bool(layer.normalize)})


@describer("Embedding")
def _embedding(call: Call) -> Description:
    return Description(
        "Gather",
        "opaque",
        {"axis": 0, "padding_idx": None},
        weights_of(call.path, call.layer, W="embeddings"),
    )


def _resize(call: Call, interpolation: str, sizes: tuple[int, ...], repeated: bool, antialias: bool) -> Description:
    mode = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}.get(interpolation)
    if mode is None:
        return Description(
            f"keras:{type(call.layer).__name__}", "spatial", {"mode": interpolation}, last=is_last(call.layer)
        )
    attributes: dict[str, Attribute] = {
        "mode": mode,
        "coordinate_transformation_mode": "asymmetric" if repeated else "half_pixel",
        "nearest_mode": "floor" if repeated else "round_prefer_ceil",
        "cubic_coeff_a": -0.5,
        "antialias": antialias,
        # In TensorFlow, places outside the image have no weight.
        "exclude_outside": mode == "cubic" or antialias,
        "sizes": sizes,
    }
    return Description("Resize", "spatial", attributes, last=is_last(call.layer))


@describer("UpSampling2D")
def _up_sampling(call: Call) -> Description:
    interpolation = call.layer.interpolation
    return _resize(call, interpolation, spatial(call.output, is_last(call.layer)), interpolation == "nearest", False)


@describer("UpSampling1D")
def _up_sampling_1d(call: Call) -> Description:
    size = int(call.output.shape[1])
    attributes: dict[str, Attribute] = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
        "cubic_coeff_a": -0.5,
        "antialias": False,
        "sizes": (size,),
    }
    return Description("Resize", "spatial", attributes, last=True)


@describer("UpSampling3D")
def _up_sampling_3d(call: Call) -> Description:
    return _resize(call, "nearest", spatial(call.output, is_last(call.layer)), True, False)


@describer("Resizing")
def _resizing(call: Call) -> Description:
    layer = call.layer
    sizes = spatial(call.output, is_last(layer))
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        return Description("keras:Resizing", "spatial", {"mode": layer.interpolation}, last=is_last(layer))
    return _resize(call, layer.interpolation, sizes, False, bool(layer.antialias))
