"""The layers that PyTorch defines differently from shared/models.py."""

from typing import Any

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalisation of (N, C) or (N, C, H, W), with the parameter names of PyTorch's own.

    `nn.BatchNorm2d` normalises by the biased variance but averages the unbiased one. Here both are the biased one.
    `nn.BatchNorm2d` also rejects a batch of one, which can remain at the end of an epoch.
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
        x = x.to(self.weight.dtype)  # in bfloat16 the statistics would keep only two digits
        if not self.training:
            return _normalise(x, self.weight, self.bias, self.running_mean, self.running_var, self.eps)
        with torch.no_grad():
            mean = _channel_mean(x)
            variance = _channel_mean((x.movedim(1, -1) - mean).square_().movedim(-1, 1))  # biased: divided by n
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
        return _NormaliseByBatch.apply(x, self.weight, self.bias, mean, variance, self.eps)


class LSTM(nn.Module):
    """One layer of an LSTM that starts from zero states. It maps sequences (N, T, n_in) to the state after each step,
    (N, T, size).

    `nn.LSTM` adds up two biases. An optimizer updates both, so their sum takes steps twice as long as Keras's single
    bias. Here there is one. The gates are in the order of PyTorch and Keras: input, forget, cell, output. Weights are
    (4 * size, n_in) and (4 * size, size), the bias is (4 * size,).
    """

    def __init__(self, n_in: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4 * size, n_in))
        self.recurrent_kernel = nn.Parameter(torch.zeros(4 * size, size))
        self.bias = nn.Parameter(torch.zeros(4 * size))

    def forward(self, x: Tensor) -> Tensor:
        first = x.new_zeros(1, len(x), self.recurrent_kernel.shape[1])
        tensors = [self.weight, self.recurrent_kernel, self.bias, torch.zeros_like(self.bias)]
        return torch.lstm(x, (first, first), tensors, True, 1, 0.0, self.training, False, True)[0]


class GRU(nn.Module):
    """One layer of a GRU that starts from a zero state. It maps sequences (N, T, n_in) to the state after each step,
    (N, T, size).

    The parameters have their gates in Keras's order: update, reset, new. PyTorch computes with reset first. Weights are
    (3 * size, n_in) and (3 * size, size). The bias (3 * size, 2) has a part for the input and one for the state, as in
    `nn.GRU` and in Keras's `reset_after=True`.
    """

    def __init__(self, n_in: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3 * size, n_in))
        self.recurrent_kernel = nn.Parameter(torch.zeros(3 * size, size))
        self.bias = nn.Parameter(torch.zeros(3 * size, 2))

    def forward(self, x: Tensor) -> Tensor:
        first = x.new_zeros(1, len(x), self.recurrent_kernel.shape[1])
        tensors = [self.weight, self.recurrent_kernel, self.bias[:, 0], self.bias[:, 1]]
        tensors = [_reset_first(tensor) for tensor in tensors]
        return torch.gru(x, first, tensors, True, 1, 0.0, self.training, False, True)[0]


def _reset_first(tensor: Tensor) -> Tensor:
    """Reorder rows (update, reset, new) to PyTorch's order (reset, update, new)."""
    update, reset, new = tensor.chunk(3)
    return torch.cat([reset, update, new])


class _NormaliseByBatch(torch.autograd.Function):
    """Normalise by the batch's own mean and variance, with PyTorch's kernels forward and backward.

    `torch.batch_norm` would compute the mean and the variance once more. On a CPU it adds all values up one after
    another. Over the 65,536 values of a batch in float64, that loses three digits.
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
    """Return the mean over all axes but the second. Short sums of short sums lose no digits, compiled or not."""
    return (x.flatten(2).mean(2) if x.ndim > 2 else x).mean(0)


def _normalise(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float) -> Tensor:
    move, momentum = False, 0.0  # the statistics given stay as they are
    return torch.batch_norm(x, weight, bias, mean, variance, move, momentum, eps, torch.backends.cudnn.enabled)


# The architectures with layers whose matched form differs from PyTorch's own.
OWN_LAYERS: dict[str, dict[str, Any]] = {
    "cnn_bn_cifar": {"norm2d": nn.BatchNorm2d, "norm1d": nn.BatchNorm1d},
    "cnn_bn_valid": {"norm2d": nn.BatchNorm2d},
}
