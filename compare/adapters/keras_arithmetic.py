"""The functions of Keras's backends on elements, axes and shapes, as canonical steps."""

from typing import Any

import numpy as np
from keras import ops

from compare.adapters import padding
from compare.adapters.changes import Permuted
from compare.adapters.keras_activations import kind_of
from compare.adapters.keras_operations import Called, Meaning, is_scalar, order_of, reader, scalar
from compare.adapters.kernels import kernel_order
from compare.adapters.watching import BaseWatch
from compare.graphs.node import Attribute

_UNARY = {
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "rsqrt": "Rsqrt", "negative": "Neg", "absolute": "Abs", "abs": "Abs",
    "square": "Square", "reciprocal": "Reciprocal", "erf": "Erf",
}  # fmt: skip
_BINARY = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "true_divide": "Div", "maximum": "Max",
    "minimum": "Min", "power": "Pow",
}  # fmt: skip
_REDUCE = {
    "mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "amax": "ReduceMax", "min": "ReduceMin",
    "amin": "ReduceMin",
}  # fmt: skip
_FUNCTIONS = ("relu", "sigmoid", "tanh", "silu", "softplus", "softsign", "selu")


@reader(*_UNARY)
def _unary(watch: BaseWatch, call: Called) -> Meaning:
    return Meaning(_UNARY[call.base], call.given)


@reader(*_FUNCTIONS)
def _function(watch: BaseWatch, call: Called) -> Meaning:
    found = kind_of(call.base, {})
    assert found is not None
    return Meaning(found[0], call.given, "same", found[1])


@reader(*_BINARY)
def _binary(watch: BaseWatch, call: Called) -> Meaning:
    kind, values = _BINARY[call.base], list(call.arguments.values())[:2]
    for place in (0, 1):
        if is_scalar(watch, values[place]):
            more: dict[str, Attribute] = {"scalar": scalar(values[place])}
            return Meaning(kind, [values[1 - place]], "same", more | ({"scalar_first": True} if place == 0 else {}))
    if len(call.given) < 2:  # the other operand is an array or a list of numbers
        return Meaning(f"keras:{call.base}", call.given, "opaque")
    return Meaning(kind, values)


@reader("clip")
def _clip(watch: BaseWatch, call: Called) -> Meaning | None:
    least, most = call.get("x_min"), call.get("x_max")
    if not is_scalar(watch, least) or not is_scalar(watch, most):
        return Meaning("keras:clip", call.given, "opaque")
    return Meaning("Clip", call.given[:1], "same", {"min": scalar(least), "max": scalar(most)})


@reader("copy", "stop_gradient", "identity", "convert_to_tensor")
def _identity(watch: BaseWatch, call: Called) -> Meaning:
    return Meaning("Identity", call.given)


@reader("cast")
def _cast(watch: BaseWatch, call: Called) -> Meaning:
    before, after = (str(each.dtype).removeprefix("torch.") for each in (call.given[0], call.output))
    return Meaning("Identity", call.given) if before == after else Meaning("Cast", call.given, "same", {"to": after})


@reader(*_REDUCE)
def _reduce(watch: BaseWatch, call: Called) -> Meaning:
    axis = call.get("axis")
    axes = range(call.rank) if axis is None else axis if isinstance(axis, list | tuple) else [axis]
    more: dict[str, Attribute] = {
        "axes": tuple(sorted(int(each) % call.rank for each in axes)),
        "keepdims": bool(call.get("keepdims", False)),
    }
    return Meaning(_REDUCE[call.base], call.given[:1], "reduce", more)


@reader("var", "std")
def _variance(watch: BaseWatch, call: Called) -> Meaning | None:
    """Add the mean of squared differences, and its root, as separate steps."""
    x, axis, keep = call.given[0], call.get("axis"), bool(call.get("keepdims", False))
    axes: Any = tuple(range(call.rank)) if axis is None else tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    axes = tuple(sorted(int(each) % call.rank for each in axes))
    mean = _step(watch, call, "ReduceMean", [x], lambda v: ops.mean(v, axes, keepdims=True), "reduce", axes, True)
    centred = _step(watch, call, "Sub", [x, mean], lambda a, b: a - b)
    squared = _step(watch, call, "Square", [centred], ops.square)
    variance = None if call.base == "std" else call.output
    made = _step(
        watch, call, "ReduceMean", [squared], lambda v: ops.mean(v, axes, keepdims=keep), "reduce", axes, keep, variance
    )
    if call.base == "std":
        _step(watch, call, "Sqrt", [made], ops.sqrt, output=call.output)
    return None


