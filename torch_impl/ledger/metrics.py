"""PyTorch's forms of the rows about metrics, and about the losses that are reported."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_impl.ledger.forms import aligned, both, own


@own("epoch-loss")
def loss_of_the_last_step(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> Tensor:
    weight = nn.Parameter(torch.tensor(kernel))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    for batch, target in zip(torch.tensor(x).split(4), torch.tensor(labels).split(4), strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(batch @ weight, target)
        loss.backward()
        optimizer.step()
    return loss


@aligned("epoch-loss")
def mean_loss_of_the_epoch(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    weight = nn.Parameter(torch.tensor(kernel))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    total = 0.0
    for batch, target in zip(torch.tensor(x).split(4), torch.tensor(labels).split(4), strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(batch @ weight, target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return np.array(total / len(x))


@own("validation-average")
def mean_loss_of_the_batches(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    losses = []
    for batch, target in zip(torch.tensor(x).split(4), torch.tensor(labels).split(4), strict=True):
        losses.append(F.cross_entropy(batch @ torch.tensor(kernel), target).item())
    return np.array(sum(losses) / len(losses))


@aligned("validation-average")
def mean_loss_of_the_images(x: np.ndarray, kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    total = 0.0
    for batch, target in zip(torch.tensor(x).split(4), torch.tensor(labels).split(4), strict=True):
        total += F.cross_entropy(batch @ torch.tensor(kernel), target).item() * len(batch)
    return np.array(total / len(x))


@own("rmse-average")
def mean_of_roots(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    batches = zip(torch.tensor(predictions).split(4), torch.tensor(targets).split(4), strict=True)
    return torch.stack([F.mse_loss(prediction, target).sqrt() for prediction, target in batches]).mean()


@aligned("rmse-average")
def root_of_the_mean(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    batches = zip(torch.tensor(predictions).split(4), torch.tensor(targets).split(4), strict=True)
    total = torch.stack([F.mse_loss(prediction, target, reduction="sum") for prediction, target in batches]).sum()
    return (total / len(predictions)).sqrt()


@both("metric-accumulates")
def accuracies(labels: np.ndarray, predictions: np.ndarray) -> Tensor:
    batches = zip(torch.tensor(labels), torch.tensor(predictions), strict=True)
    return torch.stack([(label == prediction).double().mean() for label, prediction in batches])


@both("accuracy-of-logits")
def binary_accuracy(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return ((torch.tensor(logits) > 0) == torch.tensor(labels)).double().mean()


@own("accuracy-broadcast")
def accuracy(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return (torch.tensor(logits).argmax(1) == torch.tensor(labels)).double().mean()


@aligned("accuracy-broadcast")
def accuracy_with_squeezed_labels(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return (torch.tensor(logits).argmax(1) == torch.tensor(labels).squeeze(1)).double().mean()


@own("top-k-ties")
def top_2_accuracy(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    chosen = torch.tensor(logits).topk(2).indices
    return (chosen == torch.tensor(labels)[:, None]).any(1).float().mean()


@aligned("top-k-ties")
def top_2_accuracy_with_ties(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    scores = torch.tensor(logits)
    true = scores.gather(1, torch.tensor(labels)[:, None])
    return ((scores > true).sum(1) < 2).float().mean()


@both("auc")
def auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    from sklearn.metrics import roc_auc_score

    return np.array(roc_auc_score(labels, scores))
