"""PyTorch's backward passes that are not exact in float64, put right in a worker that compares models.

The backward pass of hardsigmoid multiplies by 1/6 rounded to float32, whatever it computes in (ATen's
hardsigmoid_backward_kernel). In float64 its gradient is off by 3e-8, so an equal model would be called different.
"""

import warnings
from functools import cache

import torch


def _hardsigmoid_backward(grad_output: torch.Tensor, self: torch.Tensor) -> torch.Tensor:
    """The gradient by `self` (any shape): a sixth of the given one within -3 and 3, 0 elsewhere."""
    within = (self > -3) & (self < 3)
    return torch.where(within, grad_output / 6, torch.zeros_like(grad_output))


@cache
def mend() -> torch.library.Library:
    """Replace the backward passes on the CPU, once in a process. What is returned has to be kept."""
    library: torch.library.Library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():  # that a kernel is replaced, as is meant
        warnings.simplefilter("ignore")
        library.impl("hardsigmoid_backward", _hardsigmoid_backward, "CPU")  # type: ignore[no-untyped-call]
    return library
