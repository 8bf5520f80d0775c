"""The one order of batches for all implementations.

The order depends on the seed and the epoch alone: not on the implementation, the device, or the number of epochs. Every
image is used exactly once an epoch. The last batch is smaller if the batch size does not divide their number, and it is
never dropped.
"""

import math

import numpy as np

from shared import augmentation, randomness
from shared.choices import Augmentation


def n_batches(n_images: int, batch_size: int) -> int:
    """Return the number of batches of one epoch, including a smaller last one."""
    return math.ceil(n_images / batch_size)


def epoch_order(n_images: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the images in epoch `epoch` (from 1): a permutation of 0 ... n_images - 1, int64."""
    return randomness.permutation(n_images, "order", seed, epoch)


def epoch_batches(n_images: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the indices of the images in each batch of epoch `epoch` (from 1), in order."""
    order = epoch_order(n_images, seed, epoch)
    return [order[start : start + batch_size] for start in range(0, n_images, batch_size)]


class EpochBatches:
    """The batches of epoch `epoch` (from 1): images (N, H, W, C) after the changes of `kind`, and their labels (N,).

    The change of an image depends on the seed, the epoch and its index alone, not on its batch.
    """

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, epoch: int, kind: Augmentation
    ) -> None:
        self.images = images
        self.labels = labels
        self.indices = epoch_batches(len(images), batch_size, seed, epoch)
        self.kind = kind
        self._chances = augmentation.chances(len(images), seed, epoch, kind)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        indices = self.indices[number]
        images = augmentation.augment(self.images[indices], self._chances[indices], self.kind)
        return images, self.labels[indices]
