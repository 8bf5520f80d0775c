"""Dropout at a rate above 0: it drops the right share, scales the rest, and is off in evaluation.

Each framework chooses the dropped values at random by itself. They are therefore tested by counting. (At rate 0 the
networks are compared with the reference like all others.)
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

from compare.conformance.setup import images_for
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

N_IMAGES = 150


@pytest.fixture
def passes(
    dropping: tuple[str, str], session_for: Callable[[str, str], Session]
) -> Callable[..., dict[str, np.ndarray]]:
    """passes(rate, training) -> the output of every layer for the test digits, in a new network on every call; the last
    of `n_passes` of them."""
    implementation, model = dropping
    session, spec = session_for(implementation, model), MODELS[model]

    def run(rate: float | None, training: bool, seed: int = 0, n_passes: int = 1) -> dict[str, np.ndarray]:
        train = TrainSpec(epochs=1, seed=seed, dropout=rate)
        session.create(
            Build(spec, train, initial_weights(spec, 0), "cpu", IMPLEMENTATIONS[implementation].default_mode)
        )
        images = images_for(model).x_test[:N_IMAGES]
        *_, found = (session.activations(images, training) for _ in range(n_passes))
        return found

    return run


@pytest.mark.tier("parity")
@pytest.mark.parametrize("rate", [None, 0.2])
def test_share_and_scale(passes: Callable[..., dict[str, np.ndarray]], rate: float | None) -> None:
    """None is the architecture's own rate, 0.5."""
    outputs = passes(rate, training=True)
    share = 0.5 if rate is None else rate
    before, after = outputs["dense1"], outputs["dropout1"]
    live = before > 0  # ReLU has made the others 0 already
    n, dropped = live.sum(), (after[live] == 0).sum()
    assert n > 4_000
    assert abs(dropped - n * share) < 4.5 * math.sqrt(n * share * (1 - share))
    kept = live & (after != 0)
    np.testing.assert_allclose(after[kept], before[kept] / (1 - share), rtol=1e-6)


@pytest.mark.tier("parity")
def test_every_value_has_a_chance_of_its_own(passes: Callable[..., dict[str, np.ndarray]]) -> None:
    """No unit is dropped for all images, and no image loses all its units; another pass and another seed drop
    others."""
    outputs = passes(None, training=True)
    kept = np.where(outputs["dense1"] > 0, outputs["dropout1"] > 0, np.nan)
    for axis in (0, 1):
        counted = np.isfinite(kept).sum(axis=axis) >= 30
        shares = np.nanmean(kept[:, counted] if axis == 0 else kept[counted], axis=axis)
        assert shares.size > 20
        assert 0.1 < shares.min() <= shares.max() < 0.9
    again, other, second = (
        passes(None, training=True, seed=seed, n_passes=n)["dropout1"] for seed, n in ((0, 1), (1, 1), (0, 2))
    )
    np.testing.assert_array_equal(again, outputs["dropout1"])
    assert (other != outputs["dropout1"]).any()
    assert (second != outputs["dropout1"]).any()


@pytest.mark.tier("parity")
def test_off_in_evaluation(passes: Callable[..., dict[str, np.ndarray]]) -> None:
    outputs = passes(None, training=False)
    np.testing.assert_array_equal(outputs["dropout1"], outputs["dense1"])
