"""PyTorch's forms of the rows about convolutions."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


def channels_first(images: np.ndarray) -> Tensor:
    return torch.tensor(images).permute(0, 3, 1, 2)


def channels_last(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1)


@own("convolution-same")
def convolution_padded(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv2d(channels_first(x), weight, stride=2, padding=1))


@aligned("convolution-same", "convolution-same-stride")
def convolution_padded_at_the_end(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    padded = F.pad(channels_first(x), (0, 1, 0, 1))
    return channels_last(F.conv2d(padded, weight, stride=2))


@own("convolution-same-stride")
def convolution_with_same_and_stride(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    try:
        layer = nn.Conv2d(1, 1, 3, stride=2, padding="same", bias=False)
    except ValueError:  # padding='same' is not supported for strided convolutions
        return torch.empty(0)
    layer.weight.data = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(layer(channels_first(x)))


@both("convolution-same-even")
def convolution_with_same(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv2d(channels_first(x), weight, padding="same"))


@both("convolution-same-dilated")
def dilated_convolution_with_same(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv2d(channels_first(x), weight, padding="same", dilation=2))


@both("convolution-dilated-stride")
def dilated_convolution_with_stride(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv2d(channels_first(x), weight, stride=2, dilation=2))


@own("convolution-layout")
def convolution_with_kernel_as_it_is(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(3, 3, 3, bias=False)
    layer.weight.data = torch.tensor(kernel)
    return channels_last(layer(channels_first(x)))


@aligned("convolution-layout")
def convolution_with_transposed_kernel(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(3, 3, 3, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1))
    return channels_last(layer(channels_first(x)))


@both("convolution-grouped")
def grouped_convolution(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(4, 6, 3, groups=2, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1))
    return channels_last(layer(channels_first(x)))


@own("depthwise-layout")
def depthwise_convolution_with_transposed_kernel(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(2, 4, 3, groups=2, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1).reshape(4, 1, 3, 3))
    return channels_last(layer(channels_first(x)))


@aligned("depthwise-layout")
def depthwise_convolution_with_channels_first(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(2, 4, 3, groups=2, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(2, 3, 0, 1).reshape(4, 1, 3, 3))
    return channels_last(layer(channels_first(x)))


@own("separable-bias")
def parameters_of_separable_convolution() -> np.ndarray:
    layer = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1))
    return np.array(sum(p.numel() for p in layer.parameters()))


@aligned("separable-bias")
def parameters_of_separable_convolution_with_one_bias() -> np.ndarray:
    layer = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.Conv2d(4, 8, 1))
    return np.array(sum(p.numel() for p in layer.parameters()))


@own("convolution-causal")
def convolution_padded_at_both_ends(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(2, 1, 0)
    return F.conv1d(torch.tensor(x).transpose(1, 2), weight, padding=2).transpose(1, 2)


@aligned("convolution-causal")
def causal_convolution(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(2, 1, 0)
    padded = F.pad(torch.tensor(x).transpose(1, 2), (2, 0))
    return F.conv1d(padded, weight).transpose(1, 2)


@own("convolution-steps")
def convolution_of_sequences(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv1d(5, 4, 3, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(2, 1, 0))
    return layer(torch.tensor(x))


@aligned("convolution-steps")
def convolution_of_transposed_sequences(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Conv1d(5, 4, 3, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(2, 1, 0))
    return layer(torch.tensor(x).transpose(1, 2)).transpose(1, 2)


@both("transposed-size")
def transposed_convolution(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv_transpose2d(channels_first(x), weight, stride=2, padding=1))


@own("transposed-same")
def transposed_convolution_with_output_padding(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv_transpose2d(channels_first(x), weight, stride=2, padding=1, output_padding=1))


@aligned("transposed-same")
def transposed_convolution_cut(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv_transpose2d(channels_first(x), weight, stride=2)[:, :, :8, :8])


@own("transposed-gap")
def transposed_convolution_with_wide_stride(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv_transpose2d(channels_first(x), weight, stride=3))


@aligned("transposed-gap")
def transposed_convolution_with_wide_stride_filled(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    weight = torch.tensor(kernel).permute(3, 2, 0, 1)
    return channels_last(F.conv_transpose2d(channels_first(x), weight, stride=3, output_padding=1))


@both("transposed-layout")
def transposed_convolution_of_channels(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.ConvTranspose2d(2, 3, 3, bias=False)
    layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1))
    return channels_last(layer(channels_first(x)))


@own("padding-order")
def padded(x: np.ndarray) -> Tensor:
    return channels_last(F.pad(channels_first(x), (1, 0, 0, 2)))


@aligned("padding-order")
def padded_columns_first(x: np.ndarray) -> Tensor:
    return channels_last(F.pad(channels_first(x), (0, 2, 1, 0)))


@both("padding-replicate")
def padded_by_copies(x: np.ndarray) -> Tensor:
    return channels_last(F.pad(channels_first(x), (2, 2, 2, 2), mode="replicate"))
