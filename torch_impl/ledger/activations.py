"""PyTorch's forms of the rows about activations."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


@own("leaky-slope")
def leaky_relu_layer(x: np.ndarray) -> Tensor:
    return nn.LeakyReLU()(torch.tensor(x))


@aligned("leaky-slope", "leaky-function")
def leaky_relu_layer_with_slope(x: np.ndarray) -> Tensor:
    return nn.LeakyReLU(0.125)(torch.tensor(x))


@own("leaky-function")
def leaky_relu(x: np.ndarray) -> Tensor:
    return F.leaky_relu(torch.tensor(x))


@own("prelu-shape")
def slopes_of_prelu() -> np.ndarray:
    return np.array(nn.PReLU().weight.numel())


@aligned("prelu-shape")
def slopes_of_prelu_by_channel() -> np.ndarray:
    return np.array(nn.PReLU(num_parameters=4).weight.numel())


@both("prelu-initial")
def new_prelu(x: np.ndarray) -> Tensor:
    return nn.PReLU()(torch.tensor(x))


@both("gelu-form", "gelu-constant")
@own("gelu-tanh")
def gelu(x: np.ndarray) -> Tensor:
    return nn.GELU()(torch.tensor(x))


@aligned("gelu-tanh")
def gelu_by_tanh(x: np.ndarray) -> Tensor:
    return nn.GELU(approximate="tanh")(torch.tensor(x))


@own("softplus-threshold")
def softplus(x: np.ndarray) -> Tensor:
    return nn.Softplus()(torch.tensor(x))


@aligned("softplus-threshold")
def softplus_with_threshold(x: np.ndarray) -> Tensor:
    return nn.Softplus(threshold=40)(torch.tensor(x))


@both("hard-sigmoid")
def hard_sigmoid(x: np.ndarray) -> Tensor:
    return nn.Hardsigmoid()(torch.tensor(x))


@both("activations-alike")
def activations(x: np.ndarray) -> Tensor:
    functions = F.elu, F.celu, F.selu, F.silu, F.hardswish, F.mish, F.softsign, F.softplus, F.relu6
    return torch.stack([function(torch.tensor(x)) for function in functions])


@own("softmax-axis")
def softmax(x: np.ndarray) -> Tensor:
    return nn.Softmax()(torch.tensor(x))


@aligned("softmax-axis")
def softmax_over_classes(x: np.ndarray) -> Tensor:
    return nn.Softmax(dim=-1)(torch.tensor(x))


@own("glu-axis")
def gated(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).permute(0, 3, 1, 2)
    return nn.GLU()(image).permute(0, 2, 3, 1)


@aligned("glu-axis")
def gated_by_channels(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).permute(0, 3, 1, 2)
    return nn.GLU(dim=1)(image).permute(0, 2, 3, 1)
