"""torch_impl with three more networks."""

import torch.nn.functional as F
from torch import Tensor, nn

from more_networks import FLATTEN_BEHIND_DENSE, NO_DENSE, POOLED
from torch_impl import create, describe, exporters, fit, framework, idiom, ledger, matrix_product, memory_copy
from torch_impl.models import MODELS, Tap, untapped

__all__ = ["create", "describe", "exporters", "fit", "framework", "idiom", "ledger", "matrix_product", "memory_copy"]


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:
        x = tap("stem", F.relu(self.stem(x)))
        x = tap("mean", x.mean((2, 3)))
        return tap("head", self.head(x))


class FlattenBehindDense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(1, 3)
        self.head = nn.Linear(588, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:
        x = F.relu(self.mix(x.permute(0, 2, 3, 1)))  # a dense layer at each position
        x = tap("mix", x.permute(0, 3, 1, 2))
        x = tap("half", F.max_pool2d(x, 2))
        x = tap("row", x.flatten(1))
        return tap("head", self.head(x))


class NoDense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, kernel_size=3)
        self.votes = nn.Conv2d(6, 10, kernel_size=1)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:
        x = tap("stem", F.relu(self.stem(x)))
        x = tap("votes", self.votes(x))
        return tap("mean", x.mean((2, 3)))


MODELS |= {POOLED.name: Pooled, FLATTEN_BEHIND_DENSE.name: FlattenBehindDense, NO_DENSE.name: NoDense}
