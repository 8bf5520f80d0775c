"""Canonical names and layouts <-> those of PyTorch.

What differs: the names in `NAMES`; convolution kernels are (out, in, height, width) instead of (height, width,
in, out), and dense ones (out, in) instead of (in, out); and because PyTorch flattens channels-first, the inputs of
the first dense layer come in another order, so its rows are permuted.
"""

import numpy as np
import torch
from torch import Tensor, nn

from shared.models import ModelSpec
from shared.weights import Weights

FIRST_DENSE = "dense1/kernel"
NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def load(module: nn.Module, spec: ModelSpec, weights: Weights) -> None:
    """Set the parameters of `module`."""
    named = named_tensors(module)
    with torch.no_grad():
        for p in spec.parameters:
            named[torch_name(p.name)].copy_(torch.tensor(from_canonical(spec, p.name, weights[p.name])))


def export(spec: ModelSpec, tensors: dict[str, Tensor]) -> Weights:
    """Tensors by PyTorch's names (parameters, gradients, moments) as arrays under canonical names."""
    return {
        p.name: to_canonical(spec, p.name, tensors[torch_name(p.name)].detach().cpu().numpy())
        for p in spec.parameters
        if torch_name(p.name) in tensors
    }


def named_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and moving statistics, which PyTorch calls buffers, by PyTorch's names."""
    statistics = {name: b for name, b in module.named_buffers() if not name.endswith("num_batches_tracked")}
    return dict(module.named_parameters()) | statistics


def torch_name(name: str) -> str:
    """conv1/kernel -> conv1.weight, bn1/moving_variance -> bn1.running_var"""
    layer, part = name.split("/")
    return f"{layer}.{NAMES.get(part, part)}"


def from_canonical(spec: ModelSpec, name: str, value: np.ndarray) -> np.ndarray:
    """A canonical array in PyTorch's layout."""
    if name == FIRST_DENSE:
        height, width, channels = spec.flatten_shape
        rows = value.reshape(height, width, channels, -1).transpose(2, 0, 1, 3)
        return rows.reshape(value.shape).T
    if value.ndim == 4:
        return value.transpose(3, 2, 0, 1)
    return value.T


def to_canonical(spec: ModelSpec, name: str, value: np.ndarray) -> np.ndarray:
    """An array in PyTorch's layout in the canonical one; a copy."""
    if name == FIRST_DENSE:
        height, width, channels = spec.flatten_shape
        rows = value.T.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
        return rows.reshape(value.T.shape).copy()
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0).copy()
    return value.T.copy()
