"""Shared parts of all operators: their signature, the reading of attributes, padding."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from compare.graphs.node import Node

Weights = Mapping[str, np.ndarray]
Operator = Callable[[Node, Sequence[np.ndarray], Weights], np.ndarray]

PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "edge": "edge"} | {
    "circular": "wrap",
    "wrap": "wrap",
}


class NoReference(Exception):
    """The evaluator does not know this kind of node, or this value of an attribute; the message names it."""


def integers(node: Node, name: str, default: Sequence[int]) -> tuple[int, ...]:
    """Return the attribute `name` as integers; `default` if the node has none."""
    value: Any = node.attributes.get(name)
    return tuple(int(each) for each in (default if value is None else value))


def number(node: Node, name: str, default: float) -> float:
    """Return the attribute `name` as a Python number, which keeps an array's type."""
    value: Any = node.attributes.get(name)
    return default if value is None else float(value)


def choice(node: Node, name: str, default: str, choices: Sequence[str]) -> str:
    """Return the attribute `name`, one of `choices`. Raises NoReference for another value."""
    value = str(node.attributes.get(name, default))
    if value not in choices:
        raise NoReference(f"{node.name} ({node.kind}): {name}={value!r} is not one of {', '.join(choices)}")
    return value


def along(vector: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Reshape `vector` (size) to broadcast along `axis` of an array with `rank` axes."""
    shape = [1] * rank
    shape[axis] = -1
    return vector.reshape(shape)


def padded(x: np.ndarray, pads: Sequence[int], mode: str = "constant", value: float = 0.0) -> np.ndarray:
    """Return `x` with its last axes padded by `pads` (all begins, then all ends); a negative one cuts off.

    `mode` is one of NumPy's ("constant", "reflect", "edge", "wrap"); `value` is the constant.
    """
    if not any(pads):
        return x
    rank = len(pads) // 2
    sides = [(0, 0)] * (x.ndim - rank) + list(zip(pads[:rank], pads[rank:], strict=True))
    cut = tuple(slice(max(-begin, 0), size - max(-end, 0)) for size, (begin, end) in zip(x.shape, sides, strict=True))
    x = x[cut]
    widths = [(max(begin, 0), max(end, 0)) for begin, end in sides]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    return np.pad(x, widths, mode=mode)  # type: ignore[call-overload, no-any-return]
