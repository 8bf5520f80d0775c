"""Convert between the canonical names and layouts and those of PyTorch.

The names in `NAMES` differ; of embeddings only the name differs. Convolution kernels are (out, in, height, width)
instead of (height, width, in, out). Dense kernels are (out, in) instead of (in, out). PyTorch flattens channels-first,
so the rows of a parameter after a flatten are permuted.
"""

import numpy as np
import torch
from torch import Tensor, nn

from shared.models import ModelSpec, ParamSpec, Shape
from shared.weights import Weights

NAMES = {
    "kernel": "weight",
    "embeddings": "weight",
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
            named[torch_name(p.name)].copy_(torch.tensor(from_canonical(p, weights[p.name])))


def export(spec: ModelSpec, tensors: dict[str, Tensor]) -> Weights:
    """Return tensors, given by PyTorch's names, as arrays under canonical names: parameters, gradients or moments."""
    return {
        p.name: to_canonical(p, tensors[torch_name(p.name)].detach().cpu().numpy())
        for p in spec.parameters
        if torch_name(p.name) in tensors
    }


def named_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and moving statistics (buffers in PyTorch) by PyTorch's names."""
    statistics = {name: b for name, b in module.named_buffers() if not name.endswith("num_batches_tracked")}
    return dict(module.named_parameters()) | statistics


def torch_name(name: str) -> str:
    """Return PyTorch's name: conv1/kernel -> conv1.weight, bn1/moving_variance -> bn1.running_var."""
    layer, part = name.split("/")
    return f"{layer}.{NAMES.get(part, part)}"


def from_canonical(parameter: ParamSpec, value: np.ndarray) -> np.ndarray:
    """Convert a canonical array to PyTorch's layout."""
    if parameter.name.endswith("/embeddings"):
        return value
    if parameter.flattened:
        value = channels_first_rows(value, parameter.flattened)
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T


def to_canonical(parameter: ParamSpec, value: np.ndarray) -> np.ndarray:
    """Convert an array in PyTorch's layout to the canonical one, as a copy."""
    if parameter.name.endswith("/embeddings"):
        return value.copy()
    value = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
    return (channels_last_rows(value, parameter.flattened) if parameter.flattened else value).copy()


def channels_first_rows(value: np.ndarray, flattened: Shape) -> np.ndarray:
    """Reorder rows (height * width * channels, ...) as a flatten of channels-first images orders them."""
    height, width, channels = flattened
    return value.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(value.shape)


def channels_last_rows(value: np.ndarray, flattened: Shape) -> np.ndarray:
    """Reorder rows from the order of a channels-first flatten to that of a channels-last one."""
    height, width, channels = flattened
    return value.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(value.shape)
