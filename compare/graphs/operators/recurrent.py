"""Recurrent layers of one direction, by ONNX's definitions: RNN, GRU, LSTM.

https://onnx.ai/onnx/operators/onnx__LSTM.html. Sequences are (N, T, F). A layer's other inputs are named by the
attribute `takes`, in order: `mask` (N, T), whose zeros are steps that keep the state, and the first state `h` and `c`
(N, H). Gates are in ONNX's order (LSTM: i, o, f, c; GRU: z, r, h), and there is one bias: the sum of two that some
frameworks keep.
"""

from collections.abc import Callable, Sequence

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.activations import PLAIN, softplus
from compare.graphs.operators.base import NoReference, Operator, Weights, choice

Function = Callable[[np.ndarray], np.ndarray]
FUNCTIONS: dict[str, Function] = {
    **{name: PLAIN[name] for name in ("Relu", "Tanh", "Sigmoid", "Softsign", "Selu", "Swish", "Mish", "Exp")},
    "HardSigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),  # as defined in PyTorch and Keras 3
    "Softplus": softplus,
    "Elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "Affine": lambda x: x,  # no activation
}
DEFAULTS = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Return the state after every step, (N, T, F) -> (N, T, H), in the order of the input even if `direction` is
    "reverse". With `output` "C" return the last state of an LSTM's cells instead, (N, H)."""
    x, taken = inputs[0], dict(zip(_takes(node), inputs[1:], strict=False))
    functions = [_function(node, name) for name in node.attributes.get("activations") or DEFAULTS[node.kind]]
    w, r = weights["W"], weights["R"]
    size = r.shape[1]
    projected = x @ w.T
    if "B" in weights:
        projected = projected + weights["B"]
    zeros = np.zeros((len(x), size), projected.dtype)
    h, c = taken.get("h", zeros), taken.get("c", zeros)
    mask = taken.get("mask")
    y = np.empty((*x.shape[:2], size), projected.dtype)
    steps = range(x.shape[1])
    for t in reversed(steps) if choice(node, "direction", "forward", ("forward", "reverse")) == "reverse" else steps:
        new_h, new_c = _STEPS[node.kind](node, projected[:, t], h, c, r, weights, functions)
        if mask is not None:
            keep = (mask[:, t] != 0)[:, None]
            new_h, new_c = np.where(keep, new_h, h), np.where(keep, new_c, c)
        y[:, t] = h = new_h
        c = new_c
    return c if node.attributes.get("output") == "C" else y


Step = Callable[
    [Node, np.ndarray, np.ndarray, np.ndarray, np.ndarray, Weights, Sequence[Function]], tuple[np.ndarray, np.ndarray]
]


def _rnn(
    _node: Node,
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    r: np.ndarray,
    _weights: Weights,
    functions: Sequence[Function],
) -> tuple[np.ndarray, np.ndarray]:
    return functions[0](x + h @ r.T), c


def _gru(
    node: Node,
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    r: np.ndarray,
    weights: Weights,
    functions: Sequence[Function],
) -> tuple[np.ndarray, np.ndarray]:
    size = r.shape[1]
    gates = functions[0](x[:, : 2 * size] + h @ r[: 2 * size].T)
    update, reset = gates[:, :size], gates[:, size:]
    if node.attributes.get("linear_before_reset"):
        inner = h @ r[2 * size :].T
        inner = reset * (inner + weights["RB"] if "RB" in weights else inner)
    else:
        inner = (reset * h) @ r[2 * size :].T
    candidate = functions[1](x[:, 2 * size :] + inner)
    return update * h + (1 - update) * candidate, c


def _lstm(
    _node: Node,
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    r: np.ndarray,
    _weights: Weights,
    functions: Sequence[Function],
) -> tuple[np.ndarray, np.ndarray]:
    size = r.shape[1]
    i, o, f, g = (part * size for part in range(4))
    whole = x + h @ r.T
    gate, inside, outside = functions
    new = gate(whole[:, f:g]) * c + gate(whole[:, i:o]) * inside(whole[:, g:])
    return gate(whole[:, o:f]) * outside(new), new


_STEPS: dict[str, Step] = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}


def _takes(node: Node) -> tuple[str, ...]:
    return tuple(node.attributes.get("takes") or ())


def _function(node: Node, name: str) -> Function:
    if name not in FUNCTIONS:
        raise NoReference(f"{node.name} ({node.kind}): there is no reference for the activation {name}")
    return FUNCTIONS[name]


OPERATORS: dict[str, Operator] = dict.fromkeys(_STEPS, recurrent)
