"""The results of comparing two models' losses, gradients and training."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Rung = Literal["loss", "gradients", "steps", "data", "loop"]
Two = tuple[str | None, str | None]


@dataclass(frozen=True)
class LearnedCause:
    """One cause on one rung: its pairs (none if it is the whole loss or optimizer) and both values. Also the fix for
    each side, and the error before and after."""

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
    """A difference without a known cause: a place on each side, or "the loss", and the distance between them."""

    left: str
    right: str
    distance: float
    rung: Rung


@dataclass(frozen=True)
class Step:
    """Both losses of one step of training, and the distance between the parameters after it (None if that was not
    compared). Also the bounds of losses and parameters; None if the difference is explained."""

    left: float
    right: float
    distance: float | None
    bound: float | None = None


@dataclass(frozen=True)
class FitStage:
    """A training with one more exchange than the one before. It has the exchange, its cause ("" if it has none), the
    loss of every step, and the share classified right meanwhile. `distance` is the mean distance of its losses from
    the right's."""

    name: str
    cause: str
    losses: tuple[float, ...]
    accuracy: float | None
    distance: float


@dataclass(frozen=True)
class FitFound:
    """Trainings from the left's to the right's. `seen` are the losses of the left and the right training function
    itself; `closures` are the distances of the first and the last stage from those."""

    stages: tuple[FitStage, ...]
    seen: tuple[tuple[float, ...], tuple[float, ...]]
    closures: tuple[float, float]


@dataclass(frozen=True)
class Learned:
    """All results. `losses`: of the data, left and right. `gradient_distance`: the largest of a parameter, with the
    left's loss for both; None if none was compared. `inherited`: the outputs already differ in training mode, and so
    do their gradients. `optimizers`: the names of both. `update_distance`: the distance between their updates from the
    same gradients; None if they were not compared. `asides`: differences that are not causes, in words."""

    labels: tuple[str, str]
    losses: tuple[float, float]
    loss_distance: float | None = None
    gradient_distance: float | None = None
    gradient_bound: float | None = None
    inherited: bool = False
    causes: tuple[LearnedCause, ...] = ()
    puzzles: tuple[Puzzle, ...] = ()
    n_gradients: int = 0  # number of weights that both have
    optimizers: tuple[str, str] = ("", "")
    update_distance: float | None = None
    steps: tuple[Step, ...] = ()
    asides: tuple[str, ...] = field(default=())
    fit: FitFound | None = None  # if training functions were given
    targets: np.ndarray | None = field(default=None, repr=False, compare=False)  # that both losses took, and how
    forms: tuple[str, str] = ("", "")

    @property
    def same(self) -> bool:
        """Whether no difference was found."""
        return not self.causes and not self.puzzles
