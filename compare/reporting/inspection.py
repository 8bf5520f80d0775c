"""What trained networks do with images, asked of a worker for each implementation."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.processes import environment
from compare.processes.session import Session, WorkerError, starting
from compare.reporting.screen import PLAIN
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
from shared.protocol import Build
from shared.result import RunResult
from shared.weights import Weights

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Inspected:
    """One trained network: its weights, every layer's output for the chosen images, and its probabilities (N, classes)
    for all test images and for the extra ones."""

    name: str
    weights: Weights
    activations: Mapping[str, np.ndarray]
    probabilities: np.ndarray
    extra_probabilities: np.ndarray


def inspect(
    results: list[RunResult], weights: list[Weights], data: Data, chosen: np.ndarray, extra: np.ndarray
) -> list[Inspected]:
    """Ask the network of each result, with its weights, about the `chosen` images and about `extra` ones, both
    (N, H, W, C) in the scale of `data`.

    Raises InputError where a worker cannot do it.
    """
    with tempfile.TemporaryDirectory() as logs:
        PLAIN.note(starting(result.run.implementation for result in results))
        sessions = [_start(result, Path(logs)) for result in results]  # all at once, so that they import side by side
        try:
            return [
                _inspect_one(result, session, own, data, chosen, extra)
                for result, session, own in zip(results, sessions, weights, strict=True)
            ]
        finally:
            for session in sessions:
                session.close()


def _start(result: RunResult, logs: Path) -> Session:
    name = result.run.implementation
    log, threads = logs / f"{name}.log", environment.usable_cores()
    return Session(name, log, threads, hide_cuda=True, timeout_s=TIMEOUT_S, tell=PLAIN.note)


def _inspect_one(
    result: RunResult, session: Session, weights: Weights, data: Data, chosen: np.ndarray, extra: np.ndarray
) -> Inspected:
    run = result.run
    try:
        session.wait_until_ready()
        session.load_data(data)
        session.create(Build(MODELS[run.model], run.train, weights, "cpu", run.mode, run.recipe, run.tuning))
        return Inspected(
            name=run.implementation,
            weights=weights,
            activations=session.activations(chosen),
            probabilities=softmax(session.logits(data.x_test)),
            extra_probabilities=softmax(session.logits(extra)) if len(extra) else np.empty((0, 0)),
        )
    except WorkerError as error:
        raise InputError(f"The network of {result.name} cannot be looked into: {error}. {error.details}") from None


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (N, classes) from logits (N, classes), in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
