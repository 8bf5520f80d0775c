"""Shapes, axes and resizing of an ONNX file as canonical nodes."""

from math import prod
from typing import Any

import numpy as np

from compare.adapters.onnx_files.orders import Translator, name_of
from compare.adapters.onnx_files.reading import Reading, Unknown, View, decimal
from compare.adapters.onnx_files.values import without

Attributes = dict[str, Any]


def flatten(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Flatten: two axes, the first joined from those before `axis`."""
    shape = reading.shape(proto.input[0])
    axis = attrs.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    _reshaped(reading, proto, (prod(shape[:axis]), prod(shape[axis:])))


def reshape(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Reshape to known sizes; 0 keeps that of the input, unless the node says otherwise."""
    given = reading.known(proto, 1)
    wanted = [int(each) for each in (attrs.get("shape", ()) if given is None else given)]
    shape = reading.shape(proto.input[0])
    if not attrs.get("allowzero"):
        wanted = [shape[place] if each == 0 and place < len(shape) else each for place, each in enumerate(wanted)]
    if -1 in wanted:
        rest = prod(each for each in wanted if each != -1)
        wanted[wanted.index(-1)] = prod(shape) // rest if rest else 0
    _reshaped(reading, proto, tuple(wanted))


def _reshaped(reading: Reading, proto: Any, wanted: tuple[int, ...]) -> None:
    """Add a reshape. Flattening keeps the canonical order, and the value gets an order of columns instead."""
    value, name = proto.input[0], name_of(proto)
    view, shape = reading.views[value], reading.shape(value)
    if wanted == shape:
        reading.views[proto.output[0]] = view
        return
    if wanted == (shape[0], prod(shape[1:])) and view.perm[0] == 0 and view.columns is None:
        lengths = reading.values[view.name].shape[1:]
        node = reading.emit(name, "Flatten", (view.name,), {"axis": 1}, layer=proto.op_type)
        order = np.arange(prod(lengths)).reshape(lengths).transpose([axis - 1 for axis in view.perm[1:]]).ravel()
        reading.define(proto.output[0], node, (0, 1), None if np.array_equal(order, np.arange(len(order))) else order)
        return
    if reading.last and len(wanted) > 3 and max(wanted[1:-1]) == 1 and wanted[0] == shape[0] and view.plain:
        # One value per channel, with channels last: (N, 1, 1, C) is (N, C, 1, 1) in canonical layout.
        own = {"shape": (-1, wanted[-1], *wanted[1:-1])}
        node = reading.emit(name, "Reshape", (view.name,), own, layer=proto.op_type)
        reading.define(proto.output[0], node, (0, *range(2, len(wanted)), 1))
        return
    x = reading.plain(value)
    kept = next((n for n in range(1, len(shape)) if wanted == (*shape[:n], prod(shape[n:]))), 0)
    if kept and len(shape) - kept > 1:
        node = reading.emit(name, "Flatten", (x,), {"axis": kept}, layer=proto.op_type)
    else:
        own = {"shape": (-1, *wanted[1:]) if wanted[:1] == shape[:1] else wanted}
        node = reading.emit(name, "Reshape", (x,), own, layer=proto.op_type)
    reading.define(proto.output[0], node)


def transpose(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Transpose: not a node, but another permutation of the value."""
    value = proto.input[0]
    if reading.views[value].columns is not None:
        reading.plain(value)
    view = reading.views[value]
    perm = attrs.get("perm", range(len(view.perm))[::-1])
    reading.define(proto.output[0], view.name, [view.perm[axis] for axis in perm])


def squeeze(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Squeeze these axes, or all of size 1."""
    given = reading.known(proto, 1)
    axes = attrs.get("axes") if given is None else given.tolist()
    shape = reading.shape(proto.input[0])
    taken = [axis % len(shape) for axis in axes] if axes else [n for n, size in enumerate(shape) if size == 1]
    if reading.views[proto.input[0]].columns is not None:
        reading.plain(proto.input[0])
    view = reading.views[proto.input[0]]
    own = {"axes": tuple(sorted(view.perm[axis] for axis in taken))}
    node = reading.emit(name_of(proto), "Squeeze", (view.name,), own, layer=proto.op_type)
    reading.define(proto.output[0], node, without(view.perm, taken))


def unsqueeze(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Unsqueeze: axes count in the result."""
    given = reading.known(proto, 1)
    axes: list[int] = attrs["axes"] if given is None else given.tolist()
    x = reading.plain(proto.input[0])
    rank = reading.values[x].ndim + len(axes)
    own = {"axes": tuple(sorted(axis % rank for axis in axes))}
    reading.define(proto.output[0], reading.emit(name_of(proto), "Unsqueeze", (x,), own, layer=proto.op_type))


def concat(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Concat, in the layout of all its inputs if they have one."""
    moving = [reading.views[each] for each in proto.input if each not in reading.constants]
    axis = attrs["axis"] % len(moving[0].perm)
    if len(moving) < len(proto.input) or any(view.perm != moving[0].perm for view in moving):
        moving = [_in_plain(reading, each) for each in proto.input]
    if any(view.columns is not None for view in moving) and axis != 1:
        moving = [_in_plain(reading, each) for each in proto.input]
    own = {"axis": moving[0].perm[axis]}
    node = reading.emit(name_of(proto), "Concat", [view.name for view in moving], own, layer=proto.op_type)
    columns = None
    if any(view.columns is not None for view in moving):
        widths = [reading.values[view.name].shape[1] for view in moving]
        starts = np.cumsum([0, *widths[:-1]])
        orders = [
            np.arange(n) if view.columns is None else view.columns for n, view in zip(widths, moving, strict=True)
        ]
        columns = np.concatenate([order + start for order, start in zip(orders, starts, strict=True)])
    reading.define(proto.output[0], node, moving[0].perm, columns)


def _in_plain(reading: Reading, value: str) -> View:
    reading.plain(value)
    return reading.views[value]


def cut(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Slice: its places are attributes until opset 10, inputs since."""
    given = [reading.known(proto, place) for place in range(1, 5)]
    starts, ends, axes, steps = ([] if each is None else each.tolist() for each in given)
    starts, ends = attrs.get("starts", starts), attrs.get("ends", ends)
    axes = attrs.get("axes", axes) or list(range(len(starts)))
    _cut(reading, proto, name_of(proto), proto.output[0], axes, starts, ends, steps or [1] * len(axes))


def _cut(reading: Reading, proto: Any, name: str, output: str, axes: Any, starts: Any, ends: Any, steps: Any) -> None:
    if reading.views[proto.input[0]].columns is not None:
        reading.plain(proto.input[0])
    view = reading.views[proto.input[0]]
    limit = 2**31 - 1
    places = [[max(-limit, min(limit, int(each))) for each in some] for some in (starts, ends)]
    own = {"axes": tuple(view.perm[axis] for axis in axes), "starts": tuple(places[0]), "ends": tuple(places[1])}
    own["steps"] = tuple(int(step) for step in steps)
    reading.define(output, reading.emit(name, "Slice", (view.name,), own, layer=proto.op_type), view.perm)


def split(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Split: a Slice for each output."""
    given = reading.known(proto, 1)
    shape = reading.shape(proto.input[0])
    axis = attrs.get("axis", 0) % len(shape)
    sizes: Any = attrs.get("split") if given is None else given.tolist()
    if not sizes:
        each = -(-shape[axis] // len(proto.output))
        sizes = [each] * len(proto.output)
    start = 0
    for number, (size, output) in enumerate(zip(sizes, proto.output, strict=True)):
        end = min(start + size, shape[axis])
        name = name_of(proto) if not number else f"{name_of(proto)}:{number + 1}"
        if output:
            _cut(reading, proto, name, output, [axis], [start], [end], [1])
        start = end


def pad(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Pad: its amounts are an attribute until opset 11, inputs since."""
    given, constant, axes = (reading.known(proto, place) for place in (1, 2, 3))
    stated: Any = attrs.get("pads", attrs.get("paddings", ())) if given is None else given
    amounts = [int(each) for each in stated]
    if reading.views[proto.input[0]].columns is not None:
        reading.plain(proto.input[0])
    view = reading.views[proto.input[0]]
    rank = len(view.perm)
    places = range(rank) if axes is None else [int(axis) % rank for axis in axes]
    pads = [0] * 2 * rank
    for number, axis in enumerate(places):
        pads[view.perm[axis]], pads[rank + view.perm[axis]] = amounts[number], amounts[number + len(places)]
    value = attrs.get("value", 0.0) if constant is None else decimal(constant.item())
    own = {"pads": tuple(pads), "mode": attrs.get("mode", "constant"), "value": value}
    reading.define(proto.output[0], reading.emit(name_of(proto), "Pad", (view.name,), own, layer="Pad"), view.perm)


def resize(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """Resize, and Upsample, which it was called before opset 10."""
    old = proto.op_type == "Upsample" or reading.opset < 11
    scales = reading.known(proto, 1 if old else 2)
    sizes = None if old else reading.known(proto, 3)
    x = reading.plain(proto.input[0])
    lengths = reading.values[x].shape
    factors = [float(each) for each in (attrs.get("scales", ()) if scales is None else scales)]
    axes = [axis % len(lengths) for axis in attrs.get("axes", range(len(lengths)))]
    result, ratios = list(lengths), [1.0] * len(lengths)
    for number, axis in enumerate(axes):
        if sizes is not None and sizes.size:
            result[axis] = int(sizes[number])
            ratios[axis] = result[axis] / lengths[axis]
        else:
            ratios[axis] = factors[number]
            result[axis] = int(np.floor(lengths[axis] * factors[number]))
    if result[:2] != list(lengths[:2]) or attrs.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unknown
    mode = {"bilinear": "linear"}.get(attrs.get("mode", "nearest"), attrs.get("mode", "nearest"))
    coordinates = "asymmetric" if old else attrs.get("coordinate_transformation_mode", "half_pixel")
    if coordinates in {"half_pixel_symmetric", "tf_crop_and_resize"}:
        raise Unknown
    own: Attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, "sizes": tuple(result[2:])}
    own["nearest_mode"] = "floor" if old else attrs.get("nearest_mode", "round_prefer_floor")
    own["cubic_coeff_a"] = attrs.get("cubic_coeff_a", -0.75)
    own["antialias"] = bool(attrs.get("antialias", 0))
    if bool(attrs.get("exclude_outside", 0)) != own["antialias"]:
        own["exclude_outside"] = bool(attrs.get("exclude_outside", 0))
    if any(abs(r * n - new) > 1e-6 * new for r, n, new in zip(ratios, lengths, result, strict=True)):
        own["scales"] = tuple(ratios[2:])
    reading.define(proto.output[0], reading.emit(name_of(proto), "Resize", (x,), own, layer=proto.op_type))


def blocks(reading: Reading, proto: Any, attrs: Attributes) -> None:
    """DepthToSpace and SpaceToDepth."""
    x = reading.plain(proto.input[0])
    own = {"blocksize": attrs["blocksize"], "mode": attrs.get("mode", "DCR")}
    reading.define(proto.output[0], reading.emit(name_of(proto), proto.op_type, (x,), own, layer=proto.op_type))


SHAPES: dict[str, Translator] = {
    "Flatten": flatten,
    "Reshape": reshape,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Concat": concat,
    "Slice": cut,
    "Split": split,
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "DepthToSpace": blocks,
    "SpaceToDepth": blocks,
}
