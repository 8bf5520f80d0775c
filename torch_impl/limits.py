"""What the machine's limits are measured with, in PyTorch."""

from collections.abc import Callable

import torch

from shared.choices import Device


def matrix_product(device: Device, size: int) -> Callable[[], None]:
    """A product of two matrices (size, size), waited for."""
    a, b, c = (torch.rand(size, size, device=device) for _ in range(3))

    def multiply() -> None:
        torch.mm(a, b, out=c)
        _wait(device)

    return multiply


def memory_copy(device: Device, n_values: int) -> Callable[[], None]:
    """A copy of `n_values` float32 numbers, waited for."""
    source, target = (torch.ones(n_values, device=device) for _ in range(2))

    def copy() -> None:
        target.copy_(source)
        _wait(device)

    return copy


def _wait(device: Device) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
