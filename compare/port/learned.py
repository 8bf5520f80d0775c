"""What was found out about two models' losses and gradients."""

from dataclasses import dataclass, field
from typing import Literal

Rung = Literal["loss", "gradients"]
Two = tuple[str | None, str | None]


@dataclass(frozen=True)
class LearnedCause:
    """One cause on one rung: the pairs that it concerns, none if it is the whole loss; both values; the
    line that mends it on either side; and the error before and after."""

    cause: str
    rung: Rung
    pairs: tuple[Two, ...]
    left: str
    right: str
    fix: tuple[str, str]
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Puzzle:
    """What no cause explains: a place on either side, or "the loss"; and how far apart both are."""

    left: str
    right: str
    distance: float
    rung: Rung


@dataclass(frozen=True)
class Learned:
    """`losses`: of the data, left and right. `gradient_distance`: the largest of a parameter, the loss being the
    left's; None if none was compared. `inherited`: the outputs differ in training mode, and what is behind them does.
    `asides`: differences that are no cause, in words."""

    labels: tuple[str, str]
    losses: tuple[float, float]
    loss_distance: float | None = None
    gradient_distance: float | None = None
    gradient_bound: float | None = None
    inherited: bool = False
    causes: tuple[LearnedCause, ...] = ()
    puzzles: tuple[Puzzle, ...] = ()
    n_gradients: int = 0  # of weights that both have
    asides: tuple[str, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.causes and not self.puzzles
