"""The layer for which PyTorch's own follows another definition than shared/models.py states."""

from typing import Any

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalisation of (N, C) or (N, C, H, W), with the names of PyTorch's own.

    `nn.BatchNorm2d` normalises by the biased variance but keeps a moving average of the unbiased one; here there is
    one variance. And it refuses a batch of one, which may be all that is left at the end of an epoch.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.eps = 1e-3
        self.momentum = 0.1  # the weight of the new value
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weight.dtype)  # of bfloat16 the statistics would keep two digits
        if not self.training:
            return _normalise(x, self.weight, self.bias, self.running_mean, self.running_var, self.eps)
        with torch.no_grad():
            mean = _channel_mean(x)
            variance = _channel_mean((x.movedim(1, -1) - mean).square_().movedim(-1, 1))  # divided by n
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
        return _NormaliseByBatch.apply(x, self.weight, self.bias, mean, variance, self.eps)


class _NormaliseByBatch(torch.autograd.Function):
    """Normalisation by a batch's own mean and variance, with PyTorch's kernels for both ways.

    Left to itself `torch.batch_norm` would compute mean and variance once more, on a CPU by adding all values up one
    after another: over the 65,536 of a batch in float64, three digits are lost.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + eps))
        ctx.eps = eps
        return _normalise(x, weight, bias, mean, variance, eps)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse_deviation = ctx.saved_tensors
        of_batch, all_three = True, [True, True, True]
        gradients = torch.ops.aten.native_batch_norm_backward(
            upstream[0], x, weight, None, None, mean, inverse_deviation, of_batch, ctx.eps, all_three
        )
        return (*gradients, None, None, None)


def _channel_mean(x: Tensor) -> Tensor:
    """The mean over all axes but the second: short sums of short sums lose no digits, compiled or not."""
    return (x.flatten(2).mean(2) if x.ndim > 2 else x).mean(0)


def _normalise(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float) -> Tensor:
    move, momentum = False, 0.0  # nothing is moved here
    return torch.batch_norm(x, weight, bias, mean, variance, move, momentum, eps, torch.backends.cudnn.enabled)
