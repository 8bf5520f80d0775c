"""A fair choice of dropped values passes, and each kind of unfair choice is identified."""

from collections.abc import Callable

import numpy as np
import pytest

from compare.parity import dropout

RATE = 0.5
N, CHANNELS = 250, 128
Masks = Callable[[np.random.Generator, int], np.ndarray]


def count(dropped: Masks, scale: float = 1 / (1 - RATE)) -> dict[str, np.ndarray]:
    """Return the counts over passes. dropped(generator, number of the pass) returns the dropped values (N,
    CHANNELS)."""
    rng = np.random.default_rng(0)
    before = np.maximum(rng.normal(size=(N, CHANNELS)), 0)  # half of it 0, as after a ReLU
    passes = [(before, before * ~dropped(rng, number) * scale) for number in range(dropout.N_PASSES)]
    return {what: np.asarray(value, float) for what, value in dropout._count(passes, RATE).items()}


def fair(rng: np.random.Generator, number: int, rate: float = RATE) -> np.ndarray:
    return rng.random((N, CHANNELS)) < rate


def unfair(counted: dict[str, np.ndarray]) -> list[str]:
    return [what for what, value in counted.items() if what != dropout.SCALE and abs(value) > 5]


def test_a_fair_choice() -> None:
    counted = count(fair)
    assert unfair(counted) == []
    np.testing.assert_allclose(counted[dropout.SCALE], [2, 2])


@pytest.mark.parametrize("rate", [0.48, 0.52])
def test_another_rate(rate: float) -> None:
    assert "share" in unfair(count(lambda rng, number: fair(rng, number, rate)))


def test_alike_for_all_images() -> None:
    assert "share by channel" in unfair(count(lambda rng, number: np.tile(rng.random(CHANNELS) < RATE, (N, 1))))


def test_whole_images_at_once() -> None:
    assert "share by image" in unfair(count(lambda rng, number: np.tile(rng.random((N, 1)) < RATE, (1, CHANNELS))))


def test_the_same_in_every_pass() -> None:
    frozen = fair(np.random.default_rng(1), 0)
    assert "repeated" in unfair(count(lambda rng, number: frozen))


def test_nothing_dropped_and_nothing_scaled() -> None:
    counted = count(lambda rng, number: np.zeros((N, CHANNELS), bool), scale=1.0)
    assert "share" in unfair(counted)
    np.testing.assert_allclose(counted[dropout.SCALE], [1, 1])


def test_false_alarms_are_rare() -> None:
    """Of 200 fair choices, none is 5 standard deviations off in any of the four counts."""
    rng = np.random.default_rng(2)
    before = np.maximum(rng.normal(size=(50, 64)), 0)
    for _ in range(200):
        passes = [(before, before * (rng.random(before.shape) >= RATE) * 2) for _ in range(2)]
        counted = {k: np.asarray(v, float) for k, v in dropout._count(passes, RATE).items()}
        assert unfair(counted) == []


@pytest.mark.parametrize(
    ("first", "again", "said"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], (1, 1)),
        ([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], (0, 1)),
        ([1.0, 2.0], [3.0, 4.0], (1, 0)),
    ],
)
def test_what_losses_of_one_batch_tell(first: list[float], again: list[float], said: tuple[int, int]) -> None:
    assert tuple(dropout.trained(first, again).values()) == said
