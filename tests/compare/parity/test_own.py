"""An implementation's own results are consistent, or the error is as large as the inconsistency."""

import numpy as np
import pytest

from compare.parity.own import metric_errors, update_errors
from compare.rpc.messages import Evaluation
from shared import metrics
from shared.training import SGD, Adam, Optimizer, TrainSpec

RATE = 1e-3
RNG = np.random.default_rng(0)
LOGITS, LABELS = RNG.normal(size=(50, 10)), RNG.integers(0, 10, 50)


def evaluation(**changes: object) -> Evaluation:
    said = {
        "accuracy": metrics.accuracy(LOGITS, LABELS),
        "loss": metrics.cross_entropy(LOGITS, LABELS),
        "confusion": tuple(tuple(row) for row in metrics.confusion(LOGITS, LABELS).tolist()),
    }
    return Evaluation(**said | changes)


def test_right_metrics() -> None:
    errors = metric_errors(evaluation(), LOGITS, LABELS)
    assert abs(errors["loss"]) < 1e-14
    assert errors["accuracy"] == 0
    assert not errors["confusion"].any()


def test_wrong_metrics() -> None:
    turned = tuple(zip(*evaluation().confusion, strict=True))
    errors = metric_errors(evaluation(accuracy=0.5, loss=2.0, confusion=turned), LOGITS, LABELS)
    assert all(np.linalg.norm(error) > 1e-3 for error in errors.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [Adam(), SGD()])
@pytest.mark.parametrize("factor", [1.0, 1 + 1e-5])
def test_the_first_update(optimizer: Optimizer, dtype: str, factor: float) -> None:
    """It is recomputed from the formulas. A deviation of 1e-5 is found in either type."""
    gradient = RNG.normal(size=20).astype(dtype)
    if isinstance(optimizer, Adam):
        m, v = (0.1 * gradient).astype(dtype), (0.001 * gradient**2).astype(dtype)
        state = {"dense/bias/m": m, "dense/bias/v": v}
        step = m.astype(float) / 0.1 / (np.sqrt(v.astype(float) / 0.001) + 1e-7)
    else:
        state = {"dense/bias/velocity": gradient}
        step = gradient.astype(float)
    start = {"dense/bias": np.zeros(20, dtype), "dense/kernel": np.ones(20, dtype)}
    weights = {"dense/bias": (-RATE * step * factor).astype(dtype), "dense/kernel": np.ones(20, dtype)}
    errors = update_errors(TrainSpec(epochs=1, optimizer=optimizer), RATE, start, weights, state)
    assert list(errors) == ["dense/bias"]  # only tensors that start at 0 can be checked
    bound = 1e-6 if dtype == "float32" else 1e-12
    assert (np.linalg.norm(errors["dense/bias"]) <= bound) == (factor == 1)
