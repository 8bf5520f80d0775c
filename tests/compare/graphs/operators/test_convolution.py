"""Convolutions and products, compared with onnx.reference and loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_node import close, onnx, ours

from compare.graphs.operators import convolution

Case = tuple[np.random.Generator, int, int, int, int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a generator, spatial axes, groups, input channels and output channels of each group."""
    seed = draw(st.integers(0, 2**32 - 1))
    return (np.random.default_rng(seed), *(draw(st.integers(1, 3)) for _ in range(4)))  # type: ignore[return-value]


@given(cases(), st.integers(1, 3), st.integers(1, 2), st.booleans())
@settings(max_examples=60, deadline=None)
def test_convolutions_are_those_of_onnx(case: Case, stride: int, dilation: int, small_chunks: bool) -> None:
    rng, rank, groups, each_in, each_out = case
    size = [int(n) for n in rng.integers(1, 4, rank)]
    x = rng.standard_normal((2, groups * each_in, *rng.integers(5, 8, rank)))
    w = rng.standard_normal((groups * each_out, each_in, *size))
    b = rng.standard_normal(groups * each_out)
    pads = [int(n) for n in rng.integers(0, 3, 2 * rank)]
    common = {"strides": [stride] * rank, "dilations": [dilation] * rank, "pads": pads, "group": groups}
    with pytest.MonkeyPatch.context() as patch:
        if small_chunks:
            patch.setattr(convolution, "COLUMN_BYTES", 5000)
        close(ours("Conv", x, weights={"W": w, "B": b}, **common), onnx("Conv", x, w, b, **common))


@pytest.mark.parametrize(("mode", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_a_mode_of_padding_is_a_pad_before(mode: str, numpys: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 3))
    before = np.pad(x, [(0, 0), (0, 0), (1, 2), (2, 1)], mode=numpys)  # type: ignore[call-overload]
    close(ours("Conv", x, weights={"W": w}, pads=(1, 2, 2, 1), pad_mode=mode), onnx("Conv", before, w))


def naive_transpose(
    x: np.ndarray, w: np.ndarray, stride: int, dilation: int, group: int, extra: list[int]
) -> np.ndarray:
    """Add every input value times the kernel at its place, without padding."""
    each = w.shape[1]
    lengths = zip(x.shape[2:], w.shape[2:], extra, strict=True)
    full = [(size - 1) * stride + dilation * (taps - 1) + 1 + more for size, taps, more in lengths]
    y = np.zeros((len(x), group * each, *full))
    for image, channel in product(range(len(x)), range(x.shape[1])):
        first = channel // (x.shape[1] // group) * each
        for place, tap in product(np.ndindex(*x.shape[2:]), np.ndindex(*w.shape[2:])):
            at = tuple(p * stride + t * dilation for p, t in zip(place, tap, strict=True))
            for output in range(each):
                y[(image, first + output, *at)] += x[(image, channel, *place)] * w[(channel, output, *tap)]
    return y


@given(cases(), st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=25, deadline=None)
def test_transposed_convolutions_scatter(case: Case, stride: int, dilation: int) -> None:
    rng, rank, groups, each_in, each_out = case
    x = rng.standard_normal((2, groups * each_in, *rng.integers(2, 4, rank)))
    w = rng.standard_normal((groups * each_in, each_out, *rng.integers(1, 4, rank)))
    b = rng.standard_normal(groups * each_out)
    extra = [int(n) for n in rng.integers(0, stride, rank)]
    full = naive_transpose(x, w, stride, dilation, groups, extra)
    pads = [int(rng.integers(0, size // 2 + size % 2)) for size in full.shape[2:]] * 2
    cut = full[(..., *(slice(pad, size - pad) for pad, size in zip(pads, full.shape[2:], strict=False)))]
    found = ours(
        "ConvTranspose",
        x,
        weights={"W": w, "B": b},
        strides=[stride] * rank,
        dilations=[dilation] * rank,
        group=groups,
        output_padding=extra,
        pads=pads,
    )
    close(found, cut + b.reshape(-1, *[1] * rank))


def test_a_transposed_convolution_of_onnx() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((1, 3, 4, 5)), rng.standard_normal((3, 2, 3, 3))
    common = {"strides": [2, 2], "pads": [1, 0, 1, 1], "output_padding": [1, 0]}
    close(ours("ConvTranspose", x, weights={"W": w}, **common), onnx("ConvTranspose", x, w, **common))


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_a_product_replaces_its_axis(axis: int) -> None:
    rng = np.random.default_rng(2)
    x, b = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal(6)
    w = rng.standard_normal((6, x.shape[axis]))
    expected = np.moveaxis(np.tensordot(x, w, (axis, 1)) + b, -1, axis)
    close(ours("Gemm", x, weights={"W": w, "B": b}, axis=axis), expected)


def test_float32_stays_float32() -> None:
    ones = np.ones((1, 4, 5, 5), np.float32)
    for kernel, group in ((np.ones((4, 4, 3, 3)), 1), (np.ones((4, 1, 3, 3)), 4), (np.ones((2, 4, 1, 1)), 1)):
        assert ours("Conv", ones, weights={"W": kernel.astype(np.float32)}, group=group).dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "kernel", "message"),
    [((1, 3, 2, 2), (4, 3, 3, 3), "larger than its padded input"), ((1, 4, 5, 5), (4, 3, 3, 3), "do not fit")],
)
def test_what_does_not_fit_says_which_node(shape: tuple[int, ...], kernel: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=rf"it \(Conv\).*{message}"):
        ours("Conv", np.ones(shape), weights={"W": np.ones(kernel)})
