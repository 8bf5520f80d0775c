"""PyTorch's forms of the rows about resizing and cropping images.

torchvision takes seconds to import, so that its forms do it themselves.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


def channels_first(images: np.ndarray) -> Tensor:
    return torch.tensor(images).permute(0, 3, 1, 2)


def channels_last(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1)


@both("resize-antialias")
def reduced_by_torchvision(x: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return channels_last(functional.resize(channels_first(x), [3, 3]))


@own("resize-corners")
def doubled_bilinear(x: np.ndarray) -> Tensor:
    return channels_last(nn.UpsamplingBilinear2d(scale_factor=2)(channels_first(x)))


@aligned("resize-corners")
@both("resize-bilinear")
def upsampled_bilinear(x: np.ndarray) -> Tensor:
    return channels_last(nn.Upsample(scale_factor=2, mode="bilinear")(channels_first(x)))


@both("resize-tf1")
def interpolated_bilinear(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(14, 14), mode="bilinear"))


@own("resize-bicubic")
def interpolated_bicubic(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(14, 14), mode="bicubic"))


@aligned("resize-bicubic")
def interpolated_bicubic_with_antialias(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(14, 14), mode="bicubic", antialias=True))


@own("resize-nearest")
def reduced_nearest(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(3, 3), mode="nearest"))


@aligned("resize-nearest")
def reduced_nearest_exact(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(3, 3), mode="nearest-exact"))


@own("resize-mode")
def resized(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(5, 5)))


@aligned("resize-mode")
def resized_bilinear(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(5, 5), mode="bilinear"))


@own("resize-scale-factor")
def enlarged_by_factor(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), scale_factor=1.5, mode="bilinear"))


@aligned("resize-scale-factor")
def enlarged_to_size(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(7, 7), mode="bilinear"))


@both("resize-area")
def reduced_by_area(x: np.ndarray) -> Tensor:
    return channels_last(F.interpolate(channels_first(x), size=(3, 3), mode="area"))


@both("resize-bytes")
def doubled_bytes(x: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return channels_last(functional.resize(channels_first(x).to(torch.uint8), [6, 6]))


@own("resize-aspect")
def shorter_side_resized(x: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return channels_last(functional.resize(channels_first(x), 4))


@aligned("resize-aspect")
def both_sides_resized(x: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return channels_last(functional.resize(channels_first(x), [4, 4], antialias=False))


@both("center-crop")
def centre(x: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return channels_last(functional.center_crop(channels_first(x), [4, 4]))
