"""Functions of one value at a time, and softmax."""

from collections.abc import Callable, Sequence
from math import inf, pi, sqrt

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import Operator, Weights, choice, number

# Klambauer et al., Self-Normalizing Neural Networks, 2017: the digits that all frameworks use.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), without an overflow at either end."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


def softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x)), without an overflow."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def erf(x: np.ndarray) -> np.ndarray:
    """Return the error function."""
    from scipy import special  # the import takes a moment

    return np.asarray(special.erf(x))


def _elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu(node: Node, x: np.ndarray) -> np.ndarray:
    if choice(node, "approximate", "none", ("none", "tanh")) == "tanh":
        return np.asarray(0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))))
    return np.asarray(0.5 * x * (1 + erf(x * sqrt(0.5))))


def _soft_plus(node: Node, x: np.ndarray) -> np.ndarray:
    beta, threshold = number(node, "beta", 1.0), number(node, "threshold", inf)
    return np.where(x * beta > threshold, x, softplus(x * beta) / beta)


def _soft_shrink(node: Node, x: np.ndarray) -> np.ndarray:
    bound = number(node, "lambd", 0.5)
    return np.where(x > bound, x - bound, np.where(x < -bound, x + bound, x * 0))


def _hard_shrink(node: Node, x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) <= number(node, "lambd", 0.5), 0, x)


def _celu(node: Node, x: np.ndarray) -> np.ndarray:
    alpha = number(node, "alpha", 1.0)
    return np.asarray(np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0))


def _clip(node: Node, x: np.ndarray) -> np.ndarray:
    low, high = number(node, "min", -inf), number(node, "max", inf)
    if low > -inf:
        x = np.maximum(x, _bound(low, x))
    return np.minimum(x, _bound(high, x)) if high < inf else x


def _bound(value: float, x: np.ndarray) -> float:
    return value if x.dtype.kind == "f" else int(value)


def _softmax(node: Node, x: np.ndarray) -> np.ndarray:
    axis = int(number(node, "axis", -1))
    y = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(y / y.sum(axis=axis, keepdims=True))


def _log_softmax(node: Node, x: np.ndarray) -> np.ndarray:
    axis = int(number(node, "axis", -1))
    x = x - x.max(axis=axis, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=axis, keepdims=True)))


def _p_relu(_node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    (x,), slope = inputs, weights["slope"]
    if slope.size > 1 and slope.ndim == 1:
        slope = slope.reshape(-1, *(1,) * (x.ndim - 2))
    elif slope.size == 1:
        slope = slope.reshape(())
    return np.where(x >= 0, x, slope * x)


PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Relu": lambda x: np.maximum(x, 0),
    "Selu": lambda x: SELU_SCALE * _elu(x, SELU_ALPHA),
    "Sigmoid": sigmoid,
    "Tanh": np.tanh,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "HardSwish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "Mish": lambda x: x * np.tanh(softplus(x)),
    "LogSigmoid": lambda x: -softplus(-x),
    "Erf": erf,
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Neg": np.negative,
    "Abs": np.abs,
    "Reciprocal": lambda x: 1 / x,
    "Square": np.square,
    "Tanhshrink": lambda x: x - np.tanh(x),
    "Swish": lambda x: x * sigmoid(x),
}
WITH_ATTRIBUTES: dict[str, Callable[[Node, np.ndarray], np.ndarray]] = {
    "LeakyRelu": lambda node, x: np.where(x >= 0, x, number(node, "alpha", 0.01) * x),
    "Elu": lambda node, x: _elu(x, number(node, "alpha", 1.0)),
    "Celu": _celu,
    "ThresholdedRelu": lambda node, x: np.where(x > number(node, "alpha", 1.0), x, 0),
    "Gelu": _gelu,
    "Softplus": _soft_plus,
    "Softshrink": _soft_shrink,
    "Hardshrink": _hard_shrink,
    "HardSigmoid": lambda node, x: np.clip(number(node, "alpha", 0.2) * x + number(node, "beta", 0.5), 0, 1),
    "Clip": _clip,
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
}


def _of_plain(function: Callable[[np.ndarray], np.ndarray]) -> Operator:
    return lambda _node, inputs, _weights: np.asarray(function(*inputs))


def _of_attributes(function: Callable[[Node, np.ndarray], np.ndarray]) -> Operator:
    return lambda node, inputs, _weights: np.asarray(function(node, *inputs))


OPERATORS: dict[str, Operator] = {
    **{kind: _of_plain(function) for kind, function in PLAIN.items()},
    **{kind: _of_attributes(function) for kind, function in WITH_ATTRIBUTES.items()},
    "PRelu": _p_relu,
}
