"""Inspect trained networks: ask a worker of each implementation for their outputs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compare.processes import environment
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.reporting.screen import PLAIN
from shared.choices import TaskName
from shared.data import Data
from shared.errors import InputError
from shared.protocol import Build
from shared.result import RunResult
from shared.storage import temporary
from shared.weights import Weights

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Inspected:
    """One trained network: its weights, every layer's output for the chosen images, and its probabilities (N, classes)
    for all test images and for the extra ones. For a regression these are the predicted numbers (N, K)."""

    name: str
    weights: Weights
    activations: Mapping[str, np.ndarray]
    probabilities: np.ndarray
    extra_probabilities: np.ndarray


def inspect(
    results: list[RunResult], weights: list[Weights], data: Data, chosen: np.ndarray, extra: np.ndarray
) -> list[Inspected]:
    """Ask the network of each result, with its weights, for its outputs for the `chosen` images and for `extra` ones,
    both (N, H, W, C) in the scale of `data`.

    Raises InputError if a worker cannot do it.
    """
    threads = environment.usable_cores()
    with (
        temporary.folder("logs") as logs,
        Workers(logs, "cpu", TIMEOUT_S, PLAIN.note, threads) as workers,
    ):
        sessions = workers.start(result.run.implementation for result in results)
        return [
            _inspect_one(result, sessions[result.run.implementation], own, data, chosen, extra)
            for result, own in zip(results, weights, strict=True)
        ]


def _inspect_one(
    result: RunResult, session: Session, weights: Weights, data: Data, chosen: np.ndarray, extra: np.ndarray
) -> Inspected:
    run = result.run
    try:
        session.wait_until_ready()
        session.load_data(data)
        session.create(Build(run.spec, run.train, weights, "cpu", run.mode, run.recipe, run.tuning))
        return Inspected(
            name=run.implementation,
            weights=weights,
            activations=session.activations(chosen),
            probabilities=predicted(run.spec.task, session.logits(data.x_test)),
            extra_probabilities=predicted(run.spec.task, session.logits(extra)) if len(extra) else np.empty((0, 0)),
        )
    except WorkerError as error:
        raise InputError(f"The network of {result.name} cannot be looked into: {error}. {error.details}") from None


def predicted(task: TaskName, outputs: np.ndarray) -> np.ndarray:
    """Return probabilities of classes or labels for outputs (N, K), or the numbers of a regression, in float64."""
    match task:
        case "classification":
            return softmax(outputs)
        case "multilabel":
            probabilities: np.ndarray = 1 / (1 + np.exp(-np.clip(outputs.astype(np.float64), -500, 500)))
            return probabilities
        case "regression":
            return outputs.astype(np.float64)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities (N, classes) from logits (N, classes), in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
