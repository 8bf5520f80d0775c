"""What one side's examples are of the other's: the same after one factor and offset, of all, a channel or a feature.

Examples may come in another order, so they are first matched by what no factor and offset changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ROUNDING = 2e-5  # of the largest value: data are kept in float32, some computed there
MOST_MATCHED = 2048  # examples
LEAST_ALIKE = 0.3  # correlation of examples that are the same but for what was done to each


@dataclass(frozen=True)
class Scaling:
    """`factor` and `offset` that make the right's values of the left's, one each or by axis 1: of a channel or a
    feature."""

    factor: np.ndarray
    offset: np.ndarray

    @property
    def nothing(self) -> bool:
        """Whether it changes nothing but rounding."""
        far = np.abs(self.offset).max() / max(float(np.abs(self.factor).max()), 1e-300)
        return bool(np.allclose(self.factor, 1, rtol=0, atol=1e-6) and far < 1e-6)

    def undone(self, right: np.ndarray) -> np.ndarray:
        """The right's values as the left has them."""
        made: np.ndarray = (right - self._shaped(self.offset, right)) / self._shaped(self.factor, right)
        return made

    def of(self, left: np.ndarray) -> np.ndarray:
        """The left's values as the right has them."""
        made: np.ndarray = left * self._shaped(self.factor, left) + self._shaped(self.offset, left)
        return made

    @staticmethod
    def _shaped(values: np.ndarray, like: np.ndarray) -> np.ndarray:
        return values if values.size == 1 else values.reshape(1, -1, *[1] * (like.ndim - 2))


@dataclass(frozen=True)
class Matched:
    """Examples that both sides have: places of the left and of the right, and the scaling between them."""

    left: np.ndarray
    right: np.ndarray
    scaling: Scaling


def matched(left: np.ndarray, right: np.ndarray) -> Matched | None:
    """The examples that both have, (N, ...) and (M, ...) in canonical layout. None if there are too few to decide, or
    if no factor and offset makes them the same."""
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
    """Examples of integers are the same or not."""
    places = _all(left.astype(np.float64), right.astype(np.float64))
    return Matched(*places, Scaling(np.ones(1), np.zeros(1))) if len(places[0]) else None


def _guesses(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of examples that may be the same, the simplest first."""
    n = min(len(left), len(right))
    yield np.arange(n), np.arange(n)
    if left[0].size > 2:
        yield _nearest(_standard(left), _standard(right))
    if left.ndim == 2:  # of features with a scale each: ranks within as many examples
        yield _nearest(_ranks(left[:n]), _ranks(right[:n]))


def _standard(values: np.ndarray) -> np.ndarray:
    """Every channel of every example, or every vector, with mean 0; the whole of length 1."""
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
    """Pairs of rows of length 1 that are each other's nearest, and all but the same."""
    alike = left @ right.T
    best = alike.argmax(1)
    rows = np.arange(len(left))
    good = (alike.argmax(0)[best] == rows) & (alike[rows, best] > 1 - 1e-4)
    return rows[good], best[good]


def _fit(left: np.ndarray, right: np.ndarray) -> Scaling | None:
    """The factor and offset of all values, else of each part along axis 1; None if neither makes them the same."""
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
    """The place of every right example that is a left one, with that of the left's: the first that is alike and not
    taken."""
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
    """Whether the examples at the same places are like each other, though not the same."""
    n = min(len(left), len(right))
    if left.shape[1:] != right.shape[1:] or not n:
        return False
    alike = (_standard(left[:n].astype(np.float64)) * _standard(right[:n].astype(np.float64))).sum(1)
    return bool(np.median(alike) > LEAST_ALIKE)
