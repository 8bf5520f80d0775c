"""Shares of batches."""

import pytest

from shared.world import World


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("n_images", [0, 1, 2, 29, 63, 64, 1000])
def test_shares_are_the_whole_batch_in_its_order_and_fair(size: int, n_images: int) -> None:
    images = list(range(n_images))
    shares = [images[World(rank, size).share(n_images)] for rank in range(size)]
    assert sum(shares, []) == images  # noqa: RUF017 a few short lists
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_where_the_environment_says_nothing_there_is_one_process() -> None:
    assert World.here({}) == World(0, 1)
    assert World.here({"RANK": "3"}) == World(0, 1)  # from another world of the user
    assert World.here({"COMPARE_WORLD_SIZE": "4", "RANK": "3"}) == World(3, 4)