def _step(
    watch: BaseWatch,
    call: Called,
    kind: str,
    inputs: list[Any],
    function: Any,
    rule: str = "same",
    axes: tuple[int, ...] = (),
    keepdims: bool = False,
    output: Any = None,
) -> Any:
    made = function(*inputs) if output is None else output
    attributes: dict[str, Attribute] = {"axes": axes, "keepdims": keepdims} if axes else {}
    more: dict[str, Any] = {"layer": call.name, "call": watch.unwatched(function), "attributes": attributes}
    watch.trace.add(watch.name(kind), kind, inputs, made, rule, **more)
    return made


@reader("reshape", "ravel")
def _reshape(watch: BaseWatch, call: Called) -> Meaning:
    return Meaning("Reshape", call.given[:1], "reshape")


@reader("expand_dims")
def _unsqueeze(watch: BaseWatch, call: Called) -> Meaning:
    axis = call.get("axis")
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return Meaning("Unsqueeze", call.given, "unsqueeze", {"axes": tuple(int(a) % len(call.output.shape) for a in axes)})


@reader("squeeze")
def _squeeze(watch: BaseWatch, call: Called) -> Meaning:
    axis, shape = call.get("axis"), call.given[0].shape
    axes = [a for a, size in enumerate(shape) if size == 1] if axis is None else axis
    axes = axes if isinstance(axes, list | tuple) else [axes]
    return Meaning("Squeeze", call.given, "squeeze", {"axes": tuple(int(a) % len(shape) for a in axes)})


@reader("transpose", "swapaxes", "moveaxis")
def _transpose(watch: BaseWatch, call: Called) -> Meaning:
    return Meaning("Transpose", call.given[:1], "transpose", {"perm": order_of(call)})


@reader("concatenate")
def _concat(watch: BaseWatch, call: Called) -> Meaning:
    axis = int(call.get("axis", 0)) % len(call.output.shape)
    return Meaning("Concat", call.given, "concat", {"axis": axis})


@reader("stack")
def _stack(watch: BaseWatch, call: Called) -> Meaning | None:
    """Give every part the new axis, then join them."""
    axis = int(call.get("axis", 0)) % len(call.output.shape)
    parts = []
    for value in call.given:
        part = ops.expand_dims(value, axis)
        again = watch.unwatched(lambda v: ops.expand_dims(v, axis))
        more: dict[str, Any] = {"attributes": {"axes": (axis,)}, "layer": call.name, "call": again}
        watch.trace.add(watch.name("Unsqueeze"), "Unsqueeze", [value], part, "unsqueeze", **more)
        parts.append(part)
    again = watch.unwatched(lambda *values: ops.concatenate(values, axis))
    more = {"attributes": {"axis": axis}, "layer": call.name, "call": again}
    watch.trace.add(watch.name("Concat"), "Concat", parts, call.output, "concat", **more)
    return None


@reader("pad")
def _pad(watch: BaseWatch, call: Called) -> Meaning:
    pads = np.asarray(call.get("pad_width"))
    mode, value = str(call.get("mode", "constant")), call.get("constant_values")
    if pads.shape != (call.rank, 2) or mode not in ("constant", "reflect", "symmetric"):
        return Meaning("keras:pad", call.given[:1], "opaque", {"mode": mode})
    more: dict[str, Attribute] = {
        "pads": tuple(int(each) for each in pads.T.ravel()),
        "mode": mode,
        "value": 0.0 if value is None else scalar(value),
    }
    return Meaning("Pad", call.given[:1], "same", more)


@reader("matmul", "dot")
def _product(watch: BaseWatch, call: Called) -> Meaning:
    if len(call.given) != 2 or min(len(each.shape) for each in call.given) < 2:
        return Meaning(f"keras:{call.base}", call.given, "opaque")
    weight = watch.weight(call.given[1])
    if weight is not None and len(call.given[1].shape) == 2:
        return Meaning("Gemm", call.given[:1], "product", {"axis": -1}, {"W": weight.then(Permuted((1, 0)))})
    if call.base == "dot" and len(call.given[1].shape) > 2:
        return Meaning("keras:dot", call.given, "opaque")
    return Meaning("MatMul", call.given, "native")


@reader("take")
def _take(watch: BaseWatch, call: Called) -> Meaning:
    table = call.given[0]
    weight = watch.weight(table)
    if weight is not None and call.get("axis") in (0, None) and len(call.given) == 2 and len(table.shape) == 2:
        return Meaning("Gather", call.given[1:], "opaque", {"axis": 0, "padding_idx": None}, {"W": weight})
    return Meaning("keras:take", call.given, "opaque")


