"""The products of a training step, from contracts."""

import dataclasses

import pytest

from shared.models import MODELS, Init, LayerSpec, ModelSpec, ParamSpec
from shared.products import Product, products

INIT: Init = "glorot_uniform"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_they_are_all_the_arithmetic_of_a_training_step(name: str) -> None:
    spec = MODELS[name]
    assert sum(product.flops for product in products(spec)) == spec.training_flops


def test_the_first_layer_has_no_gradient_by_its_inputs() -> None:
    found = products(MODELS["dense_baseline"])
    first = next(layer.name for layer in MODELS["dense_baseline"].layers if layer.flops)
    assert [product.by for product in found if product.layer == first] == ["output", "weights"]
    assert [product.by for product in found if product.layer != first][:3] == ["output", "weights", "inputs"]


@pytest.mark.parametrize(("side", "same"), [(8, True), (6, False)])
def test_a_convolution_with_and_without_a_border(side: int, same: bool) -> None:
    flops = 2 * side * side * 3 * 3 * 2 * 5
    spec = one_layer((3, 3, 2, 5), (side, side, 5), flops)
    assert products(spec)[0] == Product("conv", "output", (3, 3, 2, 5), (8, 8, 2), (side, side, 5), same)
    assert str(products(spec)[1]) == "conv, gradient by its weights"


def test_nothing_is_said_of_a_stride_or_of_a_contract_that_counts_otherwise() -> None:
    assert products(one_layer((3, 3, 2, 5), (4, 4, 5), 2 * 4 * 4 * 3 * 3 * 2 * 5)) == ()
    right = one_layer((3, 3, 2, 5), (8, 8, 5), 2 * 8 * 8 * 3 * 3 * 2 * 5)
    layers = tuple(dataclasses.replace(layer, flops=layer.flops // 2) for layer in right.layers)
    assert products(dataclasses.replace(right, layers=layers)) == ()


def one_layer(kernel: tuple[int, ...], given: tuple[int, ...], flops: int) -> ModelSpec:
    parameters = (ParamSpec("conv/kernel", kernel, INIT),)
    layers = (LayerSpec("conv", given, flops),)
    return ModelSpec("one", (8, 8, 2), given[-1], parameters, layers, 90, 90, flops)
