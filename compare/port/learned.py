"""What was found out about two models' losses, gradients and training."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Rung = Literal["loss", "gradients", "steps", "data", "loop"]
Two = tuple[str | None, str | None]


@dataclass(frozen=True)
class LearnedCause:
    """One cause on one rung: its pairs (none if it is the whole loss or optimizer) and both values. Also the line that
    fixes it on either side, and the error before and after."""

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
class Step:
    """Both losses of one step of training, and how far the parameters are from each other after it (None if that was
    not compared). Also how far losses and parameters may be; None if something explains it."""

    left: float
    right: float
    distance: float | None
    bound: float | None = None


@dataclass(frozen=True)
class FitStage:
    """A training with one thing more exchanged than before: what, its cause ("" if it has none), the loss of every
    step, and the share that was classified right meanwhile. Also how far its losses are from the right's, in the mean
    of the steps."""

    name: str
    cause: str
    losses: tuple[float, ...]
    accuracy: float | None
    distance: float


@dataclass(frozen=True)
class FitFound:
    """Trainings from the left's to the right's. `seen`: the losses of the left and of the right training function
    itself, and `closures`: how far the first and the last stage are from those."""

    stages: tuple[FitStage, ...]
    seen: tuple[tuple[float, ...], tuple[float, ...]]
    closures: tuple[float, float]


@dataclass(frozen=True)
class Learned:
    """`losses`: of the data, left and right. `gradient_distance`: the largest of a parameter, the loss being the
    left's; None if none was compared. `inherited`: the outputs differ in training mode, and what is behind them does.
    `optimizers`: what both are called; `update_distance`: how far what they make of the same gradients is from each
    other, None if they were not compared. `asides`: differences that are no cause, in words."""

    labels: tuple[str, str]
    losses: tuple[float, float]
    loss_distance: float | None = None
    gradient_distance: float | None = None
    gradient_bound: float | None = None
    inherited: bool = False
    causes: tuple[LearnedCause, ...] = ()
    puzzles: tuple[Puzzle, ...] = ()
    n_gradients: int = 0  # of weights that both have
    optimizers: tuple[str, str] = ("", "")
    update_distance: float | None = None
    steps: tuple[Step, ...] = ()
    asides: tuple[str, ...] = field(default=())
    fit: FitFound | None = None  # if training functions were given
    targets: np.ndarray | None = field(default=None, repr=False, compare=False)  # that both losses took, and how
    forms: tuple[str, str] = ("", "")

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.causes and not self.puzzles
