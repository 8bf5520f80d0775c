"""The architectures as `nn.Module`s. Each meets its contract in shared/models.py.

Images are channels-first, (N, channels, height, width), as is usual in PyTorch. Every layer's output passes through
`tap` under the layer's name in the contract. `tap` returns it unchanged; parity checks and pictures record it.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.layers import BatchNorm

Tap = Callable[[str, Tensor], Tensor]


def untapped(name: str, output: Tensor) -> Tensor:
    """Return the output unchanged."""
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


class CnnWideValid(nn.Module):
    """Two unpadded convolutions of 64 channels, each with ReLU and max-pooling, then two dense layers: 243,786
    parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, kernel_size=3)
        self.conv2 = nn.Conv2d(64, 64, kernel_size=3)
        self.dense1 = nn.Linear(1600, 128)
        self.dense2 = nn.Linear(128, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 64, 26, 26)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 64, 13, 13)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 64, 11, 11)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 5, 5)
        x = tap("flatten", x.flatten(1))  # (N, 1600)
        x = tap("dense1", F.relu(self.dense1(x)))  # (N, 128)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnHeadlessValid(nn.Module):
    """Two unpadded convolutions, each with ReLU and max-pooling, and no hidden dense layer: 34,826 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3)
        self.dense1 = nn.Linear(1600, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 32, 26, 26)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 32, 13, 13)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 64, 11, 11)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 5, 5)
        x = tap("flatten", x.flatten(1))  # (N, 1600)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnBnCifar(nn.Module):
    """Twice two padded convolutions, each with ReLU and batch normalisation, and max-pooling, then two dense layers:
    2,171,178 parameters, of them 2,169,770 trainable."""

    def __init__(self, norm2d: type[nn.Module] = BatchNorm, norm1d: type[nn.Module] = BatchNorm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, kernel_size=3, padding=1)
        self.bn1 = norm2d(32)
        self.conv2 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.bn2 = norm2d(32)
        self.conv3 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.bn3 = norm2d(64)
        self.conv4 = nn.Conv2d(64, 64, kernel_size=3, padding=1)
        self.bn4 = norm2d(64)
        self.dense1 = nn.Linear(4096, 512)
        self.bn5 = norm1d(512)
        self.dense2 = nn.Linear(512, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 3, 32, 32)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 32, 32, 32)
        x = tap("bn1", self.bn1(x))  # (N, 32, 32, 32)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 32, 32, 32)
        x = tap("bn2", self.bn2(x))  # (N, 32, 32, 32)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 32, 16, 16)
        x = tap("conv3", F.relu(self.conv3(x)))  # (N, 64, 16, 16)
        x = tap("bn3", self.bn3(x))  # (N, 64, 16, 16)
        x = tap("conv4", F.relu(self.conv4(x)))  # (N, 64, 16, 16)
        x = tap("bn4", self.bn4(x))  # (N, 64, 16, 16)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 8, 8)
        x = tap("flatten", x.flatten(1))  # (N, 4096)
        x = tap("dense1", F.relu(self.dense1(x)))  # (N, 512)
        x = tap("bn5", self.bn5(x))  # (N, 512)
        return tap("dense2", self.dense2(x))  # (N, 10)


class CnnBnValid(nn.Module):
    """Twice two unpadded convolutions, each with ReLU, then batch normalisation and max-pooling, and one dense layer:
    88,042 parameters, of them 87,850 trainable."""

    def __init__(self, norm2d: type[nn.Module] = BatchNorm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=5)
        self.conv2 = nn.Conv2d(32, 32, kernel_size=5)
        self.bn1 = norm2d(32)
        self.conv3 = nn.Conv2d(32, 64, kernel_size=3)
        self.conv4 = nn.Conv2d(64, 64, kernel_size=3)
        self.bn2 = norm2d(64)
        self.dense1 = nn.Linear(576, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 32, 24, 24)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 32, 20, 20)
        x = tap("bn1", self.bn1(x))  # (N, 32, 20, 20)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 32, 10, 10)
        x = tap("conv3", F.relu(self.conv3(x)))  # (N, 64, 8, 8)
        x = tap("conv4", F.relu(self.conv4(x)))  # (N, 64, 6, 6)
        x = tap("bn2", self.bn2(x))  # (N, 64, 6, 6)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 3, 3)
        x = tap("flatten", x.flatten(1))  # (N, 576)
        return tap("dense1", self.dense1(x))  # (N, 10)


class CnnDeepDropout(nn.Module):
    """Three padded 5 x 5 convolutions, each with ReLU and max-pooling, then two dense layers with dropout between:
    405,898 parameters."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=5, padding=2)
        self.conv3 = nn.Conv2d(64, 128, kernel_size=5, padding=2)
        self.dense1 = nn.Linear(1152, 128)
        self.dropout1 = nn.Dropout(dropout)
        self.dense2 = nn.Linear(128, 10)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:  # (N, 1, 28, 28)
        x = tap("conv1", F.relu(self.conv1(x)))  # (N, 32, 28, 28)
        x = tap("pool1", F.max_pool2d(x, 2))  # (N, 32, 14, 14)
        x = tap("conv2", F.relu(self.conv2(x)))  # (N, 64, 14, 14)
        x = tap("pool2", F.max_pool2d(x, 2))  # (N, 64, 7, 7)
        x = tap("conv3", F.relu(self.conv3(x)))  # (N, 128, 7, 7)
        x = tap("pool3", F.max_pool2d(x, 2))  # (N, 128, 3, 3)
        x = tap("flatten", x.flatten(1))  # (N, 1152)
        x = tap("dense1", F.relu(self.dense1(x)))  # (N, 128)
        x = tap("dropout1", self.dropout1(x))  # (N, 128)
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
    "cnn_wide_valid": CnnWideValid,
    "cnn_headless_valid": CnnHeadlessValid,
    "cnn_bn_cifar": CnnBnCifar,
    "cnn_bn_valid": CnnBnValid,
    "cnn_deep_dropout": CnnDeepDropout,
    "dense_baseline": DenseBaseline,
}
