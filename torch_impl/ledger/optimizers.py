"""PyTorch's forms of the rows about the steps that optimizers take."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from torch_impl.ledger.forms import aligned, both, own


def change(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, gradients: np.ndarray) -> Tensor:
    """How far steps with these gradients move the parameter."""
    start = parameter.detach().clone()
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return parameter - start


@own("adam-defaults")
def adam(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adam([parameter]), parameter, gradients)


@aligned("adam-defaults")
@both("adam-formula")
def adam_epsilon(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adam([parameter], eps=1e-7), parameter, gradients)


@own("adam-bias-correction", "adam-constants")
def adam_without_epsilon(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adam([parameter], eps=0.0), parameter, gradients)


@aligned("adam-bias-correction", "adam-constants")
def adam_betas(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adam([parameter], betas=(7 / 8, 1023 / 1024), eps=0.0), parameter, gradients)


@both("adam-amsgrad")
def amsgrad(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.Adam([parameter], betas=(7 / 8, 1023 / 1024), eps=0.0, amsgrad=True)
    return change(optimizer, parameter, gradients)


@own("adamw-decay")
def adamw(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.AdamW([parameter]), parameter, gradients)


@aligned("adamw-decay")
def adamw_decay(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.AdamW([parameter], betas=(7 / 8, 1023 / 1024), eps=0.0, weight_decay=1 / 128)
    return change(optimizer, parameter, gradients)


@own("adamw-biases")
def adamw_bias(bias: np.ndarray) -> Tensor:
    layer = nn.Linear(3, 4)
    layer.bias.data = torch.tensor(bias)
    return change(torch.optim.AdamW(layer.parameters(), lr=1 / 8, weight_decay=1 / 8), layer.bias, np.zeros((1, 4)))


@aligned("adamw-biases")
def adamw_without_bias(bias: np.ndarray) -> Tensor:
    layer = nn.Linear(3, 4)
    layer.bias.data = torch.tensor(bias)
    groups = [{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}]
    return change(torch.optim.AdamW(groups, lr=1 / 8, weight_decay=1 / 8), layer.bias, np.zeros((1, 4)))


@own("adam-weight-decay")
def adam_decay(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adam([parameter], eps=0.0, weight_decay=1 / 8), parameter, gradients)


@aligned("adam-weight-decay")
def adamw_large_decay(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.AdamW([parameter], betas=(7 / 8, 1023 / 1024), eps=0.0, weight_decay=1 / 8)
    return change(optimizer, parameter, gradients)


@own("sgd-learning-rate")
def sgd(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.SGD([parameter]), parameter, gradients)


@aligned("sgd-learning-rate")
def sgd_rate(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.SGD([parameter], lr=0.01), parameter, gradients)


@both("sgd-momentum")
def sgd_momentum(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.SGD([parameter], momentum=0.9)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        change(optimizer, parameter, gradient[None])
    return parameter - torch.tensor(p)


@both("sgd-nesterov")
def sgd_nesterov(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.SGD([parameter], lr=0.1, momentum=7 / 8, nesterov=True), parameter, gradients)


@both("sgd-weight-decay")
def sgd_decay(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.SGD([parameter], lr=0.1, momentum=7 / 8, weight_decay=1 / 8), parameter, gradients)


@own("rmsprop")
def rmsprop(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.RMSprop([parameter]), parameter, gradients)


@own("rmsprop-epsilon")
def rmsprop_constants(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.RMSprop([parameter], lr=0.001, alpha=0.9, eps=1e-7), parameter, gradients)


@aligned("rmsprop", "rmsprop-epsilon")
def rmsprop_without_epsilon(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.RMSprop([parameter], lr=0.001, alpha=0.9, eps=0.0), parameter, gradients)


@own("rmsprop-momentum")
def rmsprop_momentum(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.RMSprop([parameter], alpha=0.9, eps=0.0, momentum=0.9)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        change(optimizer, parameter, gradient[None])
    return parameter - torch.tensor(p)


@aligned("rmsprop-momentum")
def rmsprop_momentum_of_rates(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.RMSprop([parameter], lr=rates[0], alpha=0.9, eps=0.0, momentum=0.9)
    for gradient, rate in zip(gradients, rates, strict=True):
        group = optimizer.param_groups[0]
        if rate != group["lr"]:
            optimizer.state[parameter]["momentum_buffer"] *= group["lr"] / rate
            group["lr"] = rate
        change(optimizer, parameter, gradient[None])
    return parameter - torch.tensor(p)


@own("adagrad")
def adagrad(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adagrad([parameter]), parameter, gradients)


@aligned("adagrad")
def adagrad_constants(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.Adagrad([parameter], lr=0.001, initial_accumulator_value=1 / 8, eps=0.0)
    return change(optimizer, parameter, gradients)


@own("adadelta")
def adadelta(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adadelta([parameter]), parameter, gradients)


@aligned("adadelta")
def adadelta_constants(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adadelta([parameter], lr=0.001, rho=0.95, eps=1e-7), parameter, gradients)


@own("adamax")
def adamax(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adamax([parameter]), parameter, gradients)


@aligned("adamax")
def adamax_constants(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.Adamax([parameter], lr=0.001, betas=(7 / 8, 0.999), eps=0.0), parameter, gradients)


@own("nadam")
def nadam(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    return change(torch.optim.NAdam([parameter]), parameter, gradients)


@aligned("nadam")
def nadam_constants(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.NAdam([parameter], lr=0.001, betas=(7 / 8, 7 / 8), eps=0.0, momentum_decay=1.0)
    return change(optimizer, parameter, gradients)


@own("zero-grad")
def gradients_add_up(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    for gradient in gradients:
        (parameter * torch.tensor(gradient)).sum().backward()
        optimizer.step()
    return parameter - torch.tensor(p)


@aligned("zero-grad")
def gradients_cleared(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    for gradient in gradients:
        optimizer.zero_grad()
        (parameter * torch.tensor(gradient)).sum().backward()
        optimizer.step()
    return parameter - torch.tensor(p)


@own("gradient-accumulation")
def accumulated(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    for gradient in gradients:
        (parameter * torch.tensor(gradient)).sum().backward()
    optimizer.step()
    return parameter - torch.tensor(p)


@aligned("gradient-accumulation")
def accumulated_mean(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    parameter = nn.Parameter(torch.tensor(p))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    for gradient in gradients:
        loss = (parameter * torch.tensor(gradient)).sum() / len(gradients)
        loss.backward()
    optimizer.step()
    return parameter - torch.tensor(p)


@own("weight-averaging")
def average(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    weights = nn.ParameterList([torch.tensor(p)])
    optimizer = torch.optim.SGD(weights, lr=0.1)
    averaged = AveragedModel(weights, multi_avg_fn=get_ema_multi_avg_fn())
    for gradient in gradients:
        change(optimizer, weights[0], gradient[None])
        averaged.update_parameters(weights)
    return averaged.module[0] - torch.tensor(p)


@aligned("weight-averaging")
def average_of_hundred(p: np.ndarray, gradients: np.ndarray) -> Tensor:
    weights = nn.ParameterList([torch.tensor(p)])
    optimizer = torch.optim.SGD(weights, lr=0.1)
    averaged = AveragedModel(weights, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    for gradient in gradients:
        change(optimizer, weights[0], gradient[None])
        averaged.update_parameters(weights)
    return averaged.module[0] - torch.tensor(p)
