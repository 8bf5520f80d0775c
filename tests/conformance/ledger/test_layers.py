"""Layers in the ledger's rows, in the frameworks' own forms, compared with NumPy's arithmetic."""

from collections.abc import Callable, Sequence
from math import erf

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from compare.parity.ledger.answers import Line
from shared.ledger import ROWS

pytestmark = pytest.mark.slow

Array = np.ndarray
Recomputed = Callable[..., tuple[Array | float, Array | float]]
BY_HAND: dict[str, Recomputed] = {}  # the two own forms of a row, recomputed from its inputs
NOTHING = np.empty(0)  # the answer of a form that raises an error


def by_hand(row: str) -> Callable[[Recomputed], Recomputed]:
    def register(recomputed: Recomputed) -> Recomputed:
        BY_HAND[row] = recomputed
        return recomputed

    return register


@pytest.mark.parametrize("row", BY_HAND)
def test_own_forms_are_what_numpy_gives(lines: dict[str, Line], row: str) -> None:
    precise = ROWS[row].dtype == "float64"
    for got, expected in zip(lines[row].answers["own"], BY_HAND[row](**ROWS[row].arrays()), strict=True):
        assert got.shape == np.shape(expected)
        np.testing.assert_allclose(got, expected, rtol=1e-12 if precise else 1e-5, atol=1e-14 if precise else 1e-6)


def normalised(x: Array, axes: int | tuple[int, ...], epsilon: float) -> Array:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def moving(batches: Array, weight: float) -> Array:
    mean = np.zeros(4)
    for batch in batches:
        mean = (1 - weight) * mean + weight * batch.mean(0)
    return mean


def padded(x: Array, before: int, after: int, value: float = 0.0) -> Array:
    return np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), constant_values=value)


def windows(x: Array, size: int, stride: int) -> Array:
    """Return windows (images, rows, columns, channels, size, size)."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def convolved(x: Array, kernel: Array, stride: int = 1) -> Array:
    return np.einsum("nijcab,abco->nijo", windows(x, len(kernel), stride), kernel)


def transposed(x: Array, kernel: Array, stride: int) -> Array:
    """Add the kernel, times the pixel, for every pixel of one channel."""
    rows, size = x.shape[1], len(kernel)
    out = np.zeros((stride * (rows - 1) + size,) * 2)
    for i, j in np.ndindex(rows, rows):
        out[stride * i : stride * i + size, stride * j : stride * j + size] += x[0, i, j, 0] * kernel[:, :, 0, 0]
    return out[None, :, :, None]


def interpolated(x: Array, positions: Sequence[float]) -> Array:
    """Interpolate a square image at positions between its pixels, equal for rows and columns."""
    pixels = range(x.shape[1])
    weights = np.array([np.interp(positions, pixels, np.eye(len(pixels))[pixel]) for pixel in pixels])
    return np.einsum("ip,jq,nijc->npqc", weights, weights, x)


def half_pixels(size: int, ratio: float) -> Array:
    """Return the positions in the old image of the centres of a resized image's pixels."""
    return (np.arange(size) + 0.5) * ratio - 0.5


@by_hand("batchnorm-epsilon")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x[0], 0, 1e-5), normalised(x[0], 0, 1e-3)


@by_hand("batchnorm-momentum")
def _(x: Array) -> tuple[Array, Array]:
    return moving(x, 0.1), moving(x, 0.01)


@by_hand("batchnorm-momentum-copied")
def _(x: Array) -> tuple[Array, Array]:
    return moving(x, 0.9), moving(x, 0.1)


@by_hand("batchnorm-variance")
def _(x: Array) -> tuple[Array, Array]:
    return 0.9 + 0.1 * x[0].var(0, ddof=1), 0.9 + 0.1 * x[0].var(0)


@by_hand("batchnorm-called")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x, 0, 1e-5), x / np.sqrt(1.001)


@by_hand("batchnorm-one")
def _(x: Array) -> tuple[Array, Array]:
    return NOTHING, np.ones((1, 4))


@by_hand("batchnorm-frozen")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x, 0, 1e-3), x / np.sqrt(1.001)


@by_hand("batchnorm-sequence")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x, (0, 2), 1e-3), normalised(x, (0, 1), 1e-3)


@by_hand("batchnorm-accumulation")
def _(x: Array) -> tuple[Array, Array]:
    return moving(x.reshape(4, 2, 4), 0.1), moving(x.reshape(4, 2, 4), 0.1)


@by_hand("layernorm-axes")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x, 2, 1e-3), normalised(x, 3, 1e-3)


@by_hand("groupnorm-epsilon")
def _(x: Array) -> tuple[Array, Array]:
    grouped = x.reshape(1, 4, 4, 2, 4)
    first, second = (normalised(grouped, (1, 2, 4), epsilon) for epsilon in (1e-5, 1e-3))
    return first.reshape(x.shape), second.reshape(x.shape)


