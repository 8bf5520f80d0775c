"""Convolutions in any number of spatial axes, and products, computed as matrix products by BLAS."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from compare.graphs.node import Node
from compare.graphs.operators.base import PAD_MODES, Operator, Weights, along, choice, integers, padded

COLUMN_BYTES = 64 * 2**20  # of a convolution's unfolded input at a time: more would leave the caches, and be slower


def conv(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Compute a convolution as ONNX defines it, (N, I, spatial) -> (N, O, spatial), with PyTorch's modes of padding."""
    (x,), kernel = inputs, weights["W"]
    rank = x.ndim - 2
    size, groups = kernel.shape[2:], int(node.attributes.get("group") or 1)
    mode = choice(node, "pad_mode", "constant", ("constant", "reflect", "replicate", "circular"))
    x = padded(x, integers(node, "pads", (0,) * 2 * rank), PAD_MODES[mode])
    strides = integers(node, "strides", (1,) * rank)
    dilations = integers(node, "dilations", (1,) * rank)
    if x.shape[1] != kernel.shape[1] * groups or kernel.shape[0] % groups:
        raise ValueError(f"{x.shape[1]} channels do not fit a kernel of {kernel.shape} in {groups} groups")
    result = _result_size(x.shape[2:], size, strides, dilations)
    if kernel.shape[1] == 1 and groups > 1:
        y = _depthwise(x, kernel, strides, dilations, result)
    else:
        y = _dense(x, kernel, groups, strides, dilations, result)
    if "B" in weights:
        y += along(weights["B"], 1, y.ndim)
    return y


