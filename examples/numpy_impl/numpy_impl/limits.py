"""Measure the machine's limits with NumPy."""

from collections.abc import Callable

import numpy as np

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """Return a function that multiplies two float32 matrices (size, size)."""
    a, product = np.ones((size, size), np.float32), np.empty((size, size), np.float32)

    def run() -> None:
        np.matmul(a, a, out=product)

    return run


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """Return a function that copies `n_values` float32 numbers."""
    # Both are written first. Memory that was never written is a single page of zeros, which stays in the cache.
    source, target = np.ones(n_values, np.float32), np.ones(n_values, np.float32)
    return lambda: np.copyto(target, source)
