"""Normalizations. Variances take two passes: first the mean, then the squares of the deviations from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import Operator, Weights, along, integers, number

SMALLEST = 1e-12  # divisor of a vector of zeros


def batch_normalization(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Normalize every channel by the batch's own statistics in training mode, else by the kept ones.

    A layer without kept statistics (no `mean` among its weights) always uses the batch's own.
    """
    (x,) = inputs
    axis = _channels(node)
    if node.attributes.get("training_mode") or "mean" not in weights:
        mean, variance = moments(node, x)
    else:
        mean, variance = weights["mean"], weights["var"]
    factor = 1 / np.sqrt(variance + number(node, "epsilon", 1e-5))
    if "scale" in weights:
        factor = factor * weights["scale"]
    y: np.ndarray = x - along(mean, axis, x.ndim)
    y *= along(factor, axis, x.ndim)
    if "B" in weights:
        y += along(weights["B"], axis, x.ndim)
    return y


def statistics(node: Node, x: np.ndarray, weights: Weights) -> dict[str, np.ndarray]:
    """Return the `mean` and `var` (C) that a BatchNormalization keeps after a call in training mode on `x`.

    Each is kept * momentum + batch * (1 - momentum). If `unbiased`, the batch's variance is scaled by n / (n - 1), with
    n values in a channel (n = 1 is left unchanged). Return {} if the layer keeps none.
    """
    if "mean" not in weights:
        return {}
    mean, variance = moments(node, x)
    count = x.size // x.shape[_channels(node)]
    if node.attributes.get("unbiased"):
        variance = variance * (count / max(count - 1, 1))
    momentum = number(node, "momentum", 0.9)
    return {
        "mean": weights["mean"] * momentum + mean * (1 - momentum),
        "var": weights["var"] * momentum + variance * (1 - momentum),
    }


def moments(node: Node, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and biased variance of every channel of a BatchNormalization's input."""
    others = tuple(axis for axis in range(x.ndim) if axis != _channels(node) % x.ndim)
    return _moments(x, others, keepdims=False)


def layer_normalization(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Normalize over `axes`; scale and B have the sizes of these axes, in the order of the input's."""
    (x,) = inputs
    axes = _axes(node, x)
    mean, variance = _moments(x, axes, keepdims=True)
    return _affine((x - mean) / np.sqrt(variance + number(node, "epsilon", 1e-5)), axes, weights)


def rms_normalization(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Divide by the root of the mean square over `axes`."""
    (x,) = inputs
    axes = _axes(node, x)
    square = np.mean(x * x, axis=axes, keepdims=True)
    return _affine(x / np.sqrt(square + number(node, "epsilon", 1e-5)), axes, weights)


def lp_normalization(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Divide by the root of the sum of squares over `axes`."""
    (x,) = inputs
    square = np.sum(x * x, axis=_axes(node, x), keepdims=True)
    return np.asarray(x / np.maximum(np.sqrt(square), SMALLEST))


def group_normalization(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Normalize each of `num_groups` runs of neighbouring channels (axis 1) of every example."""
    (x,) = inputs
    count = int(node.attributes["num_groups"])
    if x.shape[1] % count:
        raise ValueError(f"{x.shape[1]} channels cannot be cut into {count} groups")
    rows = x.reshape(len(x), count, -1)
    mean, variance = _moments(rows, (2,), keepdims=True)
    y = ((rows - mean) / np.sqrt(variance + number(node, "epsilon", 1e-5))).reshape(x.shape)
    return _affine(y, (1,), weights)


def _moments(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> tuple[np.ndarray, np.ndarray]:
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean
    variance = np.mean(centred * centred, axis=axes, keepdims=keepdims)
    return (mean if keepdims else mean.squeeze(axes)), variance


def _affine(y: np.ndarray, axes: tuple[int, ...], weights: Weights) -> np.ndarray:
    shape = [size if axis in axes else 1 for axis, size in enumerate(y.shape)]
    if "scale" in weights:
        y = y * weights["scale"].reshape(shape)
    if "B" in weights:
        y = y + weights["B"].reshape(shape)
    return y


def _axes(node: Node, x: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(axis % x.ndim for axis in integers(node, "axes", (-1,))))


def _channels(node: Node) -> int:
    axis: Any = node.attributes.get("axis", 1)
    return int(axis)


OPERATORS: dict[str, Operator] = {
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "RMSNormalization": rms_normalization,
    "GroupNormalization": group_normalization,
    "LpNormalization": lp_normalization,
}
