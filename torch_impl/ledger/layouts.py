"""PyTorch's forms of the rows about the order of axes and elements."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, own


def channels_first(images: np.ndarray) -> Tensor:
    return torch.tensor(images).permute(0, 3, 1, 2)


def channels_last(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1)


@own("dense-layout")
def dense_with_kernel_as_it_is(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(4, 4, bias=False)
    layer.weight.data = torch.tensor(kernel)
    return layer(torch.tensor(x))


@aligned("dense-layout")
def dense_with_transposed_kernel(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(4, 4, bias=False)
    layer.weight.data = torch.tensor(kernel.T)
    return layer(torch.tensor(x))


@own("dense-axis")
def dense_of_image(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(4, 4, bias=False)
    layer.weight.data = torch.tensor(kernel.T)
    return channels_last(layer(channels_first(x)))


@aligned("dense-axis")
def dense_of_channels(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(4, 4, bias=False)
    layer.weight.data = torch.tensor(kernel.T)
    return layer(channels_last(channels_first(x)))


@own("flatten-order")
def dense_of_flattened(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(18, 4, bias=False)
    layer.weight.data = torch.tensor(kernel.T)
    return layer(nn.Flatten()(channels_first(x)))


@aligned("flatten-order")
def dense_of_flattened_channels_last(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(18, 4, bias=False)
    layer.weight.data = torch.tensor(kernel.T)
    return layer(nn.Flatten()(channels_last(channels_first(x))))


@own("flatten-batch")
def flattened(x: np.ndarray) -> Tensor:
    return torch.flatten(channels_first(x))


@aligned("flatten-batch")
def flattened_by_image(x: np.ndarray) -> Tensor:
    return torch.flatten(channels_last(channels_first(x)), start_dim=1)


@own("reshape-order")
def reshaped(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).unflatten(1, (2, 3, 3))
    return channels_last(image)


@aligned("reshape-order")
def reshaped_channels_last(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).unflatten(1, (3, 3, 2)).permute(0, 3, 1, 2)
    return channels_last(image)


@own("reshape-image")
def image_reshaped(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).reshape(1, 3, 4, 4)
    return channels_last(image)


@aligned("reshape-image")
def image_permuted(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).permute(0, 3, 1, 2)
    return channels_last(image)


@own("pixel-shuffle")
def shuffled(x: np.ndarray) -> Tensor:
    return channels_last(nn.PixelShuffle(2)(channels_first(x)))


@aligned("pixel-shuffle")
def reordered_and_shuffled(x: np.ndarray) -> Tensor:
    reordered = channels_first(x).unflatten(1, (4, 2)).transpose(1, 2).flatten(1, 2)
    return channels_last(nn.PixelShuffle(2)(reordered))


@own("patches-order")
def patches(x: np.ndarray) -> Tensor:
    return F.unfold(channels_first(x), kernel_size=2, stride=2).transpose(1, 2)


@aligned("patches-order")
def reordered_patches(x: np.ndarray) -> Tensor:
    vectors = F.unfold(channels_first(x), kernel_size=2, stride=2).transpose(1, 2)
    return vectors.unflatten(2, (2, 4)).transpose(2, 3).flatten(2)


@own("concat-axis")
def concatenated(x: np.ndarray) -> Tensor:
    image = channels_first(x)
    return channels_last(torch.cat([image, image]))


@aligned("concat-axis")
def concatenated_channels(x: np.ndarray) -> Tensor:
    image = channels_first(x)
    return channels_last(torch.cat([image, image], dim=1))


@own("argmax-axis")
def index_of_maximum(x: np.ndarray) -> Tensor:
    return torch.argmax(torch.tensor(x))


@aligned("argmax-axis")
def index_of_maximum_in_row(x: np.ndarray) -> Tensor:
    return torch.argmax(torch.tensor(x), dim=-1)


@own("repeat-order")
def repeated(x: np.ndarray) -> Tensor:
    return torch.tensor(x).repeat(2)


@aligned("repeat-order")
def repeated_one_by_one(x: np.ndarray) -> Tensor:
    return torch.tensor(x).repeat_interleave(2)


@own("split-meaning")
def first_of_split(x: np.ndarray) -> Tensor:
    return torch.split(torch.tensor(x), 2)[0]


@aligned("split-meaning")
def first_of_chunks(x: np.ndarray) -> Tensor:
    return torch.chunk(torch.tensor(x), 2)[0]


@own("gather-meaning")
def gathered(x: np.ndarray, indices: np.ndarray) -> Tensor:
    return torch.gather(torch.tensor(x), 0, torch.tensor(indices))


@aligned("gather-meaning")
def indexed(x: np.ndarray, indices: np.ndarray) -> Tensor:
    return torch.tensor(x)[torch.tensor(indices)]
