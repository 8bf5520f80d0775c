"""Outputs in another order, and constants that are float32 on one side."""

import numpy as np
import pytest
from graph_builder import Builder

from compare.graphs.node import Node, Recording
from compare.port.align import align
from compare.port.constants import unrounded
from compare.port.outputs import check_outputs, order_differences, order_of, reordered
from shared.errors import InputError

INPUTS = {"x": np.random.default_rng(3).normal(size=(2, 6))}


def heads(*order: str, sizes: tuple[int, int] = (3, 3)) -> Recording:
    """Return a class output without an activation and a box output with a sigmoid, in this order."""
    b = Builder(INPUTS)
    shared = b.gemm(6, 6, name="shared")
    b.gemm(6, sizes[0], shared, name="class")
    b.gemm(6, sizes[1], shared, name="before")
    b.add("Sigmoid", name="box")
    return b.made(*order)


@pytest.mark.parametrize("sizes", [(3, 3), (2, 4)])
def test_outputs_in_another_order_are_found(sizes: tuple[int, int]) -> None:
    left, right = heads("class", "box", sizes=sizes), heads("box", "class", sizes=sizes)
    order = order_of(left, right, align(left, right))
    assert order == (1, 0)
    turned = reordered(right, order)
    check_outputs(left, turned)
    assert turned.graph.outputs == left.graph.outputs
    places = [(d.cause, d.left, d.left_value, d.right_value) for d in order_differences(left, turned, order)]
    assert places == [("outputs.order", "class", "first", "second"), ("outputs.order", "box", "second", "first")]


def test_outputs_stay_in_their_order_if_no_other_suits_better() -> None:
    left, right = heads("class", "box"), heads("class", "box")
    assert order_of(left, right, align(left, right)) == (0, 1)


def test_outputs_that_suit_in_no_order_are_refused() -> None:
    left, right = heads("class", "box", sizes=(3, 4)), heads("class", "box", sizes=(3, 5))
    with pytest.raises(InputError, match="4 values for an example and the right one 5"):
        check_outputs(left, right)


def shifted(value: np.ndarray) -> Recording:
    """Return a value minus a constant."""
    b = Builder(INPUTS)
    b.nodes.append(Node("mean", "Constant"))
    b.with_weights(value=value)
    b.add("Sub", "x", "mean")
    return b.made()


MEAN = np.array([0.485, 0.456, 0.406, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("side", [0, 1])
def test_a_constant_of_float32_gets_what_it_was_rounded_from(side: int) -> None:
    values = [MEAN, MEAN]
    values[side] = MEAN.astype(np.float32).astype(np.float64)
    left, right = (shifted(value) for value in values)
    exact, found = unrounded(left, right, align(left, right))
    assert not exact[1 - side]
    np.testing.assert_array_equal(exact[side]["mean/value"], MEAN)
    assert [d.cause for d in found] == ["precision"]


def test_a_constant_that_was_computed_in_float32_is_the_other_sides() -> None:
    other = np.nextafter(np.float32(MEAN), np.float32(1)).astype(np.float64)  # one ulp from the correct one
    left, right = shifted(other), shifted(MEAN)
    exact, found = unrounded(left, right, align(left, right))
    np.testing.assert_array_equal(exact[0]["mean/value"], MEAN)
    assert [(d.left_value, d.right_value) for d in found] == [("float32", "float64")]


@pytest.mark.parametrize("other", [MEAN, MEAN + 1e-4, np.float32(MEAN + 1e-4).astype(np.float64)])
def test_another_constant_stays(other: np.ndarray) -> None:
    left, right = shifted(MEAN), shifted(other)
    assert unrounded(left, right, align(left, right)) == (({}, {}), ())
