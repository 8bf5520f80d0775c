"""Pooling as PyTorch defines it: including ceil_mode, padding that counts or not, and adaptive pooling."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import Operator, Weights, along, integers, padded


def max_pool(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Return the largest value of every window. With a `pad_value` the padding counts as a part of the input."""
    (x,) = inputs
    size, strides, dilations, pads = _window(node, x)
    value: Any = node.attributes.get("pad_value")
    if value is not None:
        x, pads = padded(x, pads, value=value), (0,) * len(pads)
    result, beyond = _result(node, x, size, strides, dilations, pads)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    x = padded(x, beyond, value=lowest)
    met = _taps(x, size, strides, dilations, result)
    y = next(met).copy()
    for each in met:
        np.maximum(y, each, out=y)
    return y


def average_pool(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Return the mean of every window over the input, and with count_include_pad also over its padding. What ceil_mode
    adds beyond that never counts."""
    (x,) = inputs
    size, strides, dilations, pads = _window(node, x)
    result, beyond = _result(node, x, size, strides, dilations, pads)
    counted = pads if node.attributes.get("count_include_pad") else (0,) * len(pads)
    y = np.zeros((*x.shape[:2], *result), x.dtype)
    for met in _taps(padded(x, beyond), size, strides, dilations, result):
        y += met
    rank = len(size)
    for axis in range(rank):
        ones = np.ones(x.shape[2 + axis] + counted[axis] + counted[rank + axis])
        ends = (beyond[axis] - counted[axis], beyond[rank + axis] - counted[rank + axis])
        number = sum(
            _taps(
                padded(ones, ends)[None, None],
                size[axis:][:1],
                strides[axis:][:1],
                dilations[axis:][:1],
                result[axis:][:1],
            )
        )
        y /= along(np.maximum(number, 1).astype(x.dtype), 2 + axis, x.ndim)
    return y


def global_pool(reduce: Callable[..., Any]) -> Operator:
    """Return the operator that reduces all spatial axes by `reduce`."""

    def pool(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
        (x,) = inputs
        keepdims = bool(node.attributes.get("keepdims", True))
        return np.asarray(reduce(x, axis=tuple(range(2, x.ndim)), keepdims=keepdims))

    return pool


def adaptive_pool(reduce: Callable[..., Any]) -> Operator:
    """Return the operator that divides every spatial axis into `output_size` ranges, which may overlap, and reduces
    each by `reduce`. It treats one axis after another, which both a mean and a maximum allow."""

    def pool(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
        (x,) = inputs
        sizes: Any = node.attributes["output_size"]
        for axis, size in enumerate(sizes, 2):
            if size is None or size == x.shape[axis]:
                continue
            length = x.shape[axis]
            ranges = [(place * length // size, -(-(place + 1) * length // size)) for place in range(size)]
            x = np.stack([reduce(x.take(range(*each), axis), axis=axis) for each in ranges], axis)
        return x

    return pool


def _window(node: Node, x: np.ndarray) -> tuple[tuple[int, ...], ...]:
    size = integers(node, "kernel_shape", ())
    rank = x.ndim - 2
    ones = (1,) * rank
    return (
        size,
        integers(node, "strides", ones),
        integers(node, "dilations", ones),
        integers(node, "pads", (0,) * 2 * rank),
    )


def _result(
    node: Node,
    x: np.ndarray,
    size: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the number of windows along every axis, and the pads that let the last one end. A window that starts
    beyond the input and its left padding is dropped."""
    rank, ceil = len(size), bool(node.attributes.get("ceil_mode"))
    result, ends = [], []
    for axis in range(rank):
        length, left, right = x.shape[2 + axis], pads[axis], pads[rank + axis]
        reach = dilations[axis] * (size[axis] - 1) + 1
        free = length + left + right - reach
        count = (-(-free // strides[axis]) if ceil else free // strides[axis]) + 1
        if ceil and (count - 1) * strides[axis] >= length + left:
            count -= 1
        if count < 1:
            raise ValueError(f"a window of {tuple(size)} is larger than its padded input of {x.shape[2:]}")
        result.append(count)
        ends.append(max(right, (count - 1) * strides[axis] + reach - length - left))
    return tuple(result), (*pads[:rank], *ends)


def _taps(
    x: np.ndarray, size: Sequence[int], strides: Sequence[int], dilations: Sequence[int], result: Sequence[int]
) -> Iterator[np.ndarray]:
    """Yield, for every place in a window, its values in all windows at once: views of `x` (N, C, *result)."""
    for offset in np.ndindex(*size):
        yield x[
            (
                slice(None),
                slice(None),
                *(
                    slice(first * dilation, first * dilation + (count - 1) * stride + 1, stride)
                    for first, stride, dilation, count in zip(offset, strides, dilations, result, strict=True)
                ),
            )
        ]


OPERATORS: dict[str, Operator] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_pool(np.mean),
    "GlobalMaxPool": global_pool(np.max),
    "AdaptiveAveragePool": adaptive_pool(np.mean),
    "AdaptiveMaxPool": adaptive_pool(np.max),
}
