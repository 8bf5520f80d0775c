"""PyTorch's functions that are several canonical nodes each (docs/port.md), and the names of these."""

from collections.abc import Callable, Sequence
from typing import Any

from compare.adapters import torch_attention, torch_packed, torch_recurrent
from compare.adapters.torch_emitter import Emitter

# Takes the watch, the arguments and the result; returns False if it cannot be written in this way.
Several = Callable[[Emitter, Sequence[Any], dict[str, Any], Any], bool]


def _getitem(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    """Record a slice, then a squeeze for single numbers and an unsqueeze for None."""
    x, index = args[0], args[1] if isinstance(args[1], tuple) else (args[1],)
    kinds = {type(each) for each in index}
    if not (watch.known(x) or watch.owned([x])) or not kinds <= {int, slice, type(None), type(Ellipsis)}:
        return False
    if not kinds & {int, type(None)}:
        return False  # only a slice
    if Ellipsis in index:
        at, n = index.index(Ellipsis), sum(each is not None for each in index)
        index = (*index[:at], *[slice(None)] * (x.ndim - n + 1), *index[at + 1 :])
    of_axes = [each for each in index if each is not None]
    cut = [
        (axis, *slice(each % size, each % size + 1).indices(size))
        if isinstance(each, int)
        else (axis, *each.indices(size))
        for axis, (each, size) in enumerate(zip(of_axes, x.shape, strict=False))
        if each != slice(None)
    ]
    gone = tuple(axis for axis, each in enumerate(of_axes) if isinstance(each, int))
    kept = [each for each in index if not isinstance(each, int)]
    new = tuple(place for place, each in enumerate(kept) if each is None)
    steps: list[tuple[str, dict[str, Any], Callable[[Any], Any]]] = []
    if cut:
        axes, starts, ends, strides = (tuple(column) for column in zip(*cut, strict=True))
        places = [slice(None)] * x.ndim
        for axis, start, end, stride in cut:
            places[axis] = slice(start, end, stride)
        attributes = {"axes": axes, "starts": starts, "ends": ends, "steps": strides}
        steps.append(("Slice", attributes, lambda y: y[tuple(places)]))
    if gone:
        steps.append(("Squeeze", {"axes": gone}, lambda y: y.squeeze(gone)))
    if new:
        steps.append(("Unsqueeze", {"axes": new}, lambda y: _unsqueezed(y, new)))
    for number, (kind, attributes, call) in enumerate(steps, 1):
        x = watch.emit(kind, [x], call, attributes, output=result if number == len(steps) else None)
    return True


def _unsqueezed(y: Any, axes: Sequence[int]) -> Any:
    for axis in axes:
        y = y.unsqueeze(axis)
    return y


def _select(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    found = dict(zip(("input", "dim", "index"), args, strict=False)) | kwargs
    if not isinstance(found.get("dim"), int) or not isinstance(found.get("index"), int):
        return False
    index = [slice(None)] * (found["dim"] % args[0].ndim) + [found["index"]]
    return _getitem(watch, (args[0], tuple(index)), {}, result)


def _unbind(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    found = dict(zip(("input", "dim"), args, strict=False)) | kwargs
    whole = [slice(None)] * (found.get("dim", 0) % args[0].ndim)
    return all(_getitem(watch, (args[0], (*whole, place)), {}, part) for place, part in enumerate(result))


SEVERAL: dict[str, Several] = {
    "getitem": _getitem,
    "select": _select,
    "unbind": _unbind,
    **torch_recurrent.SEVERAL,
    **torch_attention.SEVERAL,
    **torch_packed.SEVERAL,
}


def not_dropping(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return the arguments of a call without dropout within it."""
    return torch_attention.not_dropping(name, torch_recurrent.not_dropping(name, args), kwargs)
