"""Relate one side's examples to the other's: equal after one factor and offset, of all values, a channel or a feature.

Examples may come in another order. They are matched first, by values that no factor or offset changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ROUNDING = 2e-5  # relative to the largest value: data are kept in float32, and partly computed there
MOST_MATCHED = 2048  # examples
LEAST_ALIKE = 0.3  # correlation of examples that are equal apart from a change of each


@dataclass(frozen=True)
class Scaling:
    """`factor` and `offset` turn the left's values into the right's. Each is one number, or one along axis 1 for every
    channel or feature."""

    factor: np.ndarray
    offset: np.ndarray

    @property
    def nothing(self) -> bool:
        """Whether it changes nothing beyond rounding."""
        far = np.abs(self.offset).max() / max(float(np.abs(self.factor).max()), 1e-300)
        return bool(np.allclose(self.factor, 1, rtol=0, atol=1e-6) and far < 1e-6)

    def undone(self, right: np.ndarray) -> np.ndarray:
        """Return the right's values in the scale of the left."""
        made: np.ndarray = (right - self._shaped(self.offset, right)) / self._shaped(self.factor, right)
        return made

    def of(self, left: np.ndarray) -> np.ndarray:
        """Return the left's values in the scale of the right."""
        made: np.ndarray = left * self._shaped(self.factor, left) + self._shaped(self.offset, left)
        return made

    @staticmethod
    def _shaped(values: np.ndarray, like: np.ndarray) -> np.ndarray:
        return values if values.size == 1 else values.reshape(1, -1, *[1] * (like.ndim - 2))


@dataclass(frozen=True)
class Matched:
    """Examples of both sides: their places on the left and on the right, and the scaling between them."""

    left: np.ndarray
    right: np.ndarray
    scaling: Scaling


def matched(left: np.ndarray, right: np.ndarray) -> Matched | None:
    """Match the examples that both have, (N, ...) and (M, ...) in canonical layout. Return None if there are too few to
    decide, or if no factor and offset makes them equal."""
    if left.shape[1:] != right.shape[1:]:
        return None
    left, right = left[:MOST_MATCHED], right[:MOST_MATCHED]
    if left.dtype.kind != "f" or right.dtype.kind != "f":
        return _whole_numbers(left, right)
    for places_l, places_r in _guesses(left, right):
        if len(places_l) < 2:
            continue
        scaling = _fit(left[places_l], right[places_r])
        if scaling is not None:
            return Matched(*_all(left, scaling.undone(right)), scaling)
    return None


def _whole_numbers(left: np.ndarray, right: np.ndarray) -> Matched | None:
    """Match examples of integers, which are equal or not."""
    places = _all(left.astype(np.float64), right.astype(np.float64))
    return Matched(*places, Scaling(np.ones(1), np.zeros(1))) if len(places[0]) else None


def _guesses(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield places of examples that may be equal, the simplest guess first."""
    n = min(len(left), len(right))
    yield np.arange(n), np.arange(n)
    if left[0].size > 2:
        yield _nearest(_standard(left), _standard(right))
    if left.ndim == 2:  # if features have a scale each, compare ranks among equally many examples
        yield _nearest(_ranks(left[:n]), _ranks(right[:n]))


def _standard(values: np.ndarray) -> np.ndarray:
    """Return every channel of every example, or every vector, with mean 0; each example has length 1."""
    parts = values.reshape(len(values), 1 if values.ndim == 2 else values.shape[1], -1)
    spread = parts.std(-1, keepdims=True)
    flat: np.ndarray = ((parts - parts.mean(-1, keepdims=True)) / np.maximum(spread, 1e-12)).reshape(len(values), -1)
    return _unit(flat)


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = values.argsort(0).argsort(0).astype(np.float64)
    ranks -= ranks.mean(0)
    return _unit(ranks)


def _unit(rows: np.ndarray) -> np.ndarray:
    made: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return made


def _nearest(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows of length 1 that are each other's nearest, and almost equal."""
    alike = left @ right.T
    best = alike.argmax(1)
    rows = np.arange(len(left))
    good = (alike.argmax(0)[best] == rows) & (alike[rows, best] > 1 - 1e-4)
    return rows[good], best[good]


def _fit(left: np.ndarray, right: np.ndarray) -> Scaling | None:
    """Return one factor and offset, or else one per part along axis 1; None if neither makes the values equal."""
    for axes in (None, tuple(axis for axis in range(left.ndim) if axis != 1)):
        a, b = left.mean(axes), right.mean(axes)
        spread = left.std(axes)
        shape = (1, -1, *[1] * (left.ndim - 2)) if axes is not None else (1,) * left.ndim
        both = ((left - a.reshape(shape)) * (right - b.reshape(shape))).mean(axes)
        with np.errstate(all="ignore"):
            factor = np.where(spread > 1e-12, both / spread**2, 1.0)
        if not np.all(np.abs(factor) > 1e-12):
            continue
        scaling = Scaling(np.atleast_1d(factor), np.atleast_1d(b - factor * a))
        if np.abs(scaling.of(left) - right).max() <= ROUNDING * max(float(np.abs(right).max()), 1e-300):
            return scaling
    return None


def _all(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of left examples and of the right examples equal to them. Each right example gets the first
    equal left one that is not taken yet."""
    rows_l, rows_r = left.reshape(len(left), -1), right.reshape(len(right), -1)
    most = max(float(np.abs(rows_l).max(initial=0)), 1e-300)
    keys = (rows_l @ _direction(rows_l.shape[1])) / most
    others = (rows_r @ _direction(rows_l.shape[1])) / most
    taken: set[int] = set()
    found: list[tuple[int, int]] = []
    for place, other in enumerate(others):
        near = np.flatnonzero(np.abs(keys - other) <= 10 * ROUNDING)
        for one in map(int, near):
            if one not in taken and np.abs(rows_l[one] - rows_r[place]).max() <= 4 * ROUNDING * most:
                taken.add(one)
                found.append((one, place))
                break
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _direction(n: int) -> np.ndarray:
    made = np.cos(np.arange(n) * 1.7 + 0.3)
    unit: np.ndarray = made / np.abs(made).sum()
    return unit


def alike_in_place(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether the examples at the same places resemble each other without being equal."""
    n = min(len(left), len(right))
    if left.shape[1:] != right.shape[1:] or not n:
        return False
    alike = (_standard(left[:n].astype(np.float64)) * _standard(right[:n].astype(np.float64))).sum(1)
    return bool(np.median(alike) > LEAST_ALIKE)
