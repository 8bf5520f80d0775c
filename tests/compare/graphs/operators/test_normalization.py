"""Normalizations, compared with onnx.reference."""

import numpy as np
import pytest
from one_node import close, node, onnx, ours

from compare.graphs.evaluate import statistics

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5, 2)) + 100  # far from zero, where a one-pass variance loses digits
BATCH_NORM = {
    "scale": RNG.standard_normal(4),
    "B": RNG.standard_normal(4),
    "mean": RNG.standard_normal(4) + 100,
    "var": RNG.random(4) + 0.1,
}


def test_batch_normalization_by_what_is_kept() -> None:
    expected = onnx("BatchNormalization", X, *BATCH_NORM.values(), epsilon=0.125)
    close(ours("BatchNormalization", X, weights=BATCH_NORM, epsilon=0.125), expected)


def test_batch_normalization_by_the_batch() -> None:
    expected = onnx("BatchNormalization", X, *BATCH_NORM.values(), epsilon=0.125, training_mode=1, outputs=3)
    found = ours("BatchNormalization", X, weights=BATCH_NORM, epsilon=0.125, training_mode=True)
    close(found, expected)
    without = {role: BATCH_NORM[role] for role in ("scale", "B")}
    assert np.array_equal(ours("BatchNormalization", X, weights=without, epsilon=0.125), found)


def test_the_axis_of_batch_normalization() -> None:
    found = ours("BatchNormalization", np.moveaxis(X, 1, -1), weights=BATCH_NORM, axis=-1)
    close(np.moveaxis(found, -1, 1), ours("BatchNormalization", X, weights=BATCH_NORM), 0)


@pytest.mark.parametrize(("unbiased", "ddof"), [(False, 0), (True, 1)])
def test_what_batch_normalization_keeps(unbiased: bool, ddof: int) -> None:
    kept = statistics(node("BatchNormalization", momentum=0.75, unbiased=unbiased), X, BATCH_NORM)
    close(kept["mean"], 0.75 * BATCH_NORM["mean"] + 0.25 * X.mean((0, 2, 3)))
    close(kept["var"], 0.75 * BATCH_NORM["var"] + 0.25 * X.var((0, 2, 3), ddof=ddof))
    assert statistics(node("BatchNormalization"), X, {}) == {}


@pytest.mark.parametrize("first", [1, 2, 3])
def test_layer_normalization_over_the_last_axes(first: int) -> None:
    scale, shift = RNG.standard_normal(X.shape[first:]), RNG.standard_normal(X.shape[first:])
    axes = tuple(range(first, 4))
    expected = onnx("LayerNormalization", X, scale, shift, axis=first, epsilon=0.5)
    close(ours("LayerNormalization", X, weights={"scale": scale, "B": shift}, axes=axes, epsilon=0.5), expected)


def test_layer_normalization_over_channels() -> None:
    moved = np.moveaxis(X, 1, -1)
    expected = np.moveaxis(
        onnx("LayerNormalization", moved, BATCH_NORM["scale"], BATCH_NORM["B"], axis=-1, epsilon=0.5), -1, 1
    )
    close(ours("LayerNormalization", X, weights=BATCH_NORM, axes=(1,), epsilon=0.5), expected)


def test_rms_normalization() -> None:
    scale = RNG.standard_normal(X.shape[2:])
    expected = onnx("RMSNormalization", X, scale, axis=2, epsilon=0.5, opset=23)
    close(ours("RMSNormalization", X, weights={"scale": scale}, axes=(2, 3), epsilon=0.5), expected)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_normalization(groups: int) -> None:
    scale, shift = BATCH_NORM["scale"], BATCH_NORM["B"]
    found = ours("GroupNormalization", X, weights=BATCH_NORM, num_groups=groups, epsilon=0.5)
    # onnx.reference computes it in float32. So use values around zero, and float32's precision.
    small = ours("GroupNormalization", X - 100, weights=BATCH_NORM, num_groups=groups, epsilon=0.5)
    close(small, onnx("GroupNormalization", X - 100, scale, shift, num_groups=groups, epsilon=0.5), 1e-6)
    each = np.split(X, groups, axis=1)
    normal = [(p - p.mean((1, 2, 3), keepdims=True)) / np.sqrt(p.var((1, 2, 3), keepdims=True) + 0.5) for p in each]
    close(found, np.concatenate(normal, 1) * scale.reshape(-1, 1, 1) + shift.reshape(-1, 1, 1))


def test_as_many_groups_as_channels_are_instance_normalization() -> None:
    expected = onnx("InstanceNormalization", X, BATCH_NORM["scale"], BATCH_NORM["B"], epsilon=0.5)
    close(ours("GroupNormalization", X, weights=BATCH_NORM, num_groups=4, epsilon=0.5), expected)


def test_groups_that_do_not_divide_the_channels() -> None:
    with pytest.raises(ValueError, match=r"it \(GroupNormalization\): 4 channels"):
        ours("GroupNormalization", X, num_groups=3)
