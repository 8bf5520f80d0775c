"""PyTorch's packed sequences, in canonical terms padded ones with a mask, in the original order of the examples."""

from collections.abc import Sequence
from typing import Any

import torch

from compare.adapters.torch_emitter import Emitter
from compare.adapters.torch_recurrent import SWAP, Packed, swapped


def _index_select(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    """Note the ordering of examples by length before packing, and record its reversal afterwards as an identity."""
    found = dict(zip(("input", "dim", "index"), args, strict=False)) | kwargs
    x, index = found["input"], found["index"]
    if (made := watch.held.get(("sorted", id(x)))) is not None:
        watch.emit("Identity", [made], torch.clone, output=result)
        return True
    if torch.equal(index.sort().values, torch.arange(x.shape[found["dim"]])):
        watch.held["turned", id(result)] = x
        watch.held["order", id(result)] = index
        watch.held["alive", id(result)] = result
    return False


def _pack(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    given, lengths, batch_first = args[:3]
    order = watch.held.get(("order", id(given)))
    x = watch.held.get(("turned", id(given)), given)
    if not watch.known(x):
        return False
    if order is not None:
        lengths = lengths[order.argsort()]
    if not batch_first:
        x = watch.emit("Transpose", [x], swapped, SWAP)
    mask = (torch.arange(x.shape[1])[None] < lengths[:, None]).int()
    watch.held["packed", id(result[0])] = Packed(x, mask, order is not None)
    watch.held["alive", id(result[0])] = result
    return True


def _pad(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    held: Packed | None = watch.held.get(("packed", id(args[0])))
    if held is None or (len(args) > 3 and args[3]):
        return False
    batch_first, padded = args[2], result[0]
    wide = watch.emit("Unsqueeze", [held.mask], lambda m: m.unsqueeze(2), {"axes": (2,)})
    made = watch.emit("Mul", [held.padded, wide], torch.mul)
    length = padded.shape[1 if batch_first else 0]
    if length < made.shape[1]:
        cut = {"axes": (1,), "starts": (0,), "ends": (length,), "steps": (1,)}
        made = watch.emit("Slice", [made], lambda y: y[:, :length], cut)
    if not batch_first:
        made = watch.emit("Transpose", [made], swapped, SWAP)
    if held.sorted:
        watch.held["sorted", id(padded)] = made
        watch.held["alive", id(padded)] = padded
    else:
        watch.emit("Identity", [made], torch.clone, output=padded)
    return True


SEVERAL = {"index_select": _index_select, "_pack_padded_sequence": _pack, "_pad_packed_sequence": _pad}
