"""Compute single convolutions and matrix products of a training step in PyTorch, to compare with the step's time."""

from collections.abc import Callable

import torch
from torch import Tensor

from shared.choices import Device
from shared.products import Product

FORMATS = (torch.contiguous_format, torch.channels_last)


def product_alone(product: Product, batch_size: int, device: Device) -> tuple[Callable[[], None], ...]:
    """Return functions that each compute `product` for a batch of random float32 numbers and wait for the result.

    A convolution has one function for each memory layout.
    """
    forms = FORMATS if len(product.kernel) == 4 else FORMATS[:1]
    return tuple(_waited(_of(product, batch_size, device, form), device) for form in forms)


def _of(product: Product, batch_size: int, device: Device, form: torch.memory_format) -> Callable[[], Tensor]:
    def random(*shape: int) -> Tensor:
        values = torch.rand(shape, device=device)
        return values.to(memory_format=form) if len(shape) == 4 else values

    if len(product.kernel) == 2:
        n_in, n_out = product.kernel
        x, kernel, upstream = random(batch_size, n_in), random(n_out, n_in), random(batch_size, n_out)
        match product.by:
            case "output":
                return lambda: torch.mm(x, kernel.t())
            case "weights":
                return lambda: torch.mm(upstream.t(), x)
            case "inputs":
                return lambda: torch.mm(upstream, kernel)
    height, width, n_in, n_out = product.kernel
    padding = [height // 2, width // 2] if product.same else [0, 0]
    x, kernel = random(batch_size, n_in, *product.taken[:2]), random(n_out, n_in, height, width)
    upstream = random(batch_size, n_out, *product.given[:2])
    if product.by == "output":
        return lambda: torch.conv2d(x, kernel, padding=padding)
    wanted = [product.by == "inputs", product.by == "weights", False]

    def backward() -> Tensor:
        gradients = torch.ops.aten.convolution_backward(
            upstream, x, kernel, None, [1, 1], padding, [1, 1], False, [0, 0], 1, wanted
        )
        return gradients[wanted.index(True)]

    return backward


def _waited(compute: Callable[[], Tensor], device: Device) -> Callable[[], None]:
    def run() -> None:
        with torch.no_grad():
            compute()
        if device == "cuda":
            torch.cuda.synchronize()

    return run
