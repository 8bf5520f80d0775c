"""Operators that move values without computing: shapes, axes, padding, look-ups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import PAD_MODES, NoReference, Operator, Weights, choice, integers, number, padded


def _identity(_node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return inputs[0]


def _value(_node: Node, _inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    return weights["value"]


def _flatten(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    (x,) = inputs
    kept = x.shape[: _integer(node, "axis", 1)]
    return x.reshape(*kept, int(np.prod(x.shape[len(kept) :])))


def _reshape(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return inputs[0].reshape(integers(node, "shape", ()))


def _transpose(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return inputs[0].transpose(integers(node, "perm", range(inputs[0].ndim)[::-1]))


def _squeeze(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return inputs[0].squeeze(integers(node, "axes", ()))


def _unsqueeze(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return np.expand_dims(inputs[0], integers(node, "axes", ()))


def _concat(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    return np.concatenate(inputs, axis=_integer(node, "axis", 1))


def _slice(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    (x,) = inputs
    axes = integers(node, "axes", ())
    starts: Any = node.attributes["starts"]
    ends: Any = node.attributes["ends"]
    steps = integers(node, "steps", (1,) * len(axes))
    places = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        places[axis] = slice(start, end, step)
    return x[tuple(places)]


def _pad(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    mode = choice(node, "mode", "constant", tuple(PAD_MODES))
    return padded(inputs[0], integers(node, "pads", ()), PAD_MODES[mode], number(node, "value", 0.0))


def _depth_to_space(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    (x,) = inputs
    block, rank = _integer(node, "blocksize", 1), x.ndim - 2
    channels = x.shape[1] // block**rank
    if _mode(node) == "DCR":
        y = np.moveaxis(x.reshape(len(x), *(block,) * rank, channels, *x.shape[2:]), 1 + rank, 1)
    else:
        y = x.reshape(len(x), channels, *(block,) * rank, *x.shape[2:])
    # (N, C, block ..., spatial ...): every block's axis goes behind that of its space.
    order = (0, 1, *(axis for each in range(rank) for axis in (2 + rank + each, 2 + each)))
    return y.transpose(order).reshape(len(x), channels, *(size * block for size in x.shape[2:]))


def _space_to_depth(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    (x,) = inputs
    block, rank = _integer(node, "blocksize", 1), x.ndim - 2
    sizes = [size // block for size in x.shape[2:]]
    y = x.reshape(*x.shape[:2], *(each for size in sizes for each in (size, block)))
    blocks, spaces = [3 + 2 * each for each in range(rank)], [2 + 2 * each for each in range(rank)]
    y = y.transpose(0, *((*blocks, 1) if _mode(node) == "DCR" else (1, *blocks)), *spaces)
    return y.reshape(len(x), x.shape[1] * block**rank, *sizes)


def _gather(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Return the entries of the table W (or of the first input) at the places of the last input. `padding_idx` only
    changes gradients."""
    table = weights["W"] if "W" in weights else inputs[0]
    return np.take(table, inputs[-1].astype(np.int64), axis=_integer(node, "axis", 0))


def _cast(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    to = str(node.attributes["to"])
    try:
        return inputs[0].astype(to)
    except TypeError as error:
        raise NoReference(f"{node.name} (Cast): NumPy has no type {to!r}") from error


def _mode(node: Node) -> str:
    return choice(node, "mode", "DCR", ("DCR", "CRD"))


def _integer(node: Node, name: str, default: int) -> int:
    return int(number(node, name, default))


OPERATORS: dict[str, Operator] = {
    "Parameter": _value,
    "Constant": _value,
    "Identity": _identity,
    "Dropout": _identity,  # a recording drops nothing, even in training mode
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Slice": _slice,
    "Pad": _pad,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Gather": _gather,
    "Cast": _cast,
}
