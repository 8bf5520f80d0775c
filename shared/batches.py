"""The one order of batches that all implementations see.

The order depends on the seed and the epoch alone: not on the implementation, the device, or the number of epochs.
Every image is used exactly once an epoch; the last batch is smaller where the batch size does not divide their
number, and it is never dropped.
"""

import math

import numpy as np

from shared import randomness


def n_batches(n_images: int, batch_size: int) -> int:
    """The number of batches of one epoch, the smaller last one included."""
    return math.ceil(n_images / batch_size)


def epoch_order(n_images: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the images in epoch `epoch` (from 1): a permutation of 0 ... n_images - 1, int64."""
    return randomness.permutation(n_images, "order", seed, epoch)


def epoch_batches(n_images: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The indices of the images of each batch of epoch `epoch` (from 1), in order."""
    order = epoch_order(n_images, seed, epoch)
    return [order[start : start + batch_size] for start in range(0, n_images, batch_size)]
