"""Pooling, compared with onnx.reference, loops, and PyTorch in its own process."""

import json
import subprocess
import sys
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_node import close, onnx, ours
from patience import GENEROUS_S


def naive_maxima(x: np.ndarray, size: list[int], strides: list[int], pads: list[int], dilation: int) -> np.ndarray:
    """Return the maximum of every window, one after another. (onnx.reference 1.23 fails for some pads.)"""
    rank = len(size)
    wide = np.pad(x, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)], constant_values=-np.inf)
    reach = [dilation * (taps - 1) + 1 for taps in size]
    counts = [(n - r) // s + 1 for n, r, s in zip(wide.shape[2:], reach, strides, strict=True)]
    y = np.zeros((*x.shape[:2], *counts))
    for place in np.ndindex(*counts):
        window = [slice(p * s, p * s + r, dilation) for p, s, r in zip(place, strides, reach, strict=True)]
        y[(..., *place)] = wide[(..., *window)].max(axis=tuple(range(2, x.ndim)))
    return y


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_maxima_of_windows(seed: int, rank: int, dilation: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3, *rng.integers(6, 9, rank)))
    size, strides = ([int(n) for n in rng.integers(1, 4, rank)] for _ in range(2))
    pads = [int(rng.integers(0, n // 2 + 1)) for n in size * 2]
    found = ours("MaxPool", x, kernel_shape=size, strides=strides, pads=pads, dilations=[dilation] * rank)
    close(found, naive_maxima(x, size, strides, pads, dilation), 0)


def test_maxima_are_those_of_onnx() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 7))
    common = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    close(ours("MaxPool", x, **common), onnx("MaxPool", x, **common), 0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_means_are_those_of_onnx(seed: int, rank: int, include: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3, *rng.integers(6, 9, rank)))
    size = [int(n) for n in rng.integers(1, 4, rank)]
    pads = [int(rng.integers(0, n // 2 + 1)) for n in size * 2]
    common = {"kernel_shape": size, "strides": [int(n) for n in rng.integers(1, 4, rank)], "pads": pads}
    common["count_include_pad"] = int(include)  # type: ignore[assignment]
    close(ours("AveragePool", x, **common), onnx("AveragePool", x, **common))


def test_padding_with_a_value_is_a_part_of_the_input() -> None:
    x = -np.ones((1, 1, 4, 4))
    found = ours("MaxPool", x, kernel_shape=(3, 3), strides=(2, 2), pads=(0, 0, 1, 1), pad_value=0.0)
    assert found.ravel().tolist() == [-1, 0, 0, 0]
    lowest = ours("MaxPool", x, kernel_shape=(3, 3), strides=(2, 2), pads=(0, 0, 1, 1), pad_value=None)
    assert lowest.ravel().tolist() == [-1] * 4
    # A window may start in such padding, as if the previous layer had padded.
    assert ours(
        "MaxPool", x, kernel_shape=(1, 1), strides=(4, 4), pads=(0, 0, 1, 1), pad_value=0.0, ceil_mode=True
    ).shape == (1, 1, 2, 2)


def test_global_pools_reduce_all_spatial_axes() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    close(ours("GlobalAveragePool", x), onnx("GlobalAveragePool", x))
    close(ours("GlobalMaxPool", x, keepdims=False), onnx("GlobalMaxPool", x)[..., 0, 0], 0)


@pytest.mark.parametrize(("kind", "reduce"), [("AdaptiveAveragePool", np.mean), ("AdaptiveMaxPool", np.max)])
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=3), data=st.data())
@settings(max_examples=25, deadline=None)
def test_adaptive_windows_are_pytorchs(kind: str, reduce: object, lengths: list[int], data: st.DataObject) -> None:
    x = np.random.default_rng(0).standard_normal((2, 2, *lengths))
    sizes = tuple(data.draw(st.integers(1, 9)) for _ in lengths)
    expected = np.zeros((2, 2, *sizes))
    for place in np.ndindex(*sizes):
        ranges = [slice(p * n // s, ceil((p + 1) * n / s)) for p, n, s in zip(place, lengths, sizes, strict=True)]
        expected[(..., *place)] = reduce(x[(..., *ranges)], axis=tuple(range(2, x.ndim)))  # type: ignore[operator]
    close(ours(kind, x, output_size=sizes), expected)


CASES = [
    # length, kernel, stride, padding, count_include_pad
    *((length, kernel, stride, padding, include) for length in (5, 6, 7, 8) for kernel in (2, 3) for stride in (2, 3, 4)
      for padding in (0, 1) for include in (False, True)),
]  # fmt: skip
SCRIPT = """
import json, sys, torch
from torch.nn import functional as F
x = torch.sin(torch.arange(8 * 8, dtype=torch.float64)).reshape(1, 1, 8, 8)
answers = []
for length, kernel, stride, padding, include in json.loads(sys.argv[1]):
    part = x[..., :length, :]
    mean = F.avg_pool2d(part, kernel, stride, padding, ceil_mode=True, count_include_pad=include)
    answers.append([F.max_pool2d(part, kernel, stride, padding, ceil_mode=True).tolist(), mean.tolist()])
answers.append([F.adaptive_avg_pool2d(x, (3, 5)).tolist(), F.adaptive_max_pool2d(x, (3, 5)).tolist()])
print(json.dumps(answers))
"""


def test_ceil_mode_is_pytorchs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(CASES)],
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *answers, adaptive = json.loads(done.stdout)
    x = np.sin(np.arange(64.0)).reshape(1, 1, 8, 8)
    for (length, kernel, stride, padding, include), (largest, mean) in zip(CASES, answers, strict=True):
        common = {"kernel_shape": (kernel,) * 2, "strides": (stride,) * 2, "pads": (padding,) * 4, "ceil_mode": True}
        part = x[..., :length, :]
        close(ours("MaxPool", part, **common), np.array(largest), 0)
        close(ours("AveragePool", part, **common, count_include_pad=include), np.array(mean))
    close(ours("AdaptiveAveragePool", x, output_size=(3, 5)), np.array(adaptive[0]))
    close(ours("AdaptiveMaxPool", x, output_size=(3, 5)), np.array(adaptive[1]), 0)
