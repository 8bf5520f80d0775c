"""Convert weights of an ONNX file to canonical layout, and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.adapters.onnx_files.reading import Change, Reading, Source, View, unchanged

Translator = Callable[[Reading, Any, dict[str, Any]], None]
Weights = dict[str, tuple[np.ndarray, Source | None]]


def name_of(proto: Any) -> str:
    """Return a node's name; that of its first output if it has none."""
    return str(proto.name or proto.output[0])


def weight(
    reading: Reading, proto: Any, place: int, forward: Change = unchanged, backward: Change = unchanged
) -> tuple[np.ndarray, Source] | None:
    """Return the constant input number `place`, in canonical layout, with its source; None if there is none."""
    value = reading.known(proto, place)
    if value is None:
        return None
    return forward(value), Source(proto.input[place], forward, backward)


def weights_of(**found: tuple[np.ndarray, Source] | None) -> Weights:
    """Return the weights that exist, by role."""
    return {role: each for role, each in found.items() if each is not None}


def in_order(x: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return `x`, given in the file's order of columns, in the canonical one."""
    y = np.empty_like(x)
    y[..., order] = x
    return y


def out_of_order(x: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return `x`, given in the canonical order of columns, in the file's."""
    return x[..., order]


def then(first: Change, second: Change) -> Change:
    """Return the composition of two changes."""
    return lambda x: second(first(x))


def in_canonical_order(x: np.ndarray, view: View) -> tuple[Change, Change]:
    """Return how a constant that broadcasts against a value gets the layout of its canonical node, and the reverse."""
    rank, shape = len(view.perm), x.shape
    wide = (1,) * (rank - x.ndim) + shape
    back = np.argsort(view.perm)
    turned = tuple(wide[axis] for axis in back)
    order = view.columns if view.columns is not None and wide[-1] > 1 else None

    def forward(y: np.ndarray) -> np.ndarray:
        y = y.reshape(wide).transpose(back)
        y = y if order is None else in_order(y, order)
        return y.reshape(shape) if view.plain or order is not None else y

    def backward(y: np.ndarray) -> np.ndarray:
        y = y.reshape(turned)
        return (y if order is None else out_of_order(y, order)).transpose(view.perm).reshape(shape)

    return forward, backward
