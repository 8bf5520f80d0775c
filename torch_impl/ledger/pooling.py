"""PyTorch's forms of the rows about pooling."""

import numpy as np
import torch
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


def channels_first(images: np.ndarray) -> Tensor:
    return torch.tensor(images).permute(0, 3, 1, 2)


def channels_last(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1)


@own("pool-same")
@aligned("pool-ceil")
def max_pool_with_padding(x: np.ndarray) -> Tensor:
    return channels_last(nn.MaxPool2d(3, stride=2, padding=1)(channels_first(x)))


@aligned("pool-same")
@own("pool-ceil")
def max_pool_with_ceil_mode(x: np.ndarray) -> Tensor:
    return channels_last(nn.MaxPool2d(3, stride=2, ceil_mode=True)(channels_first(x)))


@both("pool-odd")
def max_pool(x: np.ndarray) -> Tensor:
    return channels_last(nn.MaxPool2d(2)(channels_first(x)))


@both("pool-indices")
def indices_of_maxima(x: np.ndarray) -> Tensor:
    _, indices = nn.MaxPool2d(2, return_indices=True)(channels_first(x))
    return channels_last(indices)


@both("pool-nan")
def nans_after_max_pool(x: np.ndarray) -> Tensor:
    logarithms = torch.log(channels_first(x))
    return torch.isnan(nn.MaxPool2d(2)(logarithms)).sum()


@own("average-pool-border")
def average_pool_of_same_size(x: np.ndarray) -> Tensor:
    return channels_last(nn.AvgPool2d(3, stride=1, padding=1)(channels_first(x)))


@aligned("average-pool-border")
def average_pool_without_border(x: np.ndarray) -> Tensor:
    layer = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return channels_last(layer(channels_first(x)))


@own("average-pool-same")
def average_pool_with_padding(x: np.ndarray) -> Tensor:
    return channels_last(nn.AvgPool2d(3, stride=2, padding=1)(channels_first(x)))


@aligned("average-pool-same")
def average_pool_with_ceil_mode(x: np.ndarray) -> Tensor:
    return channels_last(nn.AvgPool2d(3, stride=2, ceil_mode=True)(channels_first(x)))


@both("adaptive-pool")
def adaptive_average_pool(x: np.ndarray) -> Tensor:
    return channels_last(nn.AdaptiveAvgPool2d(3)(channels_first(x)))


@both("global-pool-shape")
def global_average_pool(x: np.ndarray) -> Tensor:
    return channels_last(nn.AdaptiveAvgPool2d(1)(channels_first(x)))
