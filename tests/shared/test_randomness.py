"""Random numbers and batch orders are right for any size, and the same everywhere."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared import randomness
from shared.batches import epoch_batches, epoch_order, n_batches

seeds = st.integers(0, 2**32 - 1)


@given(n=st.integers(0, 500), seed=seeds, epoch=st.integers(1, 100))
def test_an_epoch_uses_every_image_once(n: int, seed: int, epoch: int) -> None:
    assert sorted(epoch_order(n, seed, epoch)) == list(range(n))


@given(n=st.integers(1, 500), size=st.integers(1, 600), seed=seeds)
def test_batches_are_the_order_cut_up(n: int, size: int, seed: int) -> None:
    batches = epoch_batches(n, size, seed, 1)
    assert len(batches) == n_batches(n, size)
    assert all(len(b) == size for b in batches[:-1])
    assert 1 <= len(batches[-1]) <= size
    np.testing.assert_array_equal(np.concatenate(batches), epoch_order(n, seed, 1))


@given(seed=seeds, epoch=st.integers(1, 100))
def test_seeds_and_epochs_give_other_orders(seed: int, epoch: int) -> None:
    order = epoch_order(200, seed, epoch).tolist()
    assert order != epoch_order(200, seed, epoch + 1).tolist()
    assert order != epoch_order(200, seed + 1, epoch).tolist()


def test_keys_of_other_lengths_are_other_keys() -> None:
    assert randomness.uniform(3, "augment", 0, 1).tolist() != randomness.uniform(3, "augment", 0, 1, 0).tolist()


def test_uniform_is_uniform() -> None:
    x = randomness.uniform(100_000, "test", 1)
    assert x.min() >= 0
    assert x.max() < 1
    counts, _ = np.histogram(x, bins=20, range=(0, 1))
    chi2 = ((counts - 5_000) ** 2 / 5_000).sum()
    assert chi2 < 43.8  # the 0.999 quantile with 19 degrees of freedom


def test_the_stream_is_the_same_everywhere() -> None:
    """These digests were computed once. Every platform and version of NumPy must give them."""
    order = epoch_order(60_000, seed=0, epoch=1).astype("<i8")
    assert hashlib.sha256(order.tobytes()).hexdigest()[:16] == "21a8054b215127e1"
    values = randomness.uniform(1_000, "weights", 0, "conv1/kernel").astype("<f8")
    assert hashlib.sha256(values.tobytes()).hexdigest()[:16] == "e6a89fb69b185de6"
