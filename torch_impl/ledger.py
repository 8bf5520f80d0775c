"""PyTorch's halves of the ledger of differences (shared/ledger.py)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared.ledger import Answers
from torch_impl.layers import BatchNorm

Inputs = Mapping[str, np.ndarray]
TINY = 1e-30  # an epsilon that changes no digit


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(array)


def _steps(
    make: Callable[..., torch.optim.Optimizer],
    inputs: Inputs,
    dtype: torch.dtype = torch.float64,
    rates: list[float] | None = None,
    **arguments: Any,
) -> np.ndarray:
    """How far an optimizer moves a parameter in all."""
    parameter = nn.Parameter(_tensor(inputs["p"]).to(dtype))
    start = parameter.detach().clone()
    optimizer = make([parameter], **arguments)
    for number, gradient in enumerate(inputs["gradients"]):
        if rates is not None:
            optimizer.param_groups[0]["lr"] = rates[number]
        parameter.grad = _tensor(gradient).to(dtype)
        optimizer.step()
    return (parameter.detach() - start).numpy()


def _momentum(inputs: Inputs) -> np.ndarray:
    return _steps(torch.optim.SGD, inputs, rates=[0.1] * 5 + [0.001] * 5, momentum=0.9)


def _normalised(make: Callable[[], nn.Module], part: str, n_batches: int, inputs: Inputs) -> np.ndarray:
    """What a batch normalisation gives (`output`) or keeps (`running_mean`, `running_var`)."""
    layer = make().double()
    for batch in inputs["x"][:n_batches]:
        output = layer(_tensor(batch))
    kept: Tensor = output if part == "output" else getattr(layer, part)
    return kept.detach().numpy()


def _batch_norm(part: str, n_batches: int) -> Answers:
    return Answers(
        partial(_normalised, lambda: nn.BatchNorm1d(4), part, n_batches),
        partial(_normalised, lambda: BatchNorm(4), part, n_batches),
    )


def _convolved(inputs: Inputs, padding: int, before: tuple[int, ...]) -> np.ndarray:
    kernel = _tensor(inputs["kernel"]).permute(3, 2, 0, 1)
    return _last(F.conv2d(F.pad(_first(inputs["x"]), before), kernel, stride=2, padding=padding))


def _pooled(inputs: Inputs, padding: int, before: tuple[int, ...]) -> np.ndarray:
    return _last(F.max_pool2d(F.pad(_first(inputs["x"]), before, value=-torch.inf), 3, stride=2, padding=padding))


def _halved(inputs: Inputs) -> np.ndarray:
    return _last(F.max_pool2d(_first(inputs["x"]), 2))


def _first(x: np.ndarray) -> Tensor:
    return _tensor(x).permute(0, 3, 1, 2)


def _last(x: Tensor) -> np.ndarray:
    return x.permute(0, 2, 3, 1).numpy()


def _spread(part: str, inputs: Inputs) -> np.ndarray:
    torch.manual_seed(0)
    return np.array(getattr(nn.Linear(256, 128), part).std().item())


def _loaded_kernel(inputs: Inputs) -> np.ndarray:
    layer = nn.Linear(256, 128, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(_tensor(inputs["kernel"].T))
    return layer.weight.detach().numpy().T


def _loaded_bias(inputs: Inputs) -> np.ndarray:
    layer = nn.Linear(256, 128, dtype=torch.float64)
    with torch.no_grad():
        layer.bias.copy_(_tensor(inputs["bias"]))
    return layer.bias.detach().numpy()


def _dense(inputs: Inputs, weight: np.ndarray) -> np.ndarray:
    x = _tensor(inputs["x"])
    flat = x.permute(0, 3, 1, 2).flatten(1) if x.ndim == 4 else x
    return F.linear(flat, _tensor(np.ascontiguousarray(weight))).numpy()


def _permuted(kernel: np.ndarray) -> np.ndarray:
    """The rows of a kernel (height x width x channels, out) as PyTorch flattens them."""
    return kernel.reshape(3, 3, 2, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def _loss(inputs: Inputs) -> np.ndarray:
    return F.cross_entropy(_tensor(inputs["logits"]), _tensor(inputs["labels"])).numpy()


def _loss_gradient(inputs: Inputs) -> np.ndarray:
    logits = _tensor(inputs["logits"]).requires_grad_()
    F.cross_entropy(logits, _tensor(inputs["labels"])).backward()
    assert logits.grad is not None
    return logits.grad.numpy()


def _dropped(rate: float, inputs: Inputs) -> np.ndarray:
    torch.manual_seed(0)
    return F.dropout(_tensor(inputs["x"]), rate).numpy()


def _n_parameters(inputs: Inputs) -> np.ndarray:
    return np.array(float(sum(p.numel() for p in nn.BatchNorm1d(4).parameters())))


def _epoch_loss(average: bool, inputs: Inputs) -> np.ndarray:
    x, labels = _tensor(inputs["x"]), _tensor(inputs["labels"])
    kernel = nn.Parameter(_tensor(inputs["kernel"]))
    optimizer = torch.optim.SGD([kernel], lr=0.5)
    losses = []
    for batch in (slice(0, 4), slice(4, 6)):
        optimizer.zero_grad()
        loss = F.cross_entropy(x[batch] @ kernel, labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(np.average(losses, weights=[4, 2]) if average else losses[-1])


def _tf32_used() -> list[str]:
    """How precisely matrix products and convolutions are to be computed."""
    convolution = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # it is missing from the module's stubs
    return [torch.backends.cuda.matmul.fp32_precision, convolution.fp32_precision]


TF32_AS_IMPORTED = _tf32_used()  # before anything here states it


def _tf32(used: Callable[[], list[str]], inputs: Inputs) -> np.ndarray:
    return np.array([float(precision == "tf32") for precision in used()])


def _product(dtype: torch.dtype, inputs: Inputs) -> np.ndarray:
    return (_tensor(inputs["a"]).to(dtype) @ _tensor(inputs["b"]).to(dtype)).numpy()


LEDGER: dict[str, Answers] = {
    "adam-defaults": Answers(partial(_steps, torch.optim.Adam), partial(_steps, torch.optim.Adam, eps=1e-7)),
    "adam-formula": Answers(partial(_steps, torch.optim.Adam, eps=1e-7), partial(_steps, torch.optim.Adam, eps=1e-7)),
    "adam-bias-correction": Answers(
        partial(_steps, torch.optim.Adam, dtype=torch.float32, eps=0.0),
        partial(_steps, torch.optim.Adam, dtype=torch.float32, eps=TINY),
    ),
    "adam-constants": Answers(partial(_steps, torch.optim.Adam, eps=0.0), partial(_steps, torch.optim.Adam, eps=TINY)),
    "adamw-decay": Answers(
        partial(_steps, torch.optim.AdamW), partial(_steps, torch.optim.AdamW, weight_decay=1 / 128, eps=1e-7)
    ),
    "adam-weight-decay": Answers(
        partial(_steps, torch.optim.Adam, weight_decay=1 / 8, eps=0.0),
        partial(_steps, torch.optim.AdamW, weight_decay=1 / 8, eps=TINY),
    ),
    "l2-regulariser": Answers(
        partial(_steps, torch.optim.SGD, lr=0.1, weight_decay=1 / 128),
        partial(_steps, torch.optim.SGD, lr=0.1, weight_decay=1 / 64),
    ),
    "sgd-learning-rate": Answers(partial(_steps, torch.optim.SGD), partial(_steps, torch.optim.SGD, lr=0.01)),
    "sgd-momentum": Answers(_momentum, _momentum),
    "rmsprop": Answers(
        partial(_steps, torch.optim.RMSprop), partial(_steps, torch.optim.RMSprop, lr=0.001, alpha=0.9, eps=0.0)
    ),
    "batchnorm-epsilon": _batch_norm("output", 1),
    "batchnorm-momentum": _batch_norm("running_mean", 5),
    "batchnorm-variance": _batch_norm("running_var", 1),
    "convolution-same": Answers(
        partial(_convolved, padding=1, before=(0, 0, 0, 0)), partial(_convolved, padding=0, before=(0, 1, 0, 1))
    ),
    "pool-same": Answers(
        partial(_pooled, padding=1, before=(0, 0, 0, 0)), partial(_pooled, padding=0, before=(0, 1, 0, 1))
    ),
    "pool-odd": Answers(_halved, _halved),
    "init-kernel": Answers(partial(_spread, "weight"), _loaded_kernel),
    "init-bias": Answers(partial(_spread, "bias"), _loaded_bias),
    "dense-layout": Answers(lambda i: _dense(i, i["kernel"]), lambda i: _dense(i, i["kernel"].T)),
    "flatten-order": Answers(lambda i: _dense(i, i["kernel"].T), lambda i: _dense(i, _permuted(i["kernel"]).T)),
    "loss-of-probabilities": Answers(_loss, _loss),
    "gradient-of-probabilities": Answers(_loss_gradient, _loss_gradient),
    "epoch-loss": Answers(partial(_epoch_loss, False), partial(_epoch_loss, True)),
    "dropout-streams": Answers(partial(_dropped, 0.5), partial(_dropped, 0.0)),
    "parameter-count": Answers(_n_parameters, _n_parameters),
    "tf32": Answers(partial(_tf32, lambda: TF32_AS_IMPORTED), partial(_tf32, _tf32_used)),
    "rounding": Answers(partial(_product, torch.float32), partial(_product, torch.float64)),
}
