"""The frameworks' answers to a row of the ledger, and how far the answers differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compare.parity.distance import INFINITE, distance
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.ledger import Half, LedgerRow


@dataclass(frozen=True)
class Line:
    """A row with its answers: for each form the arrays of both implementations, in the order of `row.between`."""

    row: LedgerRow
    answers: Mapping[Half, tuple[np.ndarray, np.ndarray]]

    @property
    def titles(self) -> tuple[str, str]:
        """The names of the two implementations."""
        first, second = (IMPLEMENTATIONS[name].title for name in self.row.between)
        return first, second

    @property
    def own(self) -> float:
        """The relative norm of the difference of the own forms; infinite if their shapes differ."""
        return _difference(*self.answers["own"])

    @property
    def aligned(self) -> float:
        """The relative norm of the difference of the aligned forms; infinite if their shapes differ."""
        return _difference(*self.answers["aligned"])

    @property
    def as_stated(self) -> bool:
        """Whether the own forms differ or agree as the row says. If a row depends on the processor, this is always
        True."""
        return not self.row.stable or (self.own > self.row.aligned_to) == self.row.differs

    @property
    def agrees(self) -> bool:
        """Whether the aligned forms agree."""
        return self.aligned <= self.row.aligned_to

    @property
    def example(self) -> tuple[str, str]:
        """The two values that differ most, with enough digits to show it, or the shapes if these differ."""
        first, second = self.answers["own"]
        if first.shape != second.shape:
            return f"shape {first.shape}", f"shape {second.shape}"
        if not first.size:
            return "nothing", "nothing"
        a, b = first.astype(np.float64), second.astype(np.float64)
        at = np.unravel_index(np.argmax(np.nan_to_num(abs(a - b), nan=np.inf)), a.shape)
        for digits in (4, 7, 10):
            values = f"{a[at]:.{digits}g}", f"{b[at]:.{digits}g}"
            if values[0] != values[1]:
                break
        return values


def ask(row: LedgerRow, sessions: Mapping[str, Session]) -> Line:
    """Ask the workers of a row's two implementations for both of its forms."""
    for name in row.between:
        sessions[name].wait_until_ready()
    arrays = row.arrays()

    def answers(half: Half) -> tuple[np.ndarray, np.ndarray]:
        first, second = (sessions[name].answer_row(row.name, half, arrays) for name in row.between)
        return first, second

    return Line(row, {"own": answers("own"), "aligned": answers("aligned")})


def how_far(line: Line) -> str:
    """Return how far the own forms differ, as text: "they differ by 0.12 (-2.374 and -2.018)"."""
    if not line.row.differs:
        return "no difference here"
    if not line.row.stable:
        return "they differ by rounding, which depends on the processor"
    refused = [title for title, answer in zip(line.titles, line.answers["own"], strict=True) if not answer.size]
    if refused:
        return f"{' and '.join(refused)} raises an error"
    first, second = line.example
    if math.isinf(line.own) and not first.startswith("shape "):
        return f"they give {first} and {second} for the same input"
    if math.isinf(line.own):
        return f"they differ in shape: {first.removeprefix('shape ')} and {second.removeprefix('shape ')}"
    return f"they differ by {line.own:.2g} ({' and '.join(line.example)})"


def how_close(line: Line) -> str:
    """Return how closely the aligned forms agree, as text."""
    if not line.agrees:
        return f"and yet they differ by {line.aligned:.1e}"
    return "then equal bit for bit" if line.row.aligned_to == 0 else f"then equal to {line.row.aligned_to:.0e}"


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape:
        return INFINITE.relative
    a, b = first.astype(np.float64), second.astype(np.float64)
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    larger, smaller = sorted((a, b), key=lambda x: float(np.linalg.norm(x.ravel())), reverse=True)
    return distance(smaller, larger).relative
