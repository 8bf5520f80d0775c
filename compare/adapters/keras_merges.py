"""Keras's layers that are several canonical steps: separable convolutions, merges of several values, scalings."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree

from compare.adapters.keras_activations import kind_of_function
from compare.adapters.keras_known import activated, called, compound, converted, function_name, weights_of
from compare.adapters.keras_layers import convolution, is_last
from compare.adapters.keras_watch import KerasWatch, Original
from compare.adapters.kernels import depthwise, kernel_order
from compare.adapters.steps import Weight
from compare.graphs.node import Attribute

Arguments = tuple[Any, ...]
Keywords = dict[str, Any]


def _first(args: Arguments, kwargs: Keywords) -> Any:
    return converted(args[0] if args else kwargs["inputs"])


@compound("SeparableConv1D", "SeparableConv2D")
def _separable(watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords) -> Any:
    x, name = _first(args, kwargs), type(layer).__name__
    with watch.mute():
        original(layer, x)  # builds it, if necessary
        x = layer.dtype_policy.convert_input(x, layer.autocast, layer.input_dtype)

    def deep(value: Any) -> Any:
        return keras.ops.depthwise_conv(
            value, layer.depthwise_kernel, layer.strides, layer.padding, layer.data_format, layer.dilation_rate
        )

    def wide(value: Any) -> Any:
        made = keras.ops.conv(value, layer.pointwise_kernel, 1, "valid", layer.data_format, 1)
        if layer.bias is None:
            return made
        size = (1,) * layer.rank
        return made + keras.ops.reshape(layer.bias, (1, *size, -1) if is_last(layer) else (1, -1, *size))

    with watch.mute():
        middle = deep(x)
        output = wide(middle)
    shape = tuple(layer.depthwise_kernel.shape)
    weights = weights_of(path, layer, W="depthwise_kernel")
    more: dict[str, Any] = {"layer": name, "last": is_last(layer)}
    watch.trace.add(
        path,
        "Conv",
        [x],
        middle,
        "spatial",
        attributes=convolution(layer, x, shape[-2]),
        weights={"W": depthwise(weights["W"], shape)},
        call=watch.unwatched(deep),
        **more,
    )
    weights = weights_of(path, layer, W="pointwise_kernel", B="bias")
    weights["W"] = weights["W"].then(kernel_order(layer.rank))
    ones, zeros = (1,) * layer.rank, (0,) * (2 * layer.rank)
    attributes: dict[str, Attribute] = {
        "strides": ones,
        "pads": zeros,
        "dilations": ones,
        "group": 1,
        "pad_mode": "constant",
    }
    watch.trace.add(
        f"{path}:pointwise",
        "Conv",
        [middle],
        output,
        "spatial",
        attributes=attributes,
        weights=weights,
        call=watch.unwatched(wide),
        **more,
    )
    return output if layer.activation is None else activated(watch, path, layer.activation, output)


_MERGES: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "Add": ("Add", lambda a, b: a + b),
    "Average": ("Add", lambda a, b: a + b),
    "Subtract": ("Sub", lambda a, b: a - b),
    "Multiply": ("Mul", lambda a, b: a * b),
    "Maximum": ("Max", ops.maximum),
    "Minimum": ("Min", ops.minimum),
}


@compound(*_MERGES)
def _merge(watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords) -> Any:
    """Record a merge of several values as merges of two, as in Keras."""
    values = [ops.convert_to_tensor(each) for each in tree.flatten(_first(args, kwargs))]
    name = next(each.__name__ for each in type(layer).__mro__ if each.__name__ in _MERGES)
    kind, merge = _MERGES[name]
    with watch.mute():
        output = original(layer, *args, **kwargs)
        values = [layer.dtype_policy.convert_input(each, layer.autocast, layer.input_dtype) for each in values]
    ranks = {len(each.shape) for each in values}
    if len(ranks) > 1:
        more: dict[str, Any] = {"layer": name, "call": lambda tensors, training: original(layer, tensors)}
        watch.trace.add(path, f"keras:{name}", values, output, "opaque", **more)
        return output
    made = values[0]
    for place, value in enumerate(values[1:], 2):
        final = place == len(values) and name != "Average"
        with watch.mute():
            step = output if final and not watch.trace.known(output) else merge(made, value)
        label = path if final else f"{path}:{place}"
        watch.trace.add(label, kind, [made, value], step, "same", layer=name, call=watch.unwatched(merge))
        made = step
    if name == "Average":
        count = float(len(values))
        attributes: dict[str, Attribute] = {"scalar": count}
        with watch.mute():
            last = made / ops.cast(count, made.dtype)
        call = watch.unwatched(lambda value: value / ops.cast(count, value.dtype))
        watch.trace.add(path, "Div", [made], last, "same", attributes=attributes, layer=name, call=call)
        return last
    return made


@compound("Rescaling")
def _rescaling(watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords) -> Any:
    """Record a product, then a sum: Rescaling of images by numbers; lists of numbers have one per channel."""
    x = _first(args, kwargs)
    with watch.mute():
        output = watch.own(original(layer, x))
        x = keras.ops.cast(x, layer.compute_dtype)
    made = x
    for kind, number, suffix in (("Mul", layer.scale, ""), ("Add", layer.offset, ":Add")):
        plain = isinstance(number, int | float)
        if plain and number == (1 if kind == "Mul" else 0):
            continue
        operand = ops.convert_to_tensor(number, made.dtype)

        def scale(value: Any, kind: str = kind, operand: Any = operand) -> Any:
            return value * operand if kind == "Mul" else value + operand

        with watch.mute():
            step = scale(made)
        if plain:
            more: dict[str, Any] = {"attributes": {"scalar": float(number)}, "call": watch.unwatched(scale)}
            inputs = [made]
        else:
            weight = Weight(f"{path}.{kind}", lambda operand=operand: ops.convert_to_numpy(operand), None)  # type: ignore[misc]
            watch.derive(operand, weight)
            inputs, more = [made, operand], {"call": watch.unwatched(_plain(kind))}
        watch.trace.add(path + suffix, kind, inputs, step, "same", layer="Rescaling", **more)
        made = step
    if made is x:
        watch.trace.add(path, "Identity", [x], output, "same", layer="Rescaling", call=watch.unwatched(lambda v: v))
        return output
    return made


def _plain(kind: str) -> Callable[[Any, Any], Any]:
    return {"Mul": lambda a, b: a * b, "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Div": lambda a, b: a / b}[
        kind
    ]


@compound("Normalization")
def _normalization(
    watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords
) -> Any:
    """Record (x - mean) / max(sqrt(variance), epsilon), with constants of the layer."""
    x = _first(args, kwargs)
    with watch.mute():
        original(layer, x)
        x = keras.ops.cast(x, layer.compute_dtype)
        mean = ops.cast(layer.mean, x.dtype)
        spread = ops.maximum(ops.sqrt(ops.cast(layer.variance, x.dtype)), keras.backend.epsilon())
    steps = (("Mul", spread), ("Add", mean)) if layer.invert else (("Sub", mean), ("Div", spread))
    made = x
    for place, (kind, operand) in enumerate(steps):
        weight = Weight(f"{path}.{kind}", lambda operand=operand: ops.convert_to_numpy(operand), None)  # type: ignore[misc]
        watch.derive(operand, weight)
        with watch.mute():
            step = _plain(kind)(made, operand)
        label = f"{path}:{kind}" if place else path
        call = watch.unwatched(_plain(kind))
        watch.trace.add(label, kind, [made, operand], step, "same", layer="Normalization", call=call)
        made = step
    return made


@compound("Activation")
def _activation(watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords) -> Any:
    """Record a function as a layer: one step if it is one of Keras's own, else all of its operations."""
    x, function = _first(args, kwargs), layer.activation
    meant = None if isinstance(function, keras.layers.Layer) else kind_of_function(function)
    if getattr(function, "__name__", "") == "linear":
        meant = ("Identity", {})
    if meant is not None:
        return watch.function(path, meant, x, function, function_name(function))
    return called(watch, path, path, function, x)


@compound("RepeatVector")
def _repeat(watch: KerasWatch, path: str, layer: Any, original: Original, args: Arguments, kwargs: Keywords) -> Any:
    """Record (N, F) with a new axis after the batch, repeated along it."""
    x = _first(args, kwargs)
    with watch.mute():
        middle = ops.expand_dims(x, 1)
        output = original(layer, x)
    attributes: dict[str, Attribute] = {"axes": (1,)}
    call = watch.unwatched(lambda value: ops.expand_dims(value, 1))
    watch.trace.add(path, "Unsqueeze", [x], middle, "unsqueeze", attributes=attributes, layer="RepeatVector", call=call)
    inputs = [middle] * int(layer.n)
    joined = watch.unwatched(lambda *values: ops.concatenate(values, 1))
    name = f"{path}:Concat"
    watch.trace.add(name, "Concat", inputs, output, "concat", attributes={"axis": 1}, layer="RepeatVector", call=joined)
    return output
