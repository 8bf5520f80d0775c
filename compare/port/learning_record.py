"""The record of what was found about two models' losses, gradients and training: a part of port.json."""

import math
from typing import Annotated, Literal

from pydantic import Field

from compare.port.learned import FitFound, Learned
from shared.record import Count, Record

SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
# JSON has no infinity: outputs that cannot be compared, for example because of their shapes, have no distance.
Distance = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class TrainingStep(Record):
    """Both losses of one step of training, and how far the parameters are from each other after it (None if that was
    not compared). Also how far losses and parameters may be; None if a cause explains it."""

    left_loss: float | None
    right_loss: float | None
    distance: Distance
    bound: Distance


class FoundStage(Record):
    """A training with one thing more exchanged than in the stage before: what, its cause ("" if it has none), and the
    losses of its steps. Also the share that was classified right meanwhile (None without classes), and how far its
    losses are from those of the last stage, in the mean of the steps."""

    name: str
    cause: str
    losses: tuple[float | None, ...]
    accuracy: float | None
    distance: Distance

    @property
    def loss(self) -> float:
        """The mean of all steps."""
        known = [loss for loss in self.losses if loss is not None]
        return sum(known) / len(known) if len(known) == len(self.losses) else math.nan


class FoundFit(Record):
    """Trainings from the left training function's to the right's; the losses that those had themselves, and how far the
    first and the last stage are from them."""

    stages: tuple[FoundStage, ...]
    seen: dict[Literal["left", "right"], tuple[float | None, ...]]
    closures: dict[Literal["left", "right"], Distance]


class FoundLearning(Record):
    """What was found about both losses, their gradients and training. `inherited`: the outputs differ in training mode,
    and gradients were compared with their own forward passes alone. `gradient_distance` is the largest of a weight,
    both models having the left's loss; `update_distance` of what both optimizers make of the same gradients."""

    names: dict[Literal["left", "right"], str]
    losses: dict[Literal["left", "right"], float | None]
    loss_distance: Distance
    gradient_distance: Distance
    gradient_bound: Distance
    n_gradients: Count
    inherited: bool
    asides: tuple[str, ...]
    optimizers: dict[Literal["left", "right"], str] | None = None  # if they were compared
    update_distance: Distance = None
    steps: tuple[TrainingStep, ...] = ()
    fit: FoundFit | None = None  # if training functions were given


def finite(value: float | None) -> float | None:
    """Return the value, or None if JSON cannot represent it."""
    return value if value is not None and math.isfinite(value) else None


def learning_of(learned: Learned) -> FoundLearning:
    """Return the record of the results."""
    return FoundLearning(
        names={"left": learned.labels[0], "right": learned.labels[1]},
        losses={"left": finite(learned.losses[0]), "right": finite(learned.losses[1])},
        loss_distance=finite(learned.loss_distance),
        gradient_distance=finite(learned.gradient_distance),
        gradient_bound=finite(learned.gradient_bound),
        n_gradients=learned.n_gradients,
        inherited=learned.inherited,
        asides=learned.asides,
        optimizers=dict(zip(SIDES, learned.optimizers, strict=True)) if any(learned.optimizers) else None,
        update_distance=finite(learned.update_distance),
        steps=tuple(
            TrainingStep(
                left_loss=finite(one.left),
                right_loss=finite(one.right),
                distance=finite(one.distance),
                bound=finite(one.bound),
            )
            for one in learned.steps
        ),
        fit=None if learned.fit is None else _fit(learned.fit),
    )


def _fit(fit: FitFound) -> FoundFit:
    return FoundFit(
        stages=tuple(
            FoundStage(
                name=one.name,
                cause=one.cause,
                losses=tuple(map(finite, one.losses)),
                accuracy=finite(one.accuracy),
                distance=finite(one.distance),
            )
            for one in fit.stages
        ),
        seen={side: tuple(map(finite, losses)) for side, losses in zip(SIDES, fit.seen, strict=True)},
        closures={side: finite(far) for side, far in zip(SIDES, fit.closures, strict=True)},
    )
