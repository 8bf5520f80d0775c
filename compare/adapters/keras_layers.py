"""Keras's layers as canonical steps: convolutions, products, normalisations, pooling."""

from typing import Any

from compare.adapters import padding
from compare.adapters.changes import Permuted
from compare.adapters.keras_known import describer, own_weights, weights_of
from compare.adapters.keras_watch import Call, Description
from compare.adapters.kernels import depthwise, kernel_order
from compare.graphs.node import Attribute


def is_last(layer: Any) -> bool:
    """Whether the layer takes its channels last."""
    return bool(getattr(layer, "data_format", "channels_last") == "channels_last")


def spatial(tensor: Any, last: bool) -> tuple[int, ...]:
    """Return the spatial sizes of a tensor."""
    shape = tuple(int(size) for size in tensor.shape)
    return shape[1:-1] if last else shape[2:]


def convolution(layer: Any, x: Any, group: int) -> dict[str, Attribute]:
    """Return the attributes of a convolution of `x` with a layer's strides, dilations and padding."""
    sizes = spatial(x, is_last(layer))
    return {
        "strides": tuple(layer.strides),
        "pads": padding.pads(layer.padding, sizes, layer.kernel_size, layer.strides, layer.dilation_rate),
        "dilations": tuple(layer.dilation_rate),
        "group": group,
        "pad_mode": "constant",
    }


@describer("Conv1D", "Conv2D", "Conv3D")
def _conv(call: Call) -> Description:
    layer = call.layer
    if getattr(layer, "lora_enabled", False) or layer.quantization_mode:
        return Description(
            f"keras:{type(layer).__name__}", "spatial", {}, own_weights(call.path, layer), is_last(layer)
        )
    weights = weights_of(call.path, layer, W="kernel", B="bias")
    weights["W"] = weights["W"].then(kernel_order(layer.rank))
    return Description("Conv", "spatial", convolution(layer, call.inputs[0], layer.groups), weights, is_last(layer))