@by_hand("instancenorm-epsilon")
def _(x: Array) -> tuple[Array, Array]:
    return normalised(x, (1, 2), 1e-5), normalised(x, (1, 2), 1e-3)


@by_hand("rmsnorm-epsilon")
def _(x: Array) -> tuple[Array, Array]:
    square = (x**2).mean(1, keepdims=True)
    return x / np.sqrt(square + np.finfo(float).eps), x / np.sqrt(square + 1e-6)


@by_hand("unit-length")
def _(x: Array) -> tuple[Array, Array]:
    length = np.sqrt((x**2).sum(1, keepdims=True))
    return x / np.maximum(length, 1e-12), x / np.maximum(length, 1e-7)


@by_hand("local-response-alpha")
def _(x: Array) -> tuple[Array, Array]:
    squares = sliding_window_view(np.pad(x**2, ((0, 0), (0, 0), (0, 0), (2, 2))), 5, axis=3).sum(-1)
    return x / (1 + 0.125 * squares) ** 0.75, x / (1 + 0.625 * squares) ** 0.75


@by_hand("input-normalisation")
def _(x: Array) -> tuple[Array, Array]:
    return (x - 0.5) / 0.25, (x - 0.5) / 0.5


@by_hand("convolution-same")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return convolved(padded(x, 1, 1), kernel, 2), convolved(padded(x, 0, 1), kernel, 2)


@by_hand("convolution-same-stride")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return NOTHING, convolved(padded(x, 0, 1), kernel, 2)


@by_hand("convolution-same-even")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return convolved(padded(x, 1, 2), kernel), convolved(padded(x, 1, 2), kernel)


@by_hand("convolution-dilated-stride")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    holes = np.zeros((5, 5, 1, 1))
    holes[::2, ::2] = kernel
    return convolved(x, holes, 2), NOTHING


@by_hand("convolution-layout")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return convolved(x, kernel.transpose(2, 3, 1, 0)), convolved(x, kernel)


@by_hand("depthwise-layout")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    own = np.einsum("nijcab,abcm->nijcm", windows(x, 3, 1), kernel)
    # In PyTorch, output 2 c + m reads channel c. The kernel's last two axes are exchanged: 2 c + m = 2 m' + c'.
    swapped = np.einsum("nijcab,abmc->nijcm", windows(x, 3, 1), kernel)
    return swapped.reshape(1, 3, 3, 4), own.reshape(1, 3, 3, 4)


@by_hand("convolution-causal")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    def along(before: int, after: int) -> Array:
        steps = sliding_window_view(np.pad(x, ((0, 0), (before, after), (0, 0))), 3, axis=1)
        return np.einsum("ntca,aco->nto", steps, kernel)

    return along(2, 2), along(2, 0)


@by_hand("transposed-size")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return transposed(x, kernel, 2)[:, 1:8, 1:8], transposed(x, kernel, 2)[:, :8, :8]


@by_hand("transposed-same")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return transposed(x, kernel, 2)[:, 1:9, 1:9], transposed(x, kernel, 2)[:, :8, :8]


@by_hand("transposed-gap")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return transposed(x, kernel, 3), padded(transposed(x, kernel, 3), 0, 1)


@by_hand("padding-order")
def _(x: Array) -> tuple[Array, Array]:
    first = np.pad(x, ((0, 0), (0, 2), (1, 0), (0, 0)))
    return first, np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0)))


@by_hand("padding-replicate")
def _(x: Array) -> tuple[Array, Array]:
    at = ((0, 0), (2, 2), (2, 2), (0, 0))
    return np.pad(x, at, mode="edge"), np.pad(x, at, mode="symmetric")


@by_hand("pool-same")
def _(x: Array) -> tuple[Array, Array]:
    first, second = (padded(x, before, 1, -np.inf) for before in (1, 0))
    return windows(first, 3, 2).max((4, 5)), windows(second, 3, 2).max((4, 5))


@by_hand("pool-ceil")
def _(x: Array) -> tuple[Array, Array]:
    return windows(x, 3, 2).max((4, 5)), windows(padded(x, 1, 1, -np.inf), 3, 2).max((4, 5))


@by_hand("pool-indices")
def _(x: Array) -> tuple[Array, Array]:
    columns, channels = 4, 2
    first = np.zeros((1, 2, 2, 2), int)
    for i, j, c in np.ndindex(2, 2, 2):
        row, column = divmod(int(np.argmax(x[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c])), 2)
        first[0, i, j, c] = (2 * i + row) * columns + 2 * j + column
    return first, first * channels + np.arange(channels)


@by_hand("pool-nan")
def _(x: Array) -> tuple[float, float]:
    return 1, 0


