"""Measure the machine's limits with PyTorch."""

from collections.abc import Callable

import torch

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """Return a function that multiplies two matrices (size, size) and waits for the result."""
    a, b, c = (torch.rand(size, size, device=device) for _ in range(3))

    def multiply() -> None:
        torch.mm(a, b, out=c)
        _wait(device)

    return multiply


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """Return a function that copies `n_values` float32 numbers and waits for the result."""
    source, target = (torch.ones(n_values, device=device) for _ in range(2))

    def copy() -> None:
        target.copy_(source)
        _wait(device)

    return copy


def _wait(device: Device) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
