"""Collect what one implementation's worker gives on every rung of the ladder."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np

from compare.parity.envelope import whole
from compare.parity.ladder import Stages
from compare.parity.own import metric_errors, update_errors
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.rpc.messages import EpochEnd
from compare.subject import Subject
from shared.choices import Rung
from shared.weights import Weights

RUNGS = get_args(Rung)
"""The rungs at which a climb may end; the last one is included."""

Rungs = Iterator[tuple[str, dict[str, np.ndarray]]]
"""Rungs in order, each with its tensors."""

PARAMETERS = "parameters as loaded"
PARAMETERS_AGAIN = "parameters after looking"
ACTIVATIONS = "activations"
TRAINING_ACTIVATIONS = "activations in training mode"
LOGITS = "logits"
LOSS = "loss"
GRADIENTS = "gradients"
LOSSES, EPOCHS, STATE, WEIGHTS, STATISTICS = "losses", "epochs", "optimizer state", "parameters", "moving statistics"
UPDATE = "update from its own moments"
EVALUATION = "evaluation after training"
METRICS = "metrics of its own logits"
PREDICTIONS = "predictions after training"
LARGE = "large values: "
FORWARD = (ACTIVATIONS, TRAINING_ACTIVATIONS, LOGITS, LOSS)


@dataclass(frozen=True)
class Observation:
    """The outputs of one implementation, rung by rung, and the error that ended it early, if there was one."""

    stages: dict[str, dict[str, np.ndarray]]
    failure: str | None = None


def collect(rungs: Rungs) -> Observation:
    """Collect all rungs, or those before the first at which the worker fails."""
    stages: dict[str, dict[str, np.ndarray]] = {}
    try:
        for rung, tensors in rungs:
            stages[rung] = tensors
    except WorkerError as error:
        return Observation(stages, str(error))
    return Observation(stages)


def checkpoints(n_steps: int) -> list[int]:
    """Return the steps after which training is inspected: 1, 2, 5, 10, 20, 50, ... and the last."""
    series = [digit * 10**power for power in range(len(str(n_steps))) for digit in (1, 2, 5)]
    return [step for step in series if step < n_steps] + [n_steps]


def is_training(rung: str) -> bool:
    """Whether a rung belongs to training or follows it, and therefore magnifies rounding."""
    return "step " in rung or rung in (EVALUATION, METRICS, PREDICTIONS)


def curve(run: Stages, other: Stages, n_steps: int) -> dict[int, float]:
    """Return the distance between all parameters of two runs, at every checkpoint that both reached."""
    rungs = {step: f"step {step}: {WEIGHTS}" for step in checkpoints(n_steps)}
    return {step: whole(run, other, rung) for step, rung in rungs.items() if rung in run and rung in other}


def single_pass(session: Session, subject: Subject, top: str, prefix: str = "") -> Rungs:
    """Yield everything before training, up to and including the rung `top`, of the network created last. `prefix` is
    put before the rungs' names."""
    height = RUNGS.index(top)
    yield prefix + PARAMETERS, session.weights()
    if height >= RUNGS.index("activations"):
        yield prefix + ACTIVATIONS, session.activations(subject.images)
        yield prefix + TRAINING_ACTIVATIONS, session.activations(subject.images, training=True)
    if height >= RUNGS.index("logits"):
        yield prefix + LOGITS, {"logits": session.logits(subject.images)}
    if height >= RUNGS.index("loss"):
        loss, gradients = session.gradients()
        yield prefix + LOSS, {"loss": np.array(loss, subject.train.dtype)}
        if height >= RUNGS.index("gradients"):  # from the loss back to the input, the way a fault spreads
            order = [p.name for p in reversed(subject.spec.parameters) if p.name in gradients]
            yield prefix + GRADIENTS, {name: gradients[name] for name in dict.fromkeys([*order, *gradients])}
    yield prefix + PARAMETERS_AGAIN, session.weights()


def training(session: Session, subject: Subject, start: Weights, n_steps: int, prefix: str = "") -> Rungs:
    """Yield the rungs of `n_steps` steps of training from `start`: at every checkpoint the results since the last.

    The network is also evaluated at every checkpoint, which must not affect the rest of the training.
    """
    trainable = {p.name for p in subject.spec.parameters if p.trainable}
    done = 0
    for checkpoint in checkpoints(n_steps):
        losses: list[float] = []
        epochs: list[dict[str, float]] = []
        while done < checkpoint:
            part = session.train_slice(checkpoint - done)
            done += len(part.loss)
            losses += part.loss
            if part.epoch_end:
                epochs.append(_ended(done, part.epoch_end))
        weights, state = session.weights(), session.optimizer_state()
        at = f"{prefix}step {checkpoint}: "
        yield at + LOSSES, {"loss": np.array(losses, subject.train.dtype)}
        if epochs:
            yield at + EPOCHS, {name: np.array([one[name] for one in epochs]) for name in epochs[0]}
        yield at + STATE, state
        yield at + WEIGHTS, {name: value for name, value in weights.items() if name in trainable}
        if checkpoint == 1:
            yield at + UPDATE, update_errors(subject.train, subject.first_rate, start, weights, state)
        if statistics := {name: value for name, value in weights.items() if name not in trainable}:
            yield at + STATISTICS, statistics
        yield at + LOGITS, {"logits": session.logits(subject.images)}


def _ended(step: int, end: EpochEnd) -> dict[str, float]:
    """Return the figures of an epoch by name, and the step at its end."""
    figures = end.train_metrics if end.train_accuracy is None else {"accuracy": end.train_accuracy}
    return {"step of its end": step, "loss": end.train_loss, **figures}


def after_training(session: Session, subject: Subject) -> Rungs:
    """Yield the rungs above training, for all test images: the evaluation, its metrics, and the predictions."""
    evaluation, logits = session.evaluate("test"), session.logits(subject.data.x_test)
    yield EVALUATION, {"logits": logits, "loss": np.array(evaluation.loss)}
    yield METRICS, metric_errors(evaluation, logits, subject.data.y_test, subject.spec.loss)
    if subject.spec.task == "classification":
        yield PREDICTIONS, {"classes": logits.argmax(axis=1)}
    elif subject.spec.task == "multilabel":
        yield PREDICTIONS, {"labels": (logits >= 0).astype(np.int64)}
