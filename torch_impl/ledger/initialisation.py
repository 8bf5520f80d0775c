"""PyTorch's forms of the rows about initial weights and the random numbers that they are made of."""

import math
import random

import numpy as np
import torch
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


@own("init-kernel")
def kernel_spread(kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return nn.Linear(256, 128).weight.std(correction=0)


@aligned("init-kernel")
def kernel_loaded(kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.Linear(256, 128)
    layer.load_state_dict({"weight": torch.tensor(kernel.T), "bias": torch.tensor(bias)})
    return layer.weight.T


@own("init-bias")
def bias_spread(kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return nn.Linear(256, 128).bias.std(correction=0)


@aligned("init-bias")
def bias_loaded(kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.Linear(256, 128)
    layer.load_state_dict({"weight": torch.tensor(kernel.T), "bias": torch.tensor(bias)})
    return layer.bias


@both("init-convolution")
def convolution_beyond() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.Conv2d(16, 32, 3).weight.detach().numpy()
    return np.mean(abs(weight) > 1 / math.sqrt(9 * 16) + 1e-6)


@own("init-depthwise")
def depthwise_spread(kernel: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 64, 3, groups=64)
    nn.init.kaiming_normal_(layer.weight)
    return layer.weight.std(correction=0)


@aligned("init-depthwise")
def depthwise_loaded(kernel: np.ndarray) -> Tensor:
    layer = nn.Conv2d(64, 64, 3, groups=64, bias=False)
    layer.load_state_dict({"weight": torch.tensor(kernel).permute(2, 3, 0, 1)})
    return layer.weight.permute(2, 3, 0, 1)


@own("init-he-normal")
def he_normal() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.kaiming_normal_(torch.empty(128, 256)).numpy()
    return np.mean(abs(weight) > 2.5 * math.sqrt(2 / 256))


@aligned("init-he-normal")
def he_normal_cut() -> np.ndarray:
    torch.manual_seed(0)
    std = math.sqrt(2 / 256) / 0.87962566103423978
    weight = nn.init.trunc_normal_(torch.empty(128, 256), std=std, a=-2 * std, b=2 * std).numpy()
    return np.mean(abs(weight) > 2.5 * math.sqrt(2 / 256))


@own("init-truncated-normal")
def truncated_normal() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.trunc_normal_(torch.empty(128, 256), std=0.02).numpy()
    return np.mean(abs(weight) > 0.04)


@aligned("init-truncated-normal")
def truncated_normal_bounds() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.trunc_normal_(torch.empty(128, 256), std=0.02, a=-0.04, b=0.04).numpy()
    return np.mean(abs(weight) > 0.04)


@own("init-normal")
def normal() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.normal_(torch.empty(128, 256)).numpy()
    return np.mean(abs(weight) > 0.3)


@aligned("init-normal")
def normal_std() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.normal_(torch.empty(128, 256), std=0.05).numpy()
    return np.mean(abs(weight) > 0.3)


@own("init-uniform")
def uniform() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.uniform_(torch.empty(128, 256)).numpy()
    return np.mean(abs(weight) > 0.05)


@aligned("init-uniform")
def uniform_bounds() -> np.ndarray:
    torch.manual_seed(0)
    weight = nn.init.uniform_(torch.empty(128, 256), -0.05, 0.05).numpy()
    return np.mean(abs(weight) > 0.05)


@both("init-orthogonal")
def orthogonal() -> Tensor:
    torch.manual_seed(0)
    rows = nn.init.orthogonal_(torch.empty(8, 4, 3, 3)).flatten(1)
    return rows @ rows.T


@both("init-seed-reused")
def seeded() -> np.ndarray:
    generator = torch.Generator().manual_seed(0)
    first = nn.init.xavier_uniform_(torch.empty(16, 16), generator=generator)
    second = nn.init.xavier_uniform_(torch.empty(16, 16), generator=generator)
    return np.mean(first.numpy() == second.numpy())


@own("random-streams")
def numbers() -> Tensor:
    torch.manual_seed(0)
    return torch.rand(8)


@aligned("random-streams")
def numbers_of_numpy() -> Tensor:
    return torch.tensor(np.random.default_rng(0).random(8))


@own("random-seeds")
def seeded_alone() -> np.ndarray:
    torch.manual_seed(0)
    first = np.random.rand()
    torch.manual_seed(0)
    return np.array(np.random.rand() == first)


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@aligned("random-seeds")
def seeded_everywhere() -> np.ndarray:
    seed_everything(0)
    first = np.random.rand()
    seed_everything(0)
    return np.array(np.random.rand() == first)
