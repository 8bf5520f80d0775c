"""Resizing, compared with onnx.reference, and PyTorch in its own process."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from one_node import close, onnx, ours
from patience import GENEROUS_S

COORDINATES = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]


# onnx.reference computes ratios of sizes in float32. PyTorch, below, has full precision.
def of_onnx(x: np.ndarray, sizes: tuple[int, ...], **attributes: Any) -> np.ndarray:
    everything = np.array([*x.shape[:2], *sizes], np.int64)
    found: np.ndarray = onnx("Resize", x, None, None, everything, **attributes)
    return found


@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    coordinates=st.sampled_from(COORDINATES),
    mode=st.sampled_from(["linear", "cubic"]),
    antialias=st.booleans(),
    exclude=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_interpolation_is_that_of_onnx(
    sizes: tuple[int, int], coordinates: str, mode: str, antialias: bool, exclude: bool
) -> None:
    # For a single output, ONNX's text gives 0, and onnx.reference -0.5.
    assume(coordinates != "pytorch_half_pixel" or min(sizes) > 1)
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 6))
    common = {"mode": mode, "coordinate_transformation_mode": coordinates, "cubic_coeff_a": -0.5}
    flags = {"antialias": int(antialias), "exclude_outside": int(exclude)}
    close(ours("Resize", x, sizes=sizes, **common, **flags), of_onnx(x, sizes, **common, **flags), 1e-5)


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("sizes", [(8, 12), (2, 3), (5, 7), (4, 6)])
def test_the_nearest_are_those_of_onnx(nearest: str, coordinates: str, sizes: tuple[int, int]) -> None:
    x = np.arange(48.0).reshape(1, 2, 4, 6)
    common = {"mode": "nearest", "nearest_mode": nearest, "coordinate_transformation_mode": coordinates}
    close(ours("Resize", x, sizes=sizes, **common), of_onnx(x, sizes, **common), 0)


def test_one_and_three_spatial_axes() -> None:
    rng = np.random.default_rng(0)
    for lengths, sizes in (((5,), (9,)), ((3, 4, 5), (6, 2, 7))):
        x = rng.standard_normal((2, 2, *lengths))
        close(ours("Resize", x, sizes=sizes, mode="linear"), of_onnx(x, sizes, mode="linear"), 1e-5)


def test_a_stated_scale_moves_the_coordinates() -> None:
    """As in PyTorch, 4 * 1.6 = 6.4 gives 6 outputs at distances of 1 / 1.6."""
    x = np.random.default_rng(0).standard_normal((1, 1, 4))
    scales = np.array([1, 1, 1.6], np.float32)
    expected = onnx("Resize", x, None, scales, mode="linear")
    close(ours("Resize", x, sizes=(6,), scales=(float(scales[2]),), mode="linear"), expected, 1e-12)
    assert np.abs(ours("Resize", x, sizes=(6,), mode="linear") - expected).max() > 1e-3


SCRIPT = """
import json, sys, torch
from torch.nn import functional as F
x = torch.sin(torch.arange(60, dtype=torch.float64)).reshape(1, 1, 10, 6)
answers = [F.interpolate(x, size, **options).tolist() for size, options in json.loads(sys.argv[1])]
print(json.dumps(answers))
"""
PYTORCHS: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "nearest": [({}, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})],
    "nearest-exact": [({}, {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"})],
    "bilinear": [
        ({"antialias": True}, {"antialias": True}),
        ({"align_corners": True}, {"coordinate_transformation_mode": "align_corners"}),
        ({"align_corners": False}, {"coordinate_transformation_mode": "pytorch_half_pixel"}),
    ],
    "bicubic": [
        ({"antialias": True}, {"antialias": True, "cubic_coeff_a": -0.5}),
        ({"align_corners": True}, {"coordinate_transformation_mode": "align_corners", "cubic_coeff_a": -0.75}),
        ({"align_corners": False}, {"coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75}),
    ],
}


def test_pytorchs_interpolations_have_their_attributes() -> None:
    asked, expected = [], []
    for mode, pairs in PYTORCHS.items():
        for options, attributes in pairs:
            for sizes in ((20, 12), (5, 3), (7, 11), (3, 4)):
                asked.append((sizes, {"mode": mode, **options}))
                ours_mode = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, "nearest")
                expected.append((sizes, {"mode": ours_mode, **attributes}))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    x = np.sin(np.arange(60.0)).reshape(1, 1, 10, 6)
    for (sizes, attributes), answer in zip(expected, json.loads(done.stdout), strict=True):
        close(ours("Resize", x, sizes=sizes, **attributes), np.array(answer), 1e-12)
