"""PyTorch's LSTM, GRU and RNN as canonical nodes: one for each layer and direction (docs/port.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from compare.adapters.torch_call import Held
from compare.adapters.torch_emitter import Emitter
from compare.graphs.node import Attribute

# The gates of PyTorch's rows in ONNX's order.
ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
ACTIVATIONS = {"lstm": ("Sigmoid", "Tanh", "Tanh"), "gru": ("Sigmoid", "Tanh")}
ACTIVATIONS |= {"rnn_tanh": ("Tanh",), "rnn_relu": ("Relu",)}
Gates = tuple[int, ...]
SWAP: dict[str, Attribute] = {"perm": (1, 0, 2)}


def in_order(array: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Return the rows of an array with one block per gate, with the gates in another order."""
    return np.concatenate([np.split(array, len(order))[gate] for gate in order])


def rows(tensor: torch.Tensor, order: Gates) -> Held:
    """Return a matrix with its gates in ONNX's order."""
    back = tuple(int(place) for place in np.argsort(order))
    return Held((tensor,), lambda arrays: in_order(arrays[0], order), lambda array, _arrays: (in_order(array, back),))


def summed(first: torch.Tensor, second: torch.Tensor, order: Gates, kept: int) -> Held:
    """Return the sum of both biases; for the last `kept` gates the first one alone. New values go to the first."""
    back = tuple(int(place) for place in np.argsort(order))
    size = first.shape[0] // len(order)
    n = first.shape[0] - kept * size

    def read(arrays: Sequence[np.ndarray]) -> np.ndarray:
        a, b = (in_order(array, order) for array in arrays)
        return np.concatenate([a[:n] + b[:n], a[n:]])

    def write(array: np.ndarray, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        second = in_order(arrays[1], order)
        return in_order(array, back), in_order(np.concatenate([0 * second[:n], second[n:]]), back)

    def shares(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return in_order(array, back), in_order(np.concatenate([array[:n], 0 * array[n:]]), back)

    return Held((first, second), read, write, shares)


def last_rows(tensor: torch.Tensor, size: int) -> Held:
    """Return the recurrent bias of a GRU's last gate."""
    return Held(
        (tensor,),
        lambda arrays: arrays[0][-size:],
        lambda array, arrays: (np.concatenate([arrays[0][:-size], array]),),
    )


def _weights(kind: str, tensors: Sequence[torch.Tensor], biases: bool) -> dict[str, Any]:
    order = ORDERS[kind]
    found: dict[str, Any] = {"W": rows(tensors[0], order), "R": rows(tensors[1], order)}
    if biases:
        found["B"] = summed(tensors[2], tensors[3], order, int(kind == "GRU"))
        if kind == "GRU":
            found["RB"] = last_rows(tensors[3], tensors[1].shape[1])
    return found


def not_dropping(name: str, args: Sequence[Any]) -> Sequence[Any]:
    """Return the arguments of a call without dropout between the layers."""
    if name not in ACTIVATIONS or len(args) < 9:
        return args
    place = next(k for k in range(2, 5) if isinstance(args[k], list | tuple) and isinstance(args[k + 1], bool)) + 3
    return (*args[:place], 0.0, *args[place + 1 :])


@dataclass(frozen=True)
class Packed:
    """Sequences of several lengths: the padded tensor (N, T, F) and its mask (N, T), in the original order of the
    examples. `sorted` says whether PyTorch has them in another order."""

    padded: torch.Tensor
    mask: torch.Tensor
    sorted: bool


def _recurrent(name: str, watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    kind = {"lstm": "LSTM", "gru": "GRU"}.get(name, "RNN")
    packed = isinstance(args[1], torch.Tensor) if kind == "LSTM" else isinstance(args[2], torch.Tensor)
    held: Packed | None = watch.held.get(("packed", id(args[0]))) if packed else None
    if packed and held is None:
        return False
    batch_first = True if packed else args[8]
    x, first, tensors, biases, n_layers, dropout, _, both = (args[0], *args[2:9]) if packed else args[:8]
    x = held.padded if held else x
    n_ways, each = 2 if both else 1, 4 if biases else 2
    if len(tensors) != n_layers * n_ways * each or not watch.owned(tensors) or not watch.known(x):
        return False
    states = [watch.held.get(("turned", id(state)), state) for state in (first if kind == "LSTM" else [first])]
    given = any(watch.known(state) or watch.owned([state]) or bool(state.any()) for state in states)
    if not batch_first:
        x = watch.emit("Transpose", [x], swapped, SWAP)
    lasts, cells = [], []
    for layer in range(n_layers):
        if layer and dropout:
            x = watch.emit("Dropout", [x], torch.clone, {"ratio": float(dropout), "active": watch.training})
        ways = []
        for way in range(n_ways):
            place = layer * n_ways + way
            own = tensors[place * each : (place + 1) * each]
            more = [held.mask] if held else []
            more += [_first_of(watch, state, place) for state in states] if given else []
            attributes: dict[str, Attribute] = {
                "direction": "reverse" if way else "forward",
                "activations": ACTIVATIONS[name],
                "takes": (("mask",) if held else ()) + (("h", "c")[: len(states)] if given else ()),
                **({"linear_before_reset": 1} if kind == "GRU" else {}),
            }
            path = watch.at if n_layers * n_ways == 1 else f"{watch.at}.l{layer}{'_reverse' if way else ''}"
            path = path.removeprefix(".")
            call = partial(_one, name, own, biases, bool(way), held is not None, 0)
            weights = _weights(kind, own, biases)
            ways.append(watch.emit(kind, [x, *more], call, attributes, weights, path))
            at = 0 if way else x.shape[1] - 1
            cut: dict[str, Attribute] = {"axes": (1,), "starts": (at,), "ends": (at + 1,), "steps": (1,)}
            lasts.append(watch.emit("Slice", [ways[-1]], partial(_cut, at), cut, path=f"{path}:h"))
            if kind == "LSTM":
                call = partial(_one, name, own, biases, bool(way), held is not None, 1)
                inner = watch.emit(kind, [x, *more], call, {**attributes, "output": "C"}, weights, f"{path}:c")
                cells.append(watch.emit("Unsqueeze", [inner], partial(torch.unsqueeze, dim=1), {"axes": (1,)}))
        x = ways[0] if n_ways == 1 else watch.emit("Concat", ways, _joined(2), {"axis": 2})
    if held:
        watch.held["packed", id(result[0])] = Packed(x, held.mask, held.sorted)
        watch.held["alive", id(result[0])] = result
    elif batch_first:
        watch.emit("Identity", [x], torch.clone, output=result[0])
    else:
        watch.emit("Transpose", [x], swapped, SWAP, output=result[0])
    for parts, output in zip((lasts, cells) if kind == "LSTM" else (lasts,), result[1:], strict=True):
        whole = parts[0] if len(parts) == 1 else watch.emit("Concat", parts, _joined(1), {"axis": 1})
        unsorted = held is None or not held.sorted
        made = watch.emit("Transpose", [whole], swapped, SWAP, output=output if unsorted else None)
        if not unsorted:
            watch.held["sorted", id(output)] = made
    return True


def _first_of(watch: Emitter, state: torch.Tensor, place: int) -> torch.Tensor:
    """Return the first state of one layer and direction, (N, H), from all of them, (layers * directions, N, H)."""
    cut: dict[str, Attribute] = {"axes": (0,), "starts": (place,), "ends": (place + 1,), "steps": (1,)}
    one = watch.emit("Slice", [state], lambda y: y[place : place + 1], cut)
    return watch.emit("Squeeze", [one], lambda y: y.squeeze(0), {"axes": (0,)})


def _one(
    name: str,
    tensors: Sequence[torch.Tensor],
    biases: bool,
    reverse: bool,
    masked: bool,
    part: int,
    x: torch.Tensor,
    *more: torch.Tensor,
) -> torch.Tensor:
    """Run one layer in one direction in PyTorch: the output of every step, or the last state of an LSTM's cells."""
    if masked:
        lengths = more[0].sum(1).tolist()
        alone = [
            _one(name, tensors, biases, reverse, False, part, x[n : n + 1, :length], *(s[n : n + 1] for s in more[1:]))
            for n, length in enumerate(lengths)
        ]
        return torch.cat(alone if part else [_carried(y, x.shape[1], reverse) for y in alone])
    size = tensors[1].shape[1]
    first = [state[None] for state in more] or [x.new_zeros(1, len(x), size)] * (2 if name == "lstm" else 1)
    hx: Any = tuple(first) if name == "lstm" else first[0]
    function: Callable[..., Any] = getattr(torch, name)
    found = function(x.flip(1) if reverse else x, hx, list(tensors), biases, 1, 0.0, False, False, True)
    if part:
        return found[2][0]  # type: ignore[no-any-return]
    return found[0].flip(1) if reverse else found[0]  # type: ignore[no-any-return]


def _carried(y: torch.Tensor, length: int, reverse: bool) -> torch.Tensor:
    """Fill the steps after a sequence's end: with the last state forwards, with the first one backwards."""
    n = length - y.shape[1]
    return torch.cat([y, y.new_zeros(1, n, y.shape[2]) if reverse else y[:, -1:].expand(1, n, -1)], 1)


def swapped(y: torch.Tensor) -> torch.Tensor:
    return y.transpose(0, 1)


def _cut(at: int, y: torch.Tensor) -> torch.Tensor:
    return y[:, at : at + 1]


def _joined(axis: int) -> Callable[..., torch.Tensor]:
    return lambda *parts: torch.cat(parts, axis)


SEVERAL = {name: partial(_recurrent, name) for name in ACTIVATIONS}
