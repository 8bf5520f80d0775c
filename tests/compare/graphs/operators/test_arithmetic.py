"""Arithmetic and reductions, compared with onnx.reference."""

import numpy as np
import pytest
from one_node import close, onnx, ours

from compare.graphs.evaluate import NoReference

RNG = np.random.default_rng(0)
A, B = RNG.random((2, 3, 4, 5)) + 0.5, RNG.random((3, 1, 5)) + 0.5


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"])
def test_two_values_broadcast(kind: str) -> None:
    close(ours(kind, A, B), onnx(kind, A, B))


@pytest.mark.parametrize(("first", "expected"), [(False, [1.0, 3]), (True, [-1.0, -3])])
def test_a_number_of_pythons(first: bool, expected: list[float]) -> None:
    found = ours("Sub", np.array([3, 5], np.float32), scalar=2.0, scalar_first=first)
    assert found.tolist() == expected
    assert found.dtype == np.float32


def test_more_than_two_are_summed() -> None:
    close(ours("Add", A, B, A), 2 * A + B)


def test_matrix_products() -> None:
    right = RNG.standard_normal((5, 2))
    close(ours("MatMul", A, right), onnx("MatMul", A, right))


@pytest.mark.parametrize("kind", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("keepdims", [True, False])
def test_reductions(kind: str, keepdims: bool) -> None:
    expected = onnx(kind, A, np.array([1, 3]), keepdims=int(keepdims))
    close(ours(kind, A, axes=(1, 3), keepdims=keepdims), expected)
    close(ours(kind, A, keepdims=keepdims), onnx(kind, A, keepdims=int(keepdims)))


def test_integers_are_not_divided() -> None:
    with pytest.raises(NoReference, match="divide integers"):
        ours("Div", np.arange(4), np.arange(1, 5))
