"""The architectures as `nn.Module`s; the contract that each must meet is in shared/models.py.

Images are channels-first here, (N, channels, height, width), as PyTorch has them. `tap` is told every layer's output
under the layer's name in the contract and returns it unchanged; parity checks and pictures listen there.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

Tap = Callable[[str, Tensor], Tensor]


def untapped(name: str, output: Tensor) -> Tensor:
    """Nobody listens."""
    return output


class CnnSame(nn.Module):
    """Two padded convolutions, each with ReLU and max-pooling, then two dense layers: 421,642 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.dense1 = nn.Linear(3136, 128)
        self.dense2 = nn.Linear(128, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 32, 28, 28)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 32, 14, 14)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 64, 14, 14)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 7, 7)
        x = tap("flatten", x.flatten(1))  # (N, 3136)
        x = tap("dense1", F.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class DenseBaseline(nn.Module):
    """One hidden dense layer, no convolution: 101,770 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1 = nn.Linear(784, 128)
        self.dense2 = nn.Linear(128, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("flatten", x.flatten(1))  # (N, 784)
        x = tap("dense1", F.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


MODELS: dict[str, type[nn.Module]] = {
    "cnn_same": CnnSame,
    "dense_baseline": DenseBaseline,
}
