"""PyTorch's optimizers, with every constant stated as shared/training.py has it."""

import torch
from torch import nn

from shared.training import SGD, Adam, AdamW, TrainSpec
from torch_impl.tuning import Tuning


def matched(module: nn.Module, train: TrainSpec, tuning: Tuning) -> torch.optim.Optimizer | None:
    """The matched optimizer; None in the idiomatic recipe, which has one of its own."""
    if "optimizer" in train.own:
        return torch.optim.Adam(module.parameters())
    match train.optimizer:
        case None:
            return None
        case Adam() | AdamW() as adam:
            # PyTorch's Adam is the paper's: epsilon is added to the root of the corrected second moment.
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