def conv_transpose(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Compute a transposed convolution, (N, I, spatial) -> (N, O, spatial), by adding each input to its outputs."""
    (x,), kernel = inputs, weights["W"]
    rank, images = x.ndim - 2, len(x)
    size, groups = kernel.shape[2:], int(node.attributes.get("group") or 1)
    strides = integers(node, "strides", (1,) * rank)
    dilations = integers(node, "dilations", (1,) * rank)
    extra = integers(node, "output_padding", (0,) * rank)
    channels = kernel.shape[1]
    full = tuple(
        (length - 1) * stride + dilation * (taps - 1) + 1 + more
        for length, stride, dilation, taps, more in zip(x.shape[2:], strides, dilations, size, extra, strict=True)
    )
    matrix = kernel.reshape(groups, -1, channels * prod(size)).swapaxes(1, 2)  # (groups, O / group * taps, I / group)
    y = np.zeros((images, groups * channels, *full), np.result_type(x, kernel))
    step = max(1, COLUMN_BYTES // max(1, groups * channels * prod(size) * prod(x.shape[2:]) * x.itemsize))
    for start in range(0, images, step):
        part = x[start : start + step]
        columns = np.matmul(matrix, part.reshape(len(part), groups, -1, prod(x.shape[2:])))
        columns = columns.reshape(len(part), groups * channels, prod(size), *x.shape[2:])
        for number, offset in enumerate(np.ndindex(*size)):
            y[(slice(start, start + step), slice(None), *_places(offset, strides, dilations, x.shape[2:]))] += columns[
                :, :, number
            ]
    y = padded(y, [-pad for pad in integers(node, "pads", (0,) * 2 * rank)])
    if "B" in weights:
        y = y + along(weights["B"], 1, y.ndim)
    return y


def gemm(node: Node, inputs: Sequence[np.ndarray], weights: Weights) -> np.ndarray:
    """Replace the axis `axis` of I values by one of O: its product with W (O, I), plus B (O)."""
    (x,), matrix = inputs, weights["W"]
    axis = int(node.attributes.get("axis", -1))
    rows = np.moveaxis(x, axis, -1)
    y = (rows.reshape(-1, rows.shape[-1]) @ matrix.T).reshape(*rows.shape[:-1], len(matrix))
    if "B" in weights:
        y += weights["B"]
    return np.ascontiguousarray(np.moveaxis(y, -1, axis))


def _result_size(
    lengths: Sequence[int], size: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[int, ...]:
    result = tuple(
        (length - dilation * (taps - 1) - 1) // stride + 1
        for length, taps, stride, dilation in zip(lengths, size, strides, dilations, strict=True)
    )
    if min(result, default=1) < 1:
        raise ValueError(f"a kernel of {tuple(size)} is larger than its padded input of {tuple(lengths)}")
    return result


def _places(
    offset: Sequence[int], strides: Sequence[int], dilations: Sequence[int], count: Sequence[int]
) -> tuple[slice, ...]:
    """Return the elements that the tap at `offset` of a kernel meets: `count` of them along every spatial axis."""
    return tuple(
        slice(first * dilation, first * dilation + (number - 1) * stride + 1, stride)
        for first, stride, dilation, number in zip(offset, strides, dilations, count, strict=True)
    )


def _depthwise(
    x: np.ndarray, kernel: np.ndarray, strides: Sequence[int], dilations: Sequence[int], result: tuple[int, ...]
) -> np.ndarray:
    """Convolve one input channel per group: a sum over the taps of the kernel, each for all channels at once."""
    images, groups = x.shape[:2]
    taps = kernel.reshape(groups, -1, *kernel.shape[2:])
    ones = (1,) * len(result)
    y = np.zeros((images, groups, taps.shape[1], *result), np.result_type(x, kernel))
    for offset in np.ndindex(*kernel.shape[2:]):
        met = x[(slice(None), slice(None), None, *_places(offset, strides, dilations, result))]
        y += met * taps[(slice(None), slice(None), *offset)].reshape(groups, -1, *ones)
    return y.reshape(images, -1, *result)


def _dense(
    x: np.ndarray,
    kernel: np.ndarray,
    groups: int,
    strides: Sequence[int],
    dilations: Sequence[int],
    result: tuple[int, ...],
) -> np.ndarray:
    """Convolve by a matrix product, for each image and group, of the kernel and the unfolded input."""
    images, channels, size, rank = len(x), x.shape[1], kernel.shape[2:], len(result)
    matrix = kernel.reshape(groups, len(kernel) // groups, -1)
    if prod(size) == 1:
        met = x[(slice(None), slice(None), *_places((0,) * rank, strides, dilations, result))]
        plain: np.ndarray = np.matmul(matrix, met.reshape(images, groups, -1, prod(result)))
        return plain.reshape(images, -1, *result)
    y = np.empty((images, groups, len(kernel) // groups, *result), np.result_type(x, kernel))
    steps = [step * by for step, by in zip(x.strides[2:], strides, strict=True)]
    taps = [step * by for step, by in zip(x.strides[2:], dilations, strict=True)]
    windows = as_strided(x, (images, channels, *size, *result), (*x.strides[:2], *taps, *steps), writeable=False)
    row = channels * prod(size) * prod(result[1:]) * x.itemsize
    for some, rows in _chunks(images, result[0] if rank else 1, row):
        part = windows[(some, *(slice(None),) * (1 + rank), rows)]
        columns = part.reshape(len(part), groups, matrix.shape[-1], -1)
        y[(some, slice(None), slice(None), rows)] = np.matmul(matrix, columns).reshape(
            len(part), groups, -1, *part.shape[2 + rank :]
        )
    return y.reshape(images, -1, *result)


def _chunks(images: int, rows: int, row_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of images and rows whose unfolded input is within COLUMN_BYTES, if a single row is."""
    at_once = max(1, COLUMN_BYTES // max(1, row_bytes))
    some, few = (max(1, at_once // rows), rows) if at_once >= rows else (1, at_once)
    for image, row in product(range(0, images, some), range(0, rows, few)):
        yield slice(image, image + some), slice(row, row + few)


OPERATORS: dict[str, Operator] = {"Conv": conv, "ConvTranspose": conv_transpose, "Gemm": gemm}
