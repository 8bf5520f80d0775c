"""Reversible changes of an array's layout: from a framework's weight to a canonical one, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np


class Change(Protocol):
    """One change of an array's layout, and its inverse."""

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return the changed array."""
        ...

    def undo(self, array: np.ndarray) -> np.ndarray:
        """Return the array from which `apply` makes `array`."""
        ...


@dataclass(frozen=True)
class Permuted:
    """The axes in another order, as for np.transpose."""

    order: tuple[int, ...]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return the array with its axes in this order."""
        return array.transpose(self.order)

    def undo(self, array: np.ndarray) -> np.ndarray:
        """Return the array with its axes in the order before."""
        return array.transpose(np.argsort(self.order))


@dataclass(frozen=True)
class Reshaped:
    """The same elements in the same order with another shape."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return the array with the shape `after`."""
        return array.reshape(self.after)

    def undo(self, array: np.ndarray) -> np.ndarray:
        """Return the array with the shape `before`."""
        return array.reshape(self.before)


@dataclass(frozen=True, eq=False)
class Taken:
    """The entries along one axis in another order: entry i of the result is entry `index[i]`."""

    axis: int
    index: np.ndarray

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return the array with its entries in this order."""
        return array.take(self.index, self.axis)

    def undo(self, array: np.ndarray) -> np.ndarray:
        """Return the array with its entries in the order before."""
        return array.take(np.argsort(self.index), self.axis)


def apply(changes: Sequence[Change], array: np.ndarray) -> np.ndarray:
    """Return `array` after all `changes`, in order."""
    for change in changes:
        array = change.apply(array)
    return array


def undo(changes: Sequence[Change], array: np.ndarray) -> np.ndarray:
    """Return the array from which `apply` makes `array`."""
    for change in reversed(changes):
        array = change.undo(array)
    return array


def fill(target: np.ndarray, changes: Sequence[Change], array: np.ndarray) -> None:
    """Write the result of `apply` on `array` into `target`, without a copy if possible."""
    last = changes[-1] if changes else None
    if isinstance(last, Taken) and not any(isinstance(change, Taken) for change in changes[:-1]):
        view = apply(changes[:-1], target)
        if np.may_share_memory(view, target):
            view[(slice(None),) * last.axis + (last.index,)] = array
            return
    target[...] = undo(changes, array)


def channels_outermost(shape: Sequence[int]) -> np.ndarray:
    """Return the order of a flattened example of `shape` (spatial ..., C) that has its channels outermost."""
    order = (len(shape) - 1, *range(len(shape) - 1))
    return np.arange(prod(shape)).reshape(tuple(shape)).transpose(order).ravel()
