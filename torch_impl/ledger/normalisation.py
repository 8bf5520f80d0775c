"""PyTorch's forms of the rows about layers that normalise."""

import numpy as np
import torch
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, own


@own("batchnorm-epsilon")
def batchnorm(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4)(torch.tensor(x[0]))


@aligned("batchnorm-epsilon")
def batchnorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4, eps=1e-3)(torch.tensor(x[0]))