@by_hand("average-pool-border")
def _(x: Array) -> tuple[Array, Array]:
    sums = windows(padded(x, 1, 1), 3, 1).sum((4, 5))
    return sums / 9, sums / windows(padded(np.ones_like(x), 1, 1), 3, 1).sum((4, 5))


@by_hand("average-pool-same")
def _(x: Array) -> tuple[Array, Array]:
    count = windows(padded(np.ones_like(x), 0, 1), 3, 2).sum((4, 5))
    return windows(padded(x, 1, 1), 3, 2).mean((4, 5)), windows(padded(x, 0, 1), 3, 2).sum((4, 5)) / count


@by_hand("resize-corners")
def _(x: Array) -> tuple[Array, Array]:
    return interpolated(x, np.linspace(0, 6, 14)), interpolated(x, half_pixels(14, 1 / 2))


@by_hand("resize-tf1")
def _(x: Array) -> tuple[Array, Array]:
    return interpolated(x, half_pixels(14, 1 / 2)), interpolated(x, np.arange(14) / 2)


@by_hand("resize-nearest")
def _(x: Array) -> tuple[Array, Array]:
    corners, centres = [0, 2, 4], [1, 3, 5]  # of 7 / 3 pixels each
    return x[:, corners][:, :, corners], x[:, centres][:, :, centres]


@by_hand("resize-scale-factor")
def _(x: Array) -> tuple[Array, Array]:
    return interpolated(x, half_pixels(7, 1 / 1.5)), interpolated(x, half_pixels(7, 5 / 7))


@by_hand("resize-area")
def _(x: Array) -> tuple[Array, Array]:
    whole = np.zeros((7, 3))
    for new, pixels in enumerate((slice(0, 3), slice(2, 5), slice(4, 7))):
        whole[pixels, new] = 1 / 3
    ends = np.arange(3) * 7 / 3
    parts = np.clip(np.minimum(np.arange(7)[:, None] + 1, ends + 7 / 3) - np.maximum(np.arange(7)[:, None], ends), 0, 1)
    first, second = (np.einsum("ip,jq,nijc->npqc", weights, weights, x) for weights in (whole, parts * 3 / 7))
    return first, second


@by_hand("center-crop")
def _(x: Array) -> tuple[Array, Array]:
    return x[:, 2:6, 2:6], x[:, 1:5, 1:5]


@by_hand("leaky-slope")
def _(x: Array) -> tuple[Array, Array]:
    return np.where(x > 0, x, 0.01 * x), np.where(x > 0, x, float(np.float32(0.3)) * x)


@by_hand("prelu-initial")
def _(x: Array) -> tuple[Array, Array]:
    return np.where(x > 0, x, x / 4), np.where(x > 0, x, 0)


@by_hand("gelu-constant")
def _(x: Array) -> tuple[Array, Array]:
    def gelu(scale: float) -> Array:
        return np.array([value / 2 * (1 + erf(value * scale)) for value in x])

    return gelu(np.sqrt(0.5)), gelu(float(np.float32(np.sqrt(0.5))))


@by_hand("softplus-threshold")
def _(x: Array) -> tuple[Array, Array]:
    return np.where(x > 20, x, np.log1p(np.exp(x))), np.log1p(np.exp(x))


@by_hand("hard-sigmoid")
def _(x: Array) -> tuple[Array, Array]:
    return np.clip(x / 6 + 0.5, 0, 1), np.clip(x / 6 + 0.5, 0, 1)


@by_hand("softmax-axis")
def _(x: Array) -> tuple[Array, Array]:
    return np.exp(x) / np.exp(x).sum(0), np.exp(x) / np.exp(x).sum(-1, keepdims=True)


@by_hand("dense-axis")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return np.einsum("nijc,jo->nioc", x, kernel), x @ kernel


@by_hand("flatten-order")
def _(x: Array, kernel: Array) -> tuple[Array, Array]:
    return x.transpose(0, 3, 1, 2).reshape(2, 18) @ kernel, x.reshape(2, 18) @ kernel


@by_hand("pixel-shuffle")
def _(x: Array) -> tuple[Array, Array]:
    first, second = np.zeros((2, 1, 6, 6, 2))
    for i, j, c in np.ndindex(6, 6, 2):
        inner = 2 * (i % 2) + j % 2
        first[0, i, j, c] = x[0, i // 2, j // 2, 4 * c + inner]
        second[0, i, j, c] = x[0, i // 2, j // 2, 2 * inner + c]
    return first, second


@by_hand("patches-order")
def _(x: Array) -> tuple[Array, Array]:
    pieces = windows(x, 2, 2).reshape(1, 4, 2, 2, 2)
    return pieces.reshape(1, 4, 8), pieces.transpose(0, 1, 3, 4, 2).reshape(1, 4, 8)
