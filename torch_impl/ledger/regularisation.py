"""PyTorch's forms of the rows about penalties and dropout."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


@own("l2-regulariser")
def weight_decay(p: np.ndarray, gradient: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    parameter.grad = torch.tensor(gradient)
    torch.optim.SGD([parameter], lr=0.1, weight_decay=1 / 128).step()
    return parameter


@aligned("l2-regulariser")
def doubled_weight_decay(p: np.ndarray, gradient: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    parameter.grad = torch.tensor(gradient)
    torch.optim.SGD([parameter], lr=0.1, weight_decay=1 / 64).step()
    return parameter


def dense(kernel: np.ndarray, bias: np.ndarray) -> nn.Linear:
    """A dense layer with these weights."""
    layer = nn.Linear(*kernel.shape)
    layer.load_state_dict({"weight": torch.tensor(kernel.T), "bias": torch.tensor(bias)})
    return layer


@own("l2-of-biases")
def decayed_bias(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = dense(kernel, bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0, weight_decay=1 / 8)
    layer(torch.tensor(x)).mean().backward()
    optimizer.step()
    return layer.bias


@aligned("l2-of-biases")
def spared_bias(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = dense(kernel, bias)
    groups = [{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=1.0, weight_decay=1 / 8)
    layer(torch.tensor(x)).mean().backward()
    optimizer.step()
    return layer.bias


@own("l2-in-the-loss")
def loss(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    outputs = dense(kernel, bias)(torch.tensor(x))
    return F.mse_loss(outputs, torch.zeros_like(outputs))


@aligned("l2-in-the-loss")
def loss_and_penalty(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = dense(kernel, bias)
    outputs = layer(torch.tensor(x))
    return F.mse_loss(outputs, torch.zeros_like(outputs)) + (layer.weight**2).sum() / 16


@own("activity-regulariser")
def activity(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    return (dense(kernel, bias)(torch.tensor(x)) ** 2).sum() / 8


@aligned("activity-regulariser")
def activity_of_an_image(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Tensor:
    return (dense(kernel, bias)(torch.tensor(x)) ** 2).sum() / 8 / len(x)


@own("dropout-streams")
def dropped(x: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return F.dropout(torch.tensor(x), 0.5)


@aligned("dropout-streams")
def not_dropped(x: np.ndarray) -> Tensor:
    return F.dropout(torch.tensor(x), 0.0)


@own("dropout-called")
def called(x: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return nn.Dropout(0.5)(torch.tensor(x))


@aligned("dropout-called")
def called_in_evaluation(x: np.ndarray) -> Tensor:
    return nn.Dropout(0.5).eval()(torch.tensor(x))


@both("dropout-scaling")
def scaled(x: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return nn.Dropout(0.25)(torch.tensor(x)).max()


@both("dropout-channels")
def dropped_channels(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    outputs = nn.Dropout2d(0.5)(torch.tensor(x).permute(0, 3, 1, 2)).numpy()
    zeros = (outputs == 0).mean((2, 3))
    return np.mean((zeros > 0) & (zeros < 1))
