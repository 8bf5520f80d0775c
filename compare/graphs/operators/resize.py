"""Resizing by ONNX's definition: every output is a weighted mean of inputs, one axis after another.

https://onnx.ai/onnx/operators/onnx__Resize.html
"""

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np

from compare.graphs.node import Node
from compare.graphs.operators.base import NoReference, Operator, Weights, choice, integers, number

MODES = ("nearest", "linear", "cubic")
COORDINATES = ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "tf_half_pixel_for_nn")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def resize(node: Node, inputs: Sequence[np.ndarray], _weights: Weights) -> np.ndarray:
    """Resize (N, C, spatial) to (N, C, *sizes).

    `scales`, if given, replaces the ratio of sizes in the coordinates, like a scale_factor in PyTorch. With
    `exclude_outside` taps outside of the input have no weight, else they repeat the edge. It is the default with
    `antialias`, as in the frameworks.
    """
    (x,) = inputs
    mode = choice(node, "mode", "nearest", MODES)
    sizes = integers(node, "sizes", ())
    scales: Any = node.attributes.get("scales") or (None,) * len(sizes)
    if len(sizes) != x.ndim - 2:
        raise NoReference(f"{node.name} (Resize): sizes={sizes} for {x.ndim - 2} spatial axes")
    for axis, (size, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        length = x.shape[axis]
        places = _coordinates(node, length, size, scale)
        if mode == "nearest":
            x = x.take(np.clip(_rounded(node, places), 0, length - 1), axis)
        else:
            matrix = _matrix(node, places, length, size / length if scale is None else scale).astype(x.dtype)
            x = np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T, -1, axis)
    return np.ascontiguousarray(x)


def _coordinates(node: Node, length: int, size: int, scale: float | None) -> np.ndarray:
    """Return the place in the input of every output (size), in float64."""
    mode = choice(node, "coordinate_transformation_mode", "half_pixel", COORDINATES)
    at = np.arange(size, dtype=np.float64)

    def stretched(places: np.ndarray) -> np.ndarray:
        # Multiply first, then divide: one rounding, which keeps integers exact.
        return places * length / size if scale is None else places / scale

    if mode == "align_corners":
        return at * (length - 1) / (size - 1) if size > 1 else at * 0
    if mode == "asymmetric":
        return stretched(at)
    if mode == "tf_half_pixel_for_nn":
        return stretched(at + 0.5)
    if mode == "pytorch_half_pixel" and size == 1:
        return at * 0
    return stretched(at + 0.5) - 0.5


def _rounded(node: Node, places: np.ndarray) -> np.ndarray:
    mode = choice(node, "nearest_mode", "round_prefer_floor", ROUNDINGS)
    if mode.endswith("floor"):
        rounded = np.ceil(places - 0.5) if mode.startswith("round") else np.floor(places)
    else:
        rounded = np.floor(places + 0.5) if mode.startswith("round") else np.ceil(places)
    return rounded.astype(np.int64)


def _matrix(node: Node, places: np.ndarray, length: int, scale: float) -> np.ndarray:
    """Return the weight of every input (length) in every output: (outputs, length), in float64."""
    cubic = node.attributes.get("mode") == "cubic"
    antialias = bool(node.attributes.get("antialias"))
    exclude: Any = node.attributes.get("exclude_outside", antialias)
    narrow = min(scale, 1.0) if antialias else 1.0
    reach = (2 if cubic else 1) / narrow
    matrix = np.zeros((len(places), length))
    for row, place in enumerate(places):
        taps = np.arange(ceil(place - reach), floor(place + reach) + 1)
        distance = np.abs(taps - place) * narrow
        weights = _cubic(distance, number(node, "cubic_coeff_a", -0.75)) if cubic else np.maximum(1 - distance, 0)
        if exclude:
            inside = (taps >= 0) & (taps < length)
            taps, weights = taps[inside], weights[inside]
        if exclude or antialias:
            weights = weights / weights.sum()
        np.add.at(matrix[row], np.clip(taps, 0, length - 1), weights)
    return matrix


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Return Keys' kernel: Cubic convolution interpolation for digital image processing, 1981."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


OPERATORS: dict[str, Operator] = {"Resize": resize}
