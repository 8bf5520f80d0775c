"""The values that every implementation should give: the float64 consensus of all, or values known without it."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compare.parity import dropout, observation
from compare.parity.ladder import Stages, consensus
from compare.parity.observation import Observation
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject


def expected(subject: Subject, observations: Mapping[str, Observation]) -> Stages:
    """Return the consensus of float64 `observations`. Each package has one vote, because its implementations share
    their faults. Values that are known independently are not decided by a vote."""
    voters: dict[str, Stages] = {}
    for name, seen in observations.items():
        voters.setdefault(IMPLEMENTATIONS[name].package, seen.stages)
    stages = consensus(voters)
    n_before: dict[str, int] = {}
    for rung, tensors in stages.items():
        if rung.endswith(observation.EPOCHS):
            optimizer, _, _ = rung.partition("step ")
            done, n_ended = n_before.get(optimizer, 0), len(tensors["step of its end"])
            tensors["step of its end"] = _ends_of_epochs(subject, done, n_ended)
            n_before[optimizer] = done + n_ended
        elif rung.endswith((observation.UPDATE, observation.METRICS, observation.PREDICTIONS)):
            tensors.update({tensor: np.zeros_like(values) for tensor, values in tensors.items()})
    if dropout.DROPPED in stages:
        stages[dropout.DROPPED] = dropout.fair(subject)
    if dropout.TRAINED in stages:
        stages[dropout.TRAINED] = dropout.FAIR_TRAINING
    return stages


def shortfalls(observations: Mapping[str, Observation], logits: np.ndarray) -> dict[str, Observation]:
    """Return `observations` with a figure in place of each predicted class: its shortfall from the best one in the
    consensus's `logits` (N, classes), relative to their size. It is 0 if the class is the same, and near 0 if two
    classes are nearly equal and rounding decides. For several labels it is the distance of each wrong one's logit from
    0."""
    best = logits.max(axis=1)
    size = float(np.linalg.norm(logits))

    def judged(seen: Observation) -> Observation:
        predicted = seen.stages.get(observation.PREDICTIONS, {})
        if (labels := predicted.get("labels")) is not None:
            missed = np.where(labels == (logits >= 0), 0.0, np.abs(logits)) / size
            return replace(seen, stages={**seen.stages, observation.PREDICTIONS: {"labels": missed}})
        classes = predicted.get("classes")
        if classes is None:
            return seen
        short = (best - logits[np.arange(len(best)), classes]) / size
        return replace(seen, stages={**seen.stages, observation.PREDICTIONS: {"classes": short}})

    return {name: judged(seen) for name, seen in observations.items()}


def _ends_of_epochs(subject: Subject, n_before: int, n: int) -> np.ndarray:
    per_epoch = math.ceil(len(subject.data.x_train) / subject.train.batch_size)
    return np.arange(n_before + 1, n_before + n + 1, dtype=np.float64) * per_epoch
