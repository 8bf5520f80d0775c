"""Exact replacements for PyTorch's backward passes that are inexact in float64, in a worker that compares models.

The backward pass of hardsigmoid multiplies by 1/6 rounded to float32 in any precision (ATen's
hardsigmoid_backward_kernel). In float64 its gradient is off by 3e-8, and an equal model would be called different.
"""

import warnings
from functools import cache

import torch


def _hardsigmoid_backward(grad_output: torch.Tensor, self: torch.Tensor) -> torch.Tensor:
    """Return the gradient by `self` (any shape): a sixth of the given one within -3 and 3, 0 elsewhere."""
    within = (self > -3) & (self < 3)
    return torch.where(within, grad_output / 6, torch.zeros_like(grad_output))


@cache
def mend() -> torch.library.Library:
    """Replace the backward passes on the CPU, once in a process. The caller has to keep the result."""
    library: torch.library.Library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():  # hides the warning that a kernel is replaced
        warnings.simplefilter("ignore")
        library.impl("hardsigmoid_backward", _hardsigmoid_backward, "CPU")  # type: ignore[no-untyped-call]
    return library
