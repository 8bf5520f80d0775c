"""TensorFlow's operations that cut values into parts or join them along a new axis, as canonical steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters.tensorflow_arithmetic import sliced
from compare.adapters.tensorflow_operations import Meaning, ints, reader
from compare.adapters.tensorflow_watch import Operation, Watch


@reader("Split", "SplitV")
def _split(watch: Watch, operation: Operation) -> list[Meaning]:
    place = 1 if operation.kind == "Split" else 0
    axis_place = 0 if operation.kind == "Split" else 2
    value = operation.inputs[place]
    axis = int(operation.constant(axis_place)) % len(value.shape)
    starts = np.cumsum([0, *(int(each.shape[axis]) for each in operation.outputs)])
    made = []
    for number in range(len(operation.outputs)):
        start, end = int(starts[number]), int(starts[number + 1])
        cut = sliced([(axis, start, end, 1)])
        made.append(Meaning(cut.kind, (place,), cut.rule, cut.attributes, output=number))
    return made


@reader("Pack")
def _pack(watch: Watch, operation: Operation) -> list[Meaning]:
    """Give every part the new axis, then join them."""
    rank = len(operation.outputs[0].shape)
    axis = int(operation.attributes["axis"]) % rank
    layer = "tf.raw_ops.Pack"

    def wide(value: Any) -> Any:
        return tf.expand_dims(value, axis)

    parts = []
    for value in operation.inputs:
        with watch.mute():
            part = wide(value)
        name, more = watch.name("Unsqueeze"), {"layer": layer, "call": watch.unwatched(wide)}
        watch.trace.add(name, "Unsqueeze", [value], part, "unsqueeze", attributes={"axes": (axis,)}, **more)
        parts.append(part)
    joined = watch.unwatched(lambda *values: tf.concat(values, axis))
    name, more = watch.name("Concat"), {"layer": layer, "call": joined}
    watch.trace.add(name, "Concat", parts, operation.outputs[0], "concat", attributes={"axis": axis}, **more)
    return []


@reader("Unpack")
def _unpack(watch: Watch, operation: Operation) -> list[Meaning]:
    """Cut every part out, then remove the axis."""
    value = operation.inputs[0]
    axis = int(operation.attributes["axis"]) % len(value.shape)
    layer = "tf.raw_ops.Unpack"
    for number, output in enumerate(operation.outputs):
        cut = sliced([(axis, number, number + 1, 1)])

        def part(whole: Any, number: int = number) -> Any:
            return tf.gather(whole, [number], axis=axis)

        with watch.mute():
            middle = part(value)
        name = watch.name("Slice")
        more: dict[str, Any] = {"attributes": cut.attributes, "layer": layer, "call": watch.unwatched(part)}
        watch.trace.add(name, cut.kind, [value], middle, cut.rule, **more)
        narrow = watch.unwatched(lambda each: tf.squeeze(each, [axis]))
        more = {"attributes": {"axes": (axis,)}, "layer": layer, "call": narrow}
        watch.trace.add(watch.name("Squeeze"), "Squeeze", [middle], output, "squeeze", **more)
    return []


@reader("StridedSlice")
def _strided(watch: Watch, operation: Operation) -> Meaning | list[Meaning] | None:
    """Add a slice; then remove axes with one index, and insert new ones."""
    begins, ends, steps = (ints(operation.constant(place)) for place in (1, 2, 3))
    value = operation.inputs[0]
    shape = tuple(int(size) for size in value.shape)
    masks = {
        name: int(operation.attributes[f"{name}_mask"])
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    n_new = sum(masks["new_axis"] >> place & 1 for place in range(len(begins)))
    axis, gone, new, made_axis = 0, [], [], 0
    kept: list[tuple[int, int, int | None, int]] = []
    for place, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        bit = {name: bool(mask >> place & 1) for name, mask in masks.items()}
        if bit["ellipsis"]:
            n_more = len(shape) - (len(begins) - 1 - n_new)
            axis, made_axis = axis + n_more, made_axis + n_more
            continue
        if bit["new_axis"]:
            new.append(made_axis)
            made_axis += 1
            continue
        if bit["shrink_axis"]:
            index = begin % shape[axis]
            kept.append((axis, index, index + 1, 1))
            gone.append(axis)
        else:
            bounds = slice(None if bit["begin"] else begin, None if bit["end"] else end, step).indices(shape[axis])
            if bounds != (0, shape[axis], 1):  # backwards to the first one, the end cannot be a number
                kept.append((axis, bounds[0], None if bounds[1] < 0 else bounds[1], step))
            made_axis += 1
        axis += 1
    if not gone and not new:
        return sliced(kept)
    return _in_stages(watch, operation, kept, gone, new)


def _in_stages(
    watch: Watch, operation: Operation, kept: list[tuple[int, int, int | None, int]], gone: list[int], new: list[int]
) -> list[Meaning]:
    cut = sliced(kept)

    def part(whole: Any) -> Any:
        at: list[Any] = [slice(None)] * len(whole.shape)
        for axis, start, end, step in kept:
            at[axis] = slice(start, end, step)
        return whole[tuple(at)]

    stages: list[tuple[str, str, Any, Callable[[Any], Any]]] = []
    if kept:
        stages.append((cut.kind, cut.rule, cut.attributes, part))
    if gone:
        stages.append(("Squeeze", "squeeze", {"axes": tuple(gone)}, lambda each: tf.squeeze(each, gone)))
    if new:
        stages.append(("Unsqueeze", "unsqueeze", {"axes": tuple(new)}, lambda each: _with_axes(each, new)))
    made = operation.inputs[0]
    for number, (kind, rule, attributes, call) in enumerate(stages, 1):
        with watch.mute():
            step = operation.outputs[0] if number == len(stages) else call(made)
        more: dict[str, Any] = {"layer": "tf.raw_ops.StridedSlice", "call": watch.unwatched(call)}
        watch.trace.add(watch.name(kind), kind, [made], step, rule, attributes=attributes, **more)
        made = step
    return []


def _with_axes(value: Any, axes: list[int]) -> Any:
    for axis in axes:
        value = tf.expand_dims(value, axis)
    return value
