"""PyTorch's forms of the rows about arithmetic, gradients at kinks, precision and counts."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.ledger.forms import aligned, both, own


def tf32_used() -> np.ndarray:
    """Whether TF32 may be used: in matrix products, in convolutions."""
    convolutions = torch.backends.cudnn.conv
    precisions = torch.backends.cuda.matmul.fp32_precision, convolutions.fp32_precision
    return np.array([precision == "tf32" for precision in precisions], float)


TF32_AS_IMPORTED = tf32_used()  # before anything states it


@own("rounding")
def product_in_float32(a: np.ndarray, b: np.ndarray) -> Tensor:
    return torch.tensor(a).float() @ torch.tensor(b).float()


@aligned("rounding")
def product(a: np.ndarray, b: np.ndarray) -> Tensor:
    return torch.tensor(a) @ torch.tensor(b)


@own("tf32")
def tf32_as_imported() -> np.ndarray:
    return TF32_AS_IMPORTED


@aligned("tf32")
def tf32_off() -> np.ndarray:
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    return tf32_used()


@own("float-default")
def bytes_kept(image: np.ndarray) -> np.ndarray:
    scaled = image.astype("uint8") / 255
    return np.array(nn.ReLU()(torch.tensor(scaled)).element_size())


@aligned("float-default")
def bytes_of_float(image: np.ndarray) -> np.ndarray:
    scaled = image.astype("uint8") / 255
    return np.array(nn.ReLU()(torch.tensor(scaled).float()).element_size())


@own("loss-scaling")
def scaled() -> Tensor:
    return torch.amp.GradScaler("cpu").scale(torch.tensor(1.0))


@aligned("loss-scaling")
def scaled_by_half() -> Tensor:
    return torch.amp.GradScaler("cpu", init_scale=2.0**15).scale(torch.tensor(1.0))


@both("parameter-count")
def parameters() -> np.ndarray:
    return np.array(sum(p.numel() for p in nn.BatchNorm1d(4).parameters()))


@own("median")
def median(x: np.ndarray) -> Tensor:
    return torch.median(torch.tensor(x))


@aligned("median")
def median_between(x: np.ndarray) -> Tensor:
    return torch.quantile(torch.tensor(x), 0.5)


@own("integer-division")
def divided(a: np.ndarray, b: np.ndarray) -> Tensor:
    return torch.tensor(a.astype("int64")) / torch.tensor(b.astype("int64"))


@aligned("integer-division")
def divided_as_floats(a: np.ndarray, b: np.ndarray) -> Tensor:
    return torch.tensor(a.astype("int64")).float() / torch.tensor(b.astype("int64")).float()


@both("integer-sum")
def total(x: np.ndarray) -> Tensor:
    return torch.sum(torch.tensor(x.astype("uint8")))


@both("floor-division")
def quotients(x: np.ndarray) -> Tensor:
    return torch.cat([torch.tensor(x) // 2, torch.tensor(x) % 3])


@both("rounding-of-halves")
def rounded(x: np.ndarray) -> Tensor:
    return torch.round(torch.tensor(x))


@both("argmax-ties")
def largest(x: np.ndarray) -> Tensor:
    return torch.argmax(torch.tensor(x), dim=-1)


@both("argmax-nan")
def largest_root(x: np.ndarray) -> Tensor:
    return torch.argmax(torch.sqrt(torch.tensor(x)))


def gradient(function: Callable[[Tensor], Tensor], x: np.ndarray) -> Tensor:
    """The gradient of the sum of the function's outputs."""
    inputs = torch.tensor(x, requires_grad=True)
    return torch.autograd.grad(function(inputs).sum(), inputs)[0]


@both("gradient-kinks")
def kinks(x: np.ndarray, ties: np.ndarray) -> Tensor:
    functions = (torch.relu, F.relu6, torch.abs, F.elu, F.hardswish)
    pool = gradient(lambda pixels: F.max_pool2d(pixels, 2), ties.transpose(0, 3, 1, 2))
    return torch.cat([gradient(function, x) for function in functions] + [pool.flatten()])


@own("gradient-of-clip")
def clip_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.clamp(values, 0.0, 1.0), x)


def clip(values: Tensor) -> Tensor:
    outside = (values < 0) | (values > 1)
    return torch.where(outside, torch.clamp(values, 0.0, 1.0).detach(), values)


@aligned("gradient-of-clip")
def clip_gradient_with_edges(x: np.ndarray) -> Tensor:
    return gradient(clip, x)


@own("gradient-of-maximum")
def maximum_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.maximum(values, torch.tensor(0.0)), x)


@aligned("gradient-of-maximum")
def relu_gradient(x: np.ndarray) -> Tensor:
    return gradient(torch.relu, x)


@both("gradient-of-norm")
def norm_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda vectors: torch.linalg.norm(vectors, dim=-1), x)


@own("gradient-of-deviation")
def deviation_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.std(values, dim=-1, correction=0), x)


@aligned("gradient-of-deviation")
def safe_deviation_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.sqrt(torch.var(values, dim=-1, correction=0) + 1e-12), x)


@own("gradient-of-where")
def where_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.where(values > 0, torch.sqrt(values), 0.0), x)


@aligned("gradient-of-where")
def safe_where_gradient(x: np.ndarray) -> Tensor:
    return gradient(lambda values: torch.where(values > 0, torch.sqrt(torch.where(values > 0, values, 1.0)), 0.0), x)


@both("determinism")
def deterministic() -> np.ndarray:
    return np.array(torch.are_deterministic_algorithms_enabled())
