"""The losses of every task (shared/task.py): each is the mean over the batch and the outputs."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from shared.choices import LossName

LOSSES: dict[LossName, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": F.cross_entropy,
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}
