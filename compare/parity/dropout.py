"""The rungs of dropout. Each framework chooses the dropped values at random. Three things are compared: whether the
choice is fair, how the other values are scaled, and whether evaluation drops nothing."""

from itertools import pairwise

import numpy as np

from compare.parity.observation import Rungs
from compare.processes.session import Session
from compare.subject import Subject

IN_EVALUATION = "activations in evaluation with dropout"
DROPPED = "what dropout drops"
TRAINED = "dropout in training"
SCALE = "scale"
N_IMAGES, N_PASSES, N_STEPS = 250, 8, 4
FAIR_TRAINING = {"new in every step": np.array(1.0), "the same from the same seed": np.array(1.0)}


def observe(session: Session, subject: Subject) -> Rungs:
    """Return the rungs of a network that was created with its own rate of dropout."""
    rate = subject.spec.dropout
    assert rate is not None, "only of a network with dropout"
    layers = [layer.name for layer in subject.spec.layers]
    wanted = {name: before for before, name in pairwise(layers) if name.startswith("dropout")}
    images = subject.data.x_test[:N_IMAGES]
    # Training first, because evaluation must not depend on it.
    passes: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in wanted}
    for _ in range(N_PASSES):
        outputs = session.activations(images, training=True)
        for name, before in wanted.items():
            passes[name].append((outputs[before].reshape(len(images), -1), outputs[name].reshape(len(images), -1)))
    logits = {"logits": session.logits(subject.images)}
    yield IN_EVALUATION, session.activations(subject.images) | logits
    counted = {name: _count(seen, rate) for name, seen in passes.items()}
    yield DROPPED, {f"{name}/{what}": np.array(v) for name, of_one in counted.items() for what, v in of_one.items()}


def trained(first: list[float], again: list[float]) -> dict[str, np.ndarray]:
    """Evaluate the losses of steps on one batch, at a learning rate too small to change anything. Each step must have
    dropped other values, and training `again` from the same seed the same ones. 1 means yes."""
    other_each_time = len(set(first)) == len(first)
    return {
        "new in every step": np.array(float(other_each_time)),
        "the same from the same seed": np.array(float(first == again)),
    }


def fair(subject: Subject) -> dict[str, np.ndarray]:
    """Return what DROPPED should be: as many as `rate` says, in no pattern, and the rest scaled by 1 / (1 - rate)."""
    rate = subject.spec.dropout
    assert rate is not None, "only of a network with dropout"
    names = [layer.name for layer in subject.spec.layers if layer.name.startswith("dropout")]
    none = np.array(0.0)
    fair_counts = {"share": none, "share by image": none, "share by channel": none, "repeated": none}
    fair_counts[SCALE] = np.full(2, 1 / (1 - rate))
    return {f"{name}/{what}": value for name in names for what, value in fair_counts.items()}


def _count(passes: list[tuple[np.ndarray, np.ndarray]], rate: float) -> dict[str, object]:
    """Return how unfair the choice of dropped values (N, channels) is, in standard deviations of a fair choice, from
    several passes of the same images. Also return the smallest and largest factor of the others.

    - `share`: how many there are. `share by image` and `by channel`: how unevenly they are distributed, by the sum of
      squares of the deviations of rows or columns (chi-squared).
    - `repeated`: how many of the first pass are dropped in the second, too.
    """
    before = np.concatenate([before for before, _ in passes])
    after = np.concatenate([after for _, after in passes])
    live = before != 0
    dropped = live & (after == 0)
    kept = live & (after != 0)
    factors = after[kept] / before[kept]
    (_, first), (_, second), *_ = passes
    dropped_first = dropped[: len(first)]
    both = dropped_first & (second == 0)
    return {
        "share": _deviations(dropped.sum(), live.sum(), rate),
        "share by image": _unevenness(dropped, live, rate, axis=1),
        "share by channel": _unevenness(dropped, live, rate, axis=0),
        "repeated": _deviations(both.sum(), dropped_first.sum(), rate),
        SCALE: [factors.min(initial=np.inf), factors.max(initial=-np.inf)],
    }


def _deviations(hits: np.ndarray, n: np.ndarray, rate: float) -> np.ndarray:
    return np.asarray((hits - n * rate) / np.sqrt(np.maximum(n, 1) * rate * (1 - rate)))


def _unevenness(dropped: np.ndarray, live: np.ndarray, rate: float, axis: int) -> float:
    n = live.sum(axis)
    squares = _deviations(dropped.sum(axis), n, rate)[n > 0] ** 2
    return float((squares.sum() - len(squares)) / np.sqrt(2 * len(squares)))
