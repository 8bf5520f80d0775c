"""PyTorch's forms of the rows about learning rates that change, and about gradients that are clipped."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm
from torch.optim import lr_scheduler

from torch_impl.ledger.forms import aligned, both, own


def sgd(rate: float) -> torch.optim.SGD:
    """An optimizer of one parameter."""
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=rate)


def rates(scheduler: lr_scheduler.LRScheduler, n: int) -> np.ndarray:
    """The learning rates of n steps."""
    found = []
    for _ in range(n):
        found.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return np.array(found)


@own("cosine-end")
def cosine() -> np.ndarray:
    return rates(lr_scheduler.CosineAnnealingLR(sgd(0.1), 10), 15)


@aligned("cosine-end")
def cosine_that_ends() -> np.ndarray:
    return rates(lr_scheduler.LambdaLR(sgd(0.1), lambda step: (1 + math.cos(math.pi * min(step, 10) / 10)) / 2), 15)


@both("cosine-restarts")
def restarts() -> np.ndarray:
    return rates(lr_scheduler.CosineAnnealingWarmRestarts(sgd(0.1), 4), 14)


@both("step-decay")
def steps() -> np.ndarray:
    return rates(lr_scheduler.StepLR(sgd(0.1), 4, gamma=0.1), 10)


@both("milestones")
def milestones() -> np.ndarray:
    return rates(lr_scheduler.MultiStepLR(sgd(1.0), [3, 5], gamma=1 / 8), 8)


@both("polynomial-end")
def polynomial() -> np.ndarray:
    return rates(lr_scheduler.PolynomialLR(sgd(0.1), total_iters=4), 7)


@own("warm-up")
def warm_up() -> np.ndarray:
    optimizer = sgd(0.1)
    warming = lr_scheduler.LinearLR(optimizer, total_iters=4)
    falling = lr_scheduler.CosineAnnealingLR(optimizer, 8)
    return rates(lr_scheduler.SequentialLR(optimizer, [warming, falling], [4]), 12)


@aligned("warm-up")
def warm_up_from_a_quarter() -> np.ndarray:
    optimizer = sgd(0.1)
    warming = lr_scheduler.LinearLR(optimizer, start_factor=1 / 4, total_iters=4)
    falling = lr_scheduler.CosineAnnealingLR(optimizer, 8)
    return rates(lr_scheduler.SequentialLR(optimizer, [warming, falling], [4]), 12)


@own("schedule-per-step")
def scheduled_epochs() -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _epoch in range(2):
        for _batch in range(3):
            found.append(scheduler.get_last_lr()[0])
            optimizer.step()
        scheduler.step()
    return np.array(found)


@aligned("schedule-per-step")
def scheduled_batches() -> np.ndarray:
    return rates(lr_scheduler.ExponentialLR(sgd(1.0), 0.5), 6)


@both("exponential-decay")
def exponential() -> np.ndarray:
    return rates(lr_scheduler.ExponentialLR(sgd(0.1), 0.9), 10)


@own("scheduler-before-step")
def scheduler_first() -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(5):
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    return np.array(found)


@aligned("scheduler-before-step")
def scheduler_last() -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(5):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(found)


@both("schedule-callback")
def halved() -> np.ndarray:
    return rates(lr_scheduler.LambdaLR(sgd(1.0), lambda epoch: 0.5**epoch), 5)


@own("plateau-patience")
def plateau(losses: np.ndarray) -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
    for loss in losses:
        scheduler.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    return np.array(found)


@aligned("plateau-patience")
def plateau_sooner(losses: np.ndarray) -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    for loss in losses:
        scheduler.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    return np.array(found)


@own("plateau-threshold")
def threshold(losses: np.ndarray) -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    for loss in losses:
        scheduler.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    return np.array(found)


@aligned("plateau-threshold")
def absolute_threshold(losses: np.ndarray) -> np.ndarray:
    optimizer, found = sgd(1.0), []
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, threshold_mode="abs")
    for loss in losses:
        scheduler.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    return np.array(found)


def parameters(*gradients: np.ndarray) -> list[nn.Parameter]:
    """Parameters of zeros, with these gradients."""
    made = [nn.Parameter(torch.zeros(len(gradient))) for gradient in gradients]
    for parameter, gradient in zip(made, gradients, strict=True):
        parameter.grad = torch.tensor(gradient)
    return made


@own("clip-norm", "clip-global-norm")
def clipped(a: np.ndarray, b: np.ndarray) -> Tensor:
    weights = parameters(a, b)
    clip_grad_norm_(weights, 1.0)
    torch.optim.SGD(weights, lr=1.0).step()
    return torch.cat(weights)


@aligned("clip-norm")
def clipped_one_by_one(a: np.ndarray, b: np.ndarray) -> Tensor:
    weights = parameters(a, b)
    for weight in weights:
        weight.grad /= max(weight.grad.norm().item(), 1.0)
    torch.optim.SGD(weights, lr=1.0).step()
    return torch.cat(weights)


@aligned("clip-global-norm")
def clipped_together(a: np.ndarray, b: np.ndarray) -> Tensor:
    weights = parameters(a, b)
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norm = max(get_total_norm(gradients).item(), 1.0)
    for gradient in gradients:
        gradient.div_(norm)
    torch.optim.SGD(weights, lr=1.0).step()
    return torch.cat(weights)


@both("clip-value")
def clipped_values(a: np.ndarray, b: np.ndarray) -> Tensor:
    weights = parameters(a, b)
    clip_grad_value_(weights, 1.0)
    torch.optim.SGD(weights, lr=1.0).step()
    return torch.cat(weights)
