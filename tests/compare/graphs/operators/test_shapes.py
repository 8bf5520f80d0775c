"""Operators that move values, compared with onnx.reference."""

import numpy as np
import pytest
from one_node import close, onnx, ours

from compare.graphs.evaluate import NoReference

X = np.arange(2 * 8 * 4 * 6.0).reshape(2, 8, 4, 6)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    close(found, expected, 0)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_shapes() -> None:
    same(ours("Flatten", X, axis=1), onnx("Flatten", X, axis=1))
    same(ours("Flatten", X, axis=2), X.reshape(2, 8, 24))
    same(ours("Reshape", X, shape=(-1, 4, 48)), onnx("Reshape", X, ints(-1, 4, 48)))
    same(ours("Transpose", X, perm=(0, 2, 3, 1)), onnx("Transpose", X, perm=(0, 2, 3, 1)))
    same(ours("Unsqueeze", X, axes=(0, 3)), onnx("Unsqueeze", X, ints(0, 3)))
    same(ours("Squeeze", X[:, :1, :, :1], axes=(1, 3)), onnx("Squeeze", X[:, :1, :, :1], ints(1, 3)))
    same(ours("Concat", X, X, axis=2), onnx("Concat", X, X, axis=2))
    same(ours("Identity", X), X)
    same(ours("Dropout", X, ratio=0.5, active=True), X)


def test_slices_of_either_direction() -> None:
    found = ours("Slice", X, axes=(1, 3), starts=(1, 5), ends=(100, -100), steps=(2, -1))
    same(found, onnx("Slice", X, ints(1, 5), ints(100, -100), ints(1, 3), ints(2, -1)))


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pads(mode: str) -> None:
    pads = (0, 0, 1, 2, 0, 0, 3, 0)
    expected = onnx("Pad", X, ints(*pads), np.array(7.0) if mode == "constant" else None, mode=mode)
    same(ours("Pad", X, pads=pads, mode=mode, value=7.0), expected)


def test_negative_pads_cut_off() -> None:
    same(ours("Pad", X, pads=(0, 0, -1, 1, 0, 0, 0, -2)), np.pad(X[:, :, 1:, :-2], [(0, 0)] * 3 + [(1, 0)]))


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_blocks_to_space_and_back(mode: str) -> None:
    found = ours("DepthToSpace", X, blocksize=2, mode=mode)
    same(found, onnx("DepthToSpace", X, blocksize=2, mode=mode))
    same(ours("SpaceToDepth", found, blocksize=2, mode=mode), X)


def test_space_to_depth_is_that_of_onnx() -> None:
    same(ours("SpaceToDepth", X, blocksize=2), onnx("SpaceToDepth", X, blocksize=2))


def test_tables() -> None:
    table, places = np.arange(12.0).reshape(4, 3), np.array([[0, 3], [1, 1]])
    same(ours("Gather", places, weights={"W": table}, axis=0, padding_idx=1), onnx("Gather", table, places, axis=0))
    same(ours("Gather", table, places[0] - 1, axis=1), onnx("Gather", table, places[0] - 1, axis=1))


def test_casts() -> None:
    assert ours("Cast", X, to="float32").dtype == np.float32
    with pytest.raises(NoReference, match="bfloat17"):
        ours("Cast", X, to="bfloat17")


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(NoReference, match=r"it \(Pad\): mode='mirror' is not one of"):
        ours("Pad", X, pads=(0,) * 8, mode="mirror")


def test_what_a_shape_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"it \(Reshape\): cannot reshape"):
        ours("Reshape", X, shape=(-1, 5))
