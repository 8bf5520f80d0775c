"""The ledger of differences: every row asked of the frameworks, and the page that is made of the answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compare.parity.distance import APART, distance
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.reporting.markdown import markdown_environment
from shared.ledger import Half, LedgerRow


@dataclass(frozen=True)
class Line:
    """What came of one row: how far the two are apart in their own form and in the aligned one, by the relative norm
    of the difference (infinite where their shapes differ), and what they gave where they part most in their own."""

    row: LedgerRow
    answers: Mapping[Half, tuple[np.ndarray, np.ndarray]]

    @property
    def own(self) -> float:
        """How far the own forms are apart."""
        return _apart(*self.answers["own"])

    @property
    def aligned(self) -> float:
        """How far the aligned forms are apart."""
        return _apart(*self.answers["aligned"])

    @property
    def example(self) -> tuple[str, str]:
        """What the own forms give where they differ most."""
        return _example(*self.answers["own"])

    @property
    def parts(self) -> bool:
        """Whether the frameworks' own forms part, beyond what the aligned ones may; on some processors alone, where the
        row is not stable."""
        if not self.row.differs:
            return self.own <= self.row.aligned_to
        return not self.own <= self.row.aligned_to or not self.row.stable

    @property
    def agrees(self) -> bool:
        """Whether the aligned forms agree."""
        return self.aligned <= self.row.aligned_to


def ask(row: LedgerRow, sessions: Mapping[str, Session]) -> Line:
    """Both halves of one row, asked of the workers of the two implementations that it is about."""
    for name in row.between:
        sessions[name].wait_until_ready()
    inputs = row.arrays()

    def answers(half: Half) -> tuple[np.ndarray, np.ndarray]:
        first, second = (sessions[name].answer_row(row.name, half, inputs) for name in row.between)
        return first, second

    return Line(row, {"own": answers("own"), "aligned": answers("aligned")})


def cells(line: Line) -> list[str]:
    """The row of a table: what, the two own forms with an example, how far they are apart, the aligned form, how far
    that is apart. What depends on the processor is told as rounding."""
    row = line.row
    first, second = (IMPLEMENTATIONS[name].title for name in row.between)
    said = [f"{title}: {text}" for title, text in ((first, row.first), (second, row.second))]
    shown = said if not row.stable else [f"{s} ({value})" for s, value in zip(said, line.example, strict=True)]
    own = "other shapes" if math.isinf(line.own) else f"{line.own:.2g}" if row.stable else "rounding"
    aligned = "equal" if row.aligned_to == 0 and line.agrees else f"< {row.aligned_to:.0e}"
    return [row.name, row.question, *shown, own, row.aligned, aligned if line.agrees else f"{line.aligned:.1e}, not equal"]


def page(lines: Sequence[Line]) -> str:
    """The page in Markdown."""
    return markdown_environment().get_template("ledger.md.j2").render(lines=[cells(line) for line in lines])


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape:
        return APART.relative
    a, b = first.astype(np.float64), second.astype(np.float64)
    larger, smaller = sorted((a, b), key=lambda x: float(np.linalg.norm(x.ravel())), reverse=True)
    return distance(smaller, larger).relative


def _example(first: np.ndarray, second: np.ndarray) -> tuple[str, str]:
    """The two values that are farthest apart, or the shapes where they differ."""
    if first.shape != second.shape:
        return f"shape {first.shape}", f"shape {second.shape}"
    at = np.unravel_index(np.argmax(abs(first.astype(np.float64) - second)), first.shape)
    for digits in (4, 7, 10):
        values = f"{first[at]:.{digits}g}", f"{second[at]:.{digits}g}"
        if values[0] != values[1]:
            break
    return values
