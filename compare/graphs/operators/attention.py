"""Scaled dot-product attention of several heads, and its masks.

Like ONNX's Attention of three axes (https://onnx.ai/onnx/operators/onnx__Attention.html): q (N, T, H D), k (N, S, H D),
v (N, S, H Dv) -> (N, T, H Dv). The attribute `takes` names its other inputs, in order: `keys` (N, S), `queries` (N, T),
`mask` (broadcastable to (N, H, T, S)) and `bias`. Zeros of the first three are left out; `bias` is added to the scores.
"""

from collections.abc import Sequence

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import Operator, Weights, number

LOWEST = -1e30  # for places left out: a row without any place is a mean of all, if `empty` is not "nan"


def attention(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Return softmax(q k^T * scale) v for each of `num_heads` heads; with `is_causal` no place takes from a later one.
    `axis` is that of the softmax, if it is not the last one."""
    heads = int(number(node, "num_heads", 1))
    q, k, v = (_split(array, heads) for array in inputs[:3])
    scores = q @ k.transpose(0, 1, 3, 2) * number(node, "scale", q.shape[-1] ** -0.5)
    taken = dict(zip(node.attributes.get("takes") or (), inputs[3:], strict=False))
    if "bias" in taken:
        scores = scores + taken["bias"]
    keep = kept(taken, scores.shape, bool(node.attributes.get("is_causal")))
    if keep is not None:
        scores = np.where(keep, scores, LOWEST)
    axis = int(number(node, "axis", -1))
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    if keep is not None and node.attributes.get("empty") == "nan":
        weights = np.where(keep.any(-1, keepdims=True), weights, np.nan)
    made = weights / weights.sum(axis=axis, keepdims=True) @ v
    return np.ascontiguousarray(made.transpose(0, 2, 1, 3)).reshape(*inputs[0].shape[:2], -1)


def kept(taken: dict[str, np.ndarray], shape: Sequence[int], causal: bool) -> np.ndarray | None:
    """Return which places (N, H, T, S) are kept; None if all are."""
    parts = []
    if "mask" in taken:
        parts.append(taken["mask"] != 0)
    if "keys" in taken:
        parts.append(taken["keys"][:, None, None, :] != 0)
    if "queries" in taken:
        parts.append(taken["queries"][:, None, :, None] != 0)
    if causal:
        parts.append(np.tri(shape[-2], shape[-1], dtype=bool)[None, None])
    if not parts:
        return None
    whole: np.ndarray = np.ones(tuple(shape), bool)
    for part in parts:
        whole = whole & part
    return whole


def _split(array: np.ndarray, heads: int) -> np.ndarray:
    n, length, size = array.shape
    return np.asarray(array.reshape(n, length, heads, size // heads).transpose(0, 2, 1, 3))


def _not_equal(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Return where an input differs from a number; with `negated`, where it equals it."""
    other = inputs[0] != node.attributes["scalar"]
    return np.asarray(~other if node.attributes.get("negated") else other, np.int32)


def _mask(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Return what a mask keeps; the mask says what is `excluded`, or is `added` to scores."""
    excluded = node.attributes.get("of") == "excluded"
    return np.asarray(inputs[0] == 0 if excluded else inputs[0] > -1e4).astype(np.int32)


OPERATORS: dict[str, Operator] = {"Attention": attention, "NotEqual": _not_equal, "Mask": _mask}