@describer("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise(call: Call) -> Description:
    layer = call.layer
    weights = weights_of(call.path, layer, W="kernel", B="bias")
    shape = tuple(layer.kernel.shape)
    weights["W"] = depthwise(weights["W"], shape)
    return Description("Conv", "spatial", convolution(layer, call.inputs[0], shape[-2]), weights, is_last(layer))


@describer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed(call: Call) -> Description:
    layer = call.layer
    before, after = (spatial(each, is_last(layer)) for each in (call.inputs[0], call.output))
    pads, extra = padding.transposed(
        layer.padding, before, after, layer.kernel_size, layer.strides, layer.dilation_rate
    )
    attributes: dict[str, Attribute] = {
        "strides": tuple(layer.strides),
        "pads": pads,
        "output_padding": extra,
        "dilations": tuple(layer.dilation_rate),
        "group": 1,
    }
    weights = weights_of(call.path, layer, W="kernel", B="bias")
    # Keras's is (spatial ..., O, I).
    weights["W"] = weights["W"].then(kernel_order(layer.rank))
    return Description("ConvTranspose", "spatial", attributes, weights, is_last(layer))


@describer("Dense")
def _dense(call: Call) -> Description:
    layer = call.layer
    if getattr(layer, "lora_enabled", False) or layer.quantization_mode:
        return Description("keras:Dense", "opaque", {}, own_weights(call.path, layer))
    weights = weights_of(call.path, layer, W="kernel", B="bias")
    weights["W"] = weights["W"].then(Permuted((1, 0)))
    return Description("Gemm", "product", {"axis": -1}, weights)


@describer("EinsumDense")
def _einsum(call: Call) -> Description:
    """Describe a product over the last axis as a Gemm: "...x,xy->...y" in any letters."""
    layer = call.layer
    before, after = layer.equation.replace(" ", "").split("->")
    left, right = before.split(",")
    plain = len(right) == 2 and left[-1] == right[0] and after == left[:-1] + right[1]
    if not plain or (layer.bias is not None and len(layer.bias.shape) != 1):
        attributes: dict[str, Attribute] = {"equation": layer.equation}
        return Description("keras:EinsumDense", "opaque", attributes, own_weights(call.path, layer))
    weights = weights_of(call.path, layer, W="kernel", B="bias")
    weights["W"] = weights["W"].then(Permuted((1, 0)))
    return Description("Gemm", "product", {"axis": -1}, weights)


@describer("BatchNormalization")
def _batch_normalization(call: Call) -> Description:
    layer = call.layer
    rank = len(call.inputs[0].shape)
    attributes: dict[str, Attribute] = {
        "epsilon": layer.epsilon,
        "momentum": layer.momentum,
        "axis": layer.axis % rank,
        # A frozen layer is in evaluation mode in any call.
        "training_mode": bool(call.training and layer.trainable),
        "unbiased": False,
    }
    weights = weights_of(call.path, layer, scale="gamma", B="beta", mean="moving_mean", var="moving_variance")
    if getattr(layer, "renorm", False):
        return Description("keras:BatchNormalization", "same", attributes, own_weights(call.path, layer))
    return Description("BatchNormalization", "same", attributes, weights)


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    return tuple(sorted(each % rank for each in (axis if isinstance(axis, list | tuple) else [axis])))


@describer("LayerNormalization")
def _layer_normalization(call: Call) -> Description:
    layer = call.layer
    attributes: dict[str, Attribute] = {"axes": _axes(layer.axis, len(call.inputs[0].shape)), "epsilon": layer.epsilon}
    if layer.rms_scaling:
        # Keras divides by the standard deviation and does not centre, which is not RMS normalisation.
        return Description("keras:LayerNormalization", "same", attributes, own_weights(call.path, layer))
    return Description("LayerNormalization", "same", attributes, weights_of(call.path, layer, scale="gamma", B="beta"))


@describer("RMSNormalization")
def _rms_normalization(call: Call) -> Description:
    layer = call.layer
    attributes: dict[str, Attribute] = {"axes": _axes(layer.axis, len(call.inputs[0].shape)), "epsilon": layer.epsilon}
    return Description("RMSNormalization", "same", attributes, weights_of(call.path, layer, scale="scale"))


@describer("GroupNormalization")
def _group_normalization(call: Call) -> Description:
    layer = call.layer
    rank = len(call.inputs[0].shape)
    channels = int(call.inputs[0].shape[layer.axis])
    groups = channels if layer.groups == -1 else layer.groups
    attributes: dict[str, Attribute] = {"num_groups": groups, "epsilon": layer.epsilon}
    weights = weights_of(call.path, layer, scale="gamma", B="beta")
    if layer.axis % rank not in (1, rank - 1):
        return Description("keras:GroupNormalization", "opaque", attributes, own_weights(call.path, layer))
    return Description("GroupNormalization", "spatial", attributes, weights, layer.axis % rank == rank - 1 and rank > 2)


@describer("UnitNormalization")
def _unit_normalization(call: Call) -> Description:
    axes = _axes(call.layer.axis, len(call.inputs[0].shape))
    return Description("LpNormalization", "same", {"axes": axes})


@describer("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D")
def _pooling(call: Call) -> Description:
    layer = call.layer
    size, strides = tuple(layer.pool_size), tuple(layer.strides)
    ones = (1,) * len(size)
    attributes: dict[str, Attribute] = {
        "kernel_shape": size,
        "strides": strides,
        "pads": padding.pads(layer.padding, spatial(call.inputs[0], is_last(layer)), size, strides, ones),
        "ceil_mode": False,
    }
    if layer.pool_mode == "max":
        more = attributes | {"dilations": ones, "pad_value": None}
        return Description("MaxPool", "spatial", more, last=is_last(layer))
    return Description("AveragePool", "spatial", attributes | {"count_include_pad": False}, last=is_last(layer))


@describer(
    *(f"Global{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)),
)
def _global_pooling(call: Call) -> Description:
    kind = "GlobalMaxPool" if "Max" in type(call.layer).__name__ else "GlobalAveragePool"
    if len(call.inputs[0].shape) == 3 and is_last(call.layer):  # over the time of (N, T, F), which requires no layout
        reduced = "ReduceMax" if "Max" in kind else "ReduceMean"
        return Description(reduced, "reduce", {"axes": (1,), "keepdims": call.layer.keepdims})
    return Description(kind, "spatial", {"keepdims": call.layer.keepdims}, last=is_last(call.layer))


@describer(*(f"Adaptive{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)))
def _adaptive_pooling(call: Call) -> Description:
    layer = call.layer
    kind = "AdaptiveMaxPool" if "Max" in type(layer).__name__ else "AdaptiveAveragePool"
    size = spatial(call.output, is_last(layer))
    return Description(kind, "spatial", {"output_size": size}, last=is_last(layer))
