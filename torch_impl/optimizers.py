"""PyTorch's optimizers, with every constant set as in shared/training.py."""

import torch
from torch import nn

from shared.training import SGD, Adam, AdamW, TrainSpec
from torch_impl.tuning import Tuning

# PyTorch's names of an optimizer's tensors, and the names used here.
STATE_NAMES = {"exp_avg": "m", "exp_avg_sq": "v", "momentum_buffer": "velocity"}


def matched(module: nn.Module, train: TrainSpec, tuning: Tuning) -> torch.optim.Optimizer | None:
    """Return the matched optimizer, or None in the idiomatic recipe, which creates its own."""
    if "optimizer" in train.own:
        return torch.optim.Adam(module.parameters())
    match train.optimizer:
        case None:
            return None
        case Adam() | AdamW() as adam:
            # PyTorch's Adam is that of the paper: epsilon is added to the root of the corrected second moment.
            return (torch.optim.AdamW if isinstance(adam, AdamW) else torch.optim.Adam)(
                module.parameters(),
                lr=adam.learning_rate,
                betas=(adam.beta1, adam.beta2),
                eps=adam.epsilon,
                weight_decay=adam.weight_decay,
                amsgrad=False,
                fused=tuning.optimizer == "fused" or None,
            )
        case SGD() as sgd:
            return torch.optim.SGD(
                module.parameters(),
                lr=sgd.learning_rate,
                momentum=sgd.momentum,
                dampening=0.0,
                weight_decay=sgd.weight_decay,
                nesterov=False,
                fused=tuning.optimizer == "fused" or None,
            )


def settings(optimizer: torch.optim.Optimizer | None) -> dict[str, str]:
    """Return the optimizer's settings as PyTorch reports them, under the names shared by all implementations."""
    if optimizer is None:
        return {}
    group, *others = optimizer.param_groups
    name = type(optimizer).__name__.lower() + (f" in {len(others) + 1} groups" if others else "")
    said = {"optimizer": name, "weight decay": f"{group['weight_decay']:.12g}"}
    match optimizer:
        case torch.optim.Adam():
            beta1, beta2 = group["betas"]
            said |= {
                "beta1": f"{beta1:.12g}",
                "beta2": f"{beta2:.12g}",
                "epsilon": f"{group['eps']:.12g}",
                "amsgrad": "on" if group["amsgrad"] else "off",
            }
        case torch.optim.SGD():
            said |= {
                "momentum": f"{group['momentum']:.12g}",
                "dampening": f"{group['dampening']:.12g}",
                "nesterov": "on" if group["nesterov"] else "off",
            }
    return said
