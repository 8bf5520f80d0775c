"""Train as a good PyTorch tutorial would today, with PyTorch's own layers and defaults."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, random_split

from shared.data import Data, channel_statistics
from shared.protocol import FittedEpoch, Idiom, OnEpoch
from shared.training import TrainSpec

IDIOM = Idiom(
    scale="standard",
    choices={
        "optimizer": "torch.optim.Adam with its defaults: learning rate 0.001, epsilon 1e-8 outside the root",
        "initial weights": "PyTorch's own: kernels and biases uniform within 1 / sqrt(fan in)",
        "batches": "DataLoader, shuffled again each epoch, torchvision transforms image by image",
        "input": "Normalize with the training images' mean and standard deviation",
        "loss": "CrossEntropyLoss on logits",
        "validation": "a tenth of the training images, by random_split",
    },
)


class ImageDataset(Dataset[tuple[Tensor, int]]):
    """A data set of images (N, H, W, C) and labels (N,) that transforms the images one by one."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform: Callable[[np.ndarray], Tensor]) -> None:
        self.images = images
        self.labels = labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def fit(module: nn.Module, device: torch.device, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `module` as shared/protocol.py specifies."""
    from torchvision.transforms import v2  # as slow to import as PyTorch, and used here only

    mean, deviation = channel_statistics(data.x_train)
    transform = v2.Compose(
        [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean.tolist(), deviation.tolist())]
    )
    dataset = ImageDataset(data.x_train, data.y_train, transform)
    n_validation = len(dataset) // 10
    training_set, validation_set = random_split(dataset, [len(dataset) - n_validation, n_validation])
    loader = DataLoader(training_set, batch_size=train.batch_size, shuffle=True)
    validation_loader = DataLoader(validation_set, batch_size=250)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(module.parameters())

    for _ in range(train.epochs):
        start = time.perf_counter()
        train_loss, train_accuracy = train_epoch(module, loader, loss_function, optimizer, device)
        train_s = time.perf_counter() - start
        validation_loss, validation_accuracy = evaluate(module, validation_loader, loss_function, device)
        on_epoch(FittedEpoch(train_loss, train_accuracy, validation_loss, validation_accuracy, len(loader), train_s))
        if train.stop_at is not None and train_accuracy >= train.stop_at:
            break


def train_epoch(
    module: nn.Module,
    loader: DataLoader[tuple[Tensor, int]],
    loss_function: nn.Module,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
) -> tuple[float, float]:
    """Train for one pass over the training images. Return the mean loss and the accuracy during it."""
    module.train()
    total_loss, n_right, n_seen = 0.0, 0, 0
    for batch_images, batch_labels in loader:
        images, labels = batch_images.to(device), batch_labels.to(device)
        optimizer.zero_grad()
        logits = module(images)
        loss = loss_function(logits, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(labels)
        n_right += int((logits.argmax(1) == labels).sum().item())
        n_seen += len(labels)
    return total_loss / n_seen, n_right / n_seen


@torch.no_grad()
def evaluate(
    module: nn.Module, loader: DataLoader[tuple[Tensor, int]], loss_function: nn.Module, device: torch.device
) -> tuple[float, float]:
    """Return the mean loss and the accuracy over all images of `loader`."""
    module.eval()
    total_loss, n_right, n_seen = 0.0, 0, 0
    for batch_images, batch_labels in loader:
        images, labels = batch_images.to(device), batch_labels.to(device)
        logits = module(images)
        total_loss += loss_function(logits, labels).item() * len(labels)
        n_right += int((logits.argmax(1) == labels).sum().item())
        n_seen += len(labels)
    return total_loss / n_seen, n_right / n_seen