@reader("conv")
def _conv(watch: BaseWatch, call: Called) -> Meaning:
    x, kernel = call.given[:2]
    weight, last = watch.weight(kernel), call.get("data_format") != "channels_first"
    rank = call.rank - 2
    sizes = tuple(int(size) for size in (x.shape[1:-1] if last else x.shape[2:]))
    if weight is None:
        return Meaning("keras:conv", call.given, "opaque")
    strides, dilations = (_each(call.get(name) or 1, rank) for name in ("strides", "dilation_rate"))
    size = tuple(int(each) for each in kernel.shape[:rank])
    more: dict[str, Attribute] = {
        "strides": strides,
        "pads": padding.pads(call.get("padding"), sizes, size, strides, dilations),
        "dilations": dilations,
        "group": int(x.shape[-1 if last else 1]) // int(kernel.shape[-2]),
        "pad_mode": "constant",
    }
    return Meaning("Conv", [x], "spatial", more, {"W": weight.then(kernel_order(rank))}, last)


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return (int(value),) * rank if isinstance(value, int) else tuple(int(each) for each in value)


@reader("getitem")
def _getitem(watch: BaseWatch, call: Called) -> Meaning | None:
    """Add a slice; then remove axes with one index, and insert new ones."""
    x, index = list(call.arguments.values())[:2]
    index = index if isinstance(index, tuple) else (index,)
    if not all(each is None or each is Ellipsis or isinstance(each, int | slice) for each in index):
        return Meaning("keras:getitem", call.given, "opaque")
    shape = tuple(int(size) for size in x.shape)
    n_plain = sum(each is not None and each is not Ellipsis for each in index)
    axis, at, gone, new, n_made = 0, [], [], [], 0
    for each in index:
        if each is Ellipsis:
            axis, n_made = axis + len(shape) - n_plain, n_made + len(shape) - n_plain
        elif each is None:
            new.append(n_made)
            n_made += 1
        elif isinstance(each, int):
            at.append((axis, each % shape[axis], each % shape[axis] + 1, 1))
            gone.append(axis)
            axis += 1
        else:
            start, end, step = each.indices(shape[axis])
            if (start, end, step) != (0, shape[axis], 1):
                at.append((axis, start, end, step))
            axis, n_made = axis + 1, n_made + 1
    if any(step < 0 for *_, step in at):
        return Meaning("keras:getitem", call.given, "opaque")
    return _in_stages(watch, call, x, at, gone, new)


def _in_stages(
    watch: BaseWatch, call: Called, x: Any, at: list[tuple[int, int, int, int]], gone: list[int], new: list[int]
) -> Meaning | None:
    def part(whole: Any) -> Any:
        places: list[Any] = [slice(None)] * len(whole.shape)
        for axis, start, end, step in at:
            places[axis] = slice(start, end, step)
        return whole[tuple(places)]

    stages: list[tuple[str, str, dict[str, Attribute], Any]] = []
    if at:
        axes, starts, ends, steps = (tuple(each) for each in zip(*at, strict=True))
        cut: dict[str, Attribute] = {"axes": axes, "starts": starts, "ends": ends, "steps": steps}
        stages.append(("Slice", "same", cut, part))
    if gone:
        stages.append(("Squeeze", "squeeze", {"axes": tuple(gone)}, lambda v: ops.squeeze(v, tuple(gone))))
    if new:
        stages.append(("Unsqueeze", "unsqueeze", {"axes": tuple(new)}, lambda v: ops.expand_dims(v, tuple(new))))
    if not stages:
        return Meaning("Identity", [x])
    made = x
    for number, (kind, rule, attributes, function) in enumerate(stages, 1):
        step = call.output if number == len(stages) else function(made)
        more: dict[str, Any] = {"attributes": attributes, "layer": call.name, "call": watch.unwatched(function)}
        watch.trace.add(watch.name(kind), kind, [made], step, rule, **more)
        made = step
    return None


@reader("split")
def _split(watch: BaseWatch, call: Called) -> Meaning:
    axis = int(call.get("axis", 0)) % call.rank
    parts = list(call.made)
    start = sum(int(each.shape[axis]) for each in parts[: call.number])
    end = start + int(parts[call.number].shape[axis])
    return Meaning(
        "Slice", call.given[:1], "same", {"axes": (axis,), "starts": (start,), "ends": (end,), "steps": (1,)}
    )
