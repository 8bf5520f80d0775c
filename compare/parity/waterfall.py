"""The waterfall: from what each framework's users have by default to the matched recipe, one factor at a time.

Every matched factor brings the implementations closer to each other. How much closer, in the losses along training and
in the test accuracy after it, is what that factor explains, given this order of the factors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Annotated, get_args

import numpy as np
from pydantic import Field

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS, ImplementationSpec
from compare.subject import Subject
from shared import randomness
from shared.choices import Own
from shared.data import Data, channel_statistics, standardised
from shared.protocol import Build
from shared.record import Positive, Record
from shared.training import Adam
from shared.weights import initial_weights

FACTORS: dict[str, str] = {
    "input scaling": "PyTorch: mean 0 and deviation 1; TensorFlow: divided by 255",
    "held-out tenth": "PyTorch: a random tenth of the training images; TensorFlow: the last",
    "batch order": "each framework's own shuffling",
    "initial weights": "PyTorch: uniform within 1 / sqrt(fan in), biases too; Keras: Glorot; raw TensorFlow: N(0, 0.1)",
    "normalisation": "epsilon, momentum and kind of variance of each framework's own batch normalisation",
    "loss": "Keras: of softmax outputs, which it traces back to the logits by itself; the others: of logits",
    "optimizer": "PyTorch: epsilon 1e-8; Keras: 1e-7 inside the bias correction; raw TensorFlow: 1e-7 outside",
}


@dataclass(frozen=True)
class TrainingCurve:
    """The loss of every step, and the test accuracy after the last."""

    losses: tuple[float, ...]
    accuracy: float


@dataclass(frozen=True)
class Gap:
    """How far two implementations are apart, averaged over pairs: the mean over seeds, and its standard error."""

    mean: float
    error: float


@dataclass(frozen=True)
class RecipeStage:
    """All seeds of one stage: `matched` is the factor that has just been made the same for all; None at the start."""

    matched: str | None
    runs: tuple[dict[str, TrainingCurve], ...]

    def loss_gap(self) -> Gap:
        """The losses along training, averaged over the steps."""
        return _gap([_over_pairs(run, lambda trained: np.array(trained.losses)) for run in self.runs])

    def accuracy_gap(self) -> Gap:
        """The test accuracies, in points of a percent."""
        return _gap([100 * _over_pairs(run, lambda trained: np.array(trained.accuracy)) for run in self.runs])


class RecipeWaterfall(Record):
    """All stages of one architecture, each after so many steps."""

    model: str
    steps: Positive
    stages: Annotated[tuple[RecipeStage, ...], Field(min_length=1)]


RECORD = "waterfall.json"


def _gap(seeds: list[float]) -> Gap:
    error = np.std(seeds, ddof=1) / np.sqrt(len(seeds)) if len(seeds) > 1 else 0.0
    return Gap(float(np.mean(seeds)), float(error))


def _over_pairs(run: Mapping[str, TrainingCurve], of: Callable[[TrainingCurve], np.ndarray]) -> float:
    return float(np.mean([np.mean(abs(of(a) - of(b))) for a, b in combinations(run.values(), 2)]))


def stages() -> list[tuple[str | None, tuple[str, ...]]]:
    """Return the factor that each stage matches, and those in which each framework still has its own."""
    names = tuple(FACTORS)
    return [(None, names), *((name, names[number:]) for number, name in enumerate(names, 1))]


def train(session: Session, subject: Subject, own: Sequence[str], seed: int, n_steps: int) -> TrainingCurve:
    """Train one implementation for `n_steps` steps, with the factors `own` as its framework's users have them."""
    implementation = IMPLEMENTATIONS[session.implementation]
    package = implementation.package
    data = _data(subject.data, implementation, own, seed)
    session.wait_until_ready()
    if session.data_digest != data.digest():
        session.load_data(data)
    spec = subject.train.model_copy(
        update={
            "seed": _own_seed(package, seed) if "batch order" in own else seed,
            "own": tuple(factor for factor in own if factor in get_args(Own)),
            "optimizer": Adam(learning_rate=0.001),
            "schedule": "constant",
        }
    )
    weights = None if "initial weights" in own else initial_weights(subject.spec, seed)
    session.create(Build(subject.spec, spec, weights, subject.device, implementation.default_mode))
    losses: list[float] = []
    while len(losses) < n_steps:
        losses += session.train_slice(n_steps - len(losses)).loss
    accuracy = session.evaluate("test").accuracy
    assert accuracy is not None, "the waterfall is of classification alone"
    return TrainingCurve(tuple(losses), accuracy)


def _data(data: Data, implementation: ImplementationSpec, own: Sequence[str], seed: int) -> Data:
    """Return the data as this implementation's users would have them. A tenth is held out in every stage, to give all
    stages the same number."""
    n = len(data.x_train)
    kept = np.arange(n - n // 10)
    if "held-out tenth" in own and implementation.idiomatic_scale == "standard":
        kept = np.sort(randomness.permutation(n, "held out", implementation.package, seed)[: n - n // 10])
    x_train, y_train, x_test = data.x_train[kept], data.y_train[kept], data.x_test
    if "input scaling" in own and implementation.idiomatic_scale == "standard":
        mean, deviation = channel_statistics(x_train)
        x_train, x_test = standardised(x_train, mean, deviation), standardised(x_test, mean, deviation)
    return replace(data, x_train=x_train, y_train=y_train, x_test=x_test)


def _own_seed(package: str, seed: int) -> int:
    return int(randomness.uniform(1, "own order", package, seed)[0] * 2**31)
