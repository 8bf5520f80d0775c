"""Reshapes and transposes are moved, and every value of the network still equals its graph's computation."""

import numpy as np
import pytest
from graph_builder import Builder

from compare.graphs.evaluate import evaluate
from compare.graphs.node import Node, Recording
from compare.port.normal import normal_form
from compare.port.packed import parts_of

SEQUENCE = {"x": np.random.default_rng(5).normal(size=(2, 4, 6))}
IMAGE = {"x": np.random.default_rng(6).normal(size=(2, 4, 5, 5))}


def computed(recording: Recording, inputs: dict[str, np.ndarray]) -> list[str]:
    """Return the kinds of the normal form, after checking that its values equal its graph's computation."""
    found = normal_form(recording)
    values = evaluate(found.graph, inputs, found.weights)
    for node in found.graph.nodes:
        assert values[node.name].shape == node.shape == found.values[node.name].shape
        np.testing.assert_allclose(values[node.name], found.values[node.name], rtol=1e-12, atol=1e-14)
    for before, after in zip(recording.graph.outputs, found.graph.outputs, strict=True):
        np.testing.assert_array_equal(recording.values[before], found.values[after])
    return [node.kind for node in found.graph.nodes]


def layer_norm(b: Builder, n: int, axis: int) -> None:
    b.add("LayerNormalization", axes=(axis,), epsilon=1e-5)
    b.with_weights(scale=b.random.uniform(0.5, 1.5, n), B=b.random.normal(size=n))


@pytest.mark.parametrize("axes", [(1,), (2,)])
def test_a_normalisation_behind_a_transpose_is_one_over_the_axis_before(axes: tuple[int, ...]) -> None:
    b = Builder(SEQUENCE)
    b.add("Transpose", perm=(0, 2, 1))
    layer_norm(b, 4, 2)
    b.add("Relu")
    b.add("ReduceMean", axes=axes, keepdims=False)
    kinds = computed(b.made(), SEQUENCE)
    assert "Transpose" not in kinds
    assert kinds[1:3] == ["LayerNormalization", "Relu"]


def test_a_transpose_that_is_an_output_stays() -> None:
    b = Builder(SEQUENCE)
    turned = b.add("Transpose", perm=(0, 2, 1))
    layer_norm(b, 4, 2)
    kinds = computed(b.made(turned, b.last), SEQUENCE)
    assert kinds == ["Input", "Transpose", "LayerNormalization"]


def test_a_transpose_behind_another_layer_goes_to_the_end() -> None:
    b = Builder(SEQUENCE)
    b.add("Transpose", perm=(2, 0, 1))
    b.add("Softmax", axis=1)
    b.add("Tanh")
    assert computed(b.made(), SEQUENCE) == ["Input", "Softmax", "Tanh", "Transpose"]


def excitation(b: Builder, image: str, convolutions: bool) -> None:
    b.add("GlobalAveragePool", image, keepdims=convolutions)
    for n_in, n_out in ((4, 2), (2, 4)):
        if convolutions:
            b.conv(n_in, n_out, size=1, pad=0)
        else:
            b.gemm(n_in, n_out)
        b.add("Sigmoid")
    if not convolutions:
        b.add("Reshape", shape=(-1, 4, 1, 1))
    b.add("Mul", image, b.last)


def test_squeeze_and_excitation_by_convolutions_is_one_by_products() -> None:
    kinds = []
    for convolutions in (True, False):
        b = Builder(IMAGE)
        excitation(b, "x", convolutions)
        kinds.append(computed(b.made(), IMAGE))
    assert kinds[0] == kinds[1]
    assert kinds[0].count("Gemm") == 2


def test_a_convolution_of_pixels_that_is_the_output_keeps_its_shape() -> None:
    b = Builder(IMAGE)
    b.add("GlobalAveragePool", keepdims=True)
    b.conv(4, 3, size=1, pad=0)
    assert computed(b.made(), IMAGE)[-1] == "Reshape"


def test_a_transpose_stands_behind_a_reshape_that_joins_no_axes_differently() -> None:
    patches, tokens = Builder(IMAGE), Builder(IMAGE)
    patches.add("Transpose", perm=(0, 2, 3, 1))
    patches.add("Reshape", shape=(-1, 25, 4))
    tokens.add("Flatten", axis=2)
    tokens.add("Transpose", perm=(0, 2, 1))
    assert computed(patches.made(), IMAGE)[1:] == computed(tokens.made(), IMAGE)[1:] == ["Flatten", "Transpose"]


def test_a_transpose_stays_in_front_of_a_reshape_that_joins_axes_differently() -> None:
    b = Builder(IMAGE)
    b.add("Transpose", perm=(0, 2, 1, 3))
    b.add("Reshape", shape=(-1, 20, 5))
    assert computed(b.made(), IMAGE) == ["Input", "Transpose", "Reshape"]


@pytest.mark.parametrize(("size", "kinds"), [((4,), ["Mul", "Transpose"]), ((5, 1, 4), ["Transpose", "Mul"])])
def test_a_transpose_stands_behind_a_parameter_for_each_channel(size: tuple[int, ...], kinds: list[str]) -> None:
    b = Builder(IMAGE)
    turned = b.add("Transpose", perm=(0, 2, 3, 1))
    b.nodes.append(Node("gamma", "Parameter"))
    b.with_weights(value=b.random.normal(size=size))
    b.add("Mul", "gamma", turned)
    assert [kind for kind in computed(b.made(), IMAGE) if kind in ("Mul", "Transpose")] == kinds


def test_channels_flattened_innermost_are_columns_in_another_order() -> None:
    b = Builder(IMAGE)
    b.add("Transpose", perm=(0, 2, 3, 1))
    b.add("Identity")
    b.add("Flatten", axis=1)
    b.add("Dropout", ratio=0.5, active=False)
    name = b.gemm(100, 3)
    made = b.made()
    assert computed(made, IMAGE) == ["Input", "Flatten", "Dropout", "Gemm"]
    own = normal_form(made)
    part = parts_of(made, own)[f"{name}/W"]
    np.testing.assert_array_equal(part.of(made.weights[f"{name}/W"]), own.weights[f"{name}/W"])
    np.testing.assert_array_equal(part.into(None, own.weights[f"{name}/W"]), made.weights[f"{name}/W"])


@pytest.mark.parametrize(("low", "high", "kinds"), [(-1.0, 1.0, ["Clip"]), (1.0, -1.0, ["Min", "Max"])])
def test_a_maximum_of_a_minimum_is_a_clip(low: float, high: float, kinds: list[str]) -> None:
    b = Builder(SEQUENCE)
    b.add("Min", scalar=high, scalar_first=False)
    b.add("Max", scalar=low, scalar_first=False)
    assert computed(b.made(), SEQUENCE)[1:] == kinds


def test_what_reduces_a_flattened_axis_reduces_what_it_was_joined_of() -> None:
    b = Builder(IMAGE)
    b.add("Flatten", axis=2)
    b.add("ReduceSum", axes=(2,), keepdims=False)
    assert computed(b.made(), IMAGE)[1:] == ["ReduceSum"]
