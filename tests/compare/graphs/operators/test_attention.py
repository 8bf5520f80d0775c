"""Attention, compared with onnx.reference."""

import numpy as np
import pytest
from one_node import close, onnx, ours

DRAW = np.random.default_rng(4)
Q, K, V = DRAW.normal(size=(2, 5, 12)), DRAW.normal(size=(2, 7, 12)), DRAW.normal(size=(2, 7, 6))
KEYS = np.array([[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]])


def expected(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | None, heads: int, **more: object
) -> np.ndarray:
    made = onnx("Attention", q, k, v, mask, opset=23, q_num_heads=heads, kv_num_heads=heads, **more)
    return np.asarray(made)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("scale", [None, 0.25])
def test_heads_and_scale(heads: int, scale: float | None) -> None:
    more = {} if scale is None else {"scale": scale}
    close(ours("Attention", Q, K, V, num_heads=heads, **more), expected(Q, K, V, None, heads, **more))


def test_masks_of_what_is_kept() -> None:
    wide = np.broadcast_to(KEYS[:, None, None, :] != 0, (2, 3, 5, 7))
    found = ours("Attention", Q, K, V, KEYS, num_heads=3, takes=("keys",))
    close(found, expected(Q, K, V, wide.copy(), 3))
    close(ours("Attention", Q, K, V, wide, num_heads=3, takes=("mask",)), found)
    bias = DRAW.normal(size=(2, 3, 5, 7))
    close(ours("Attention", Q, K, V, bias, num_heads=3, takes=("bias",)), expected(Q, K, V, bias, 3))


def test_no_place_takes_from_a_later_one() -> None:
    found = ours("Attention", K, K, V, num_heads=3, is_causal=True)
    close(found, expected(K, K, V, None, 3, is_causal=1))
    changed = K.copy()
    changed[:, 4:] += 1
    close(ours("Attention", K, changed, V, num_heads=3, is_causal=True)[:, :4], found[:, :4])


def test_a_row_of_which_nothing_is_kept() -> None:
    none = np.zeros((2, 7), int)
    mean = ours("Attention", Q, K, V, none, num_heads=3, takes=("keys",))
    close(mean, np.broadcast_to(V.mean(1, keepdims=True), mean.shape))
    assert np.isnan(ours("Attention", Q, K, V, none, num_heads=3, takes=("keys",), empty="nan")).all()


def test_a_softmax_over_queries_is_another_function() -> None:
    found = ours("Attention", Q, K, V, num_heads=1, scale=1.0, axis=-2)
    scores = np.exp(Q @ K.transpose(0, 2, 1))
    close(found, (scores / scores.sum(1, keepdims=True)) @ V)


def test_where_integers_are_no_padding() -> None:
    ids = np.array([[3, 2, 0], [1, 0, 0]])
    assert ours("NotEqual", ids, scalar=0).tolist() == [[1, 1, 0], [1, 0, 0]]
    assert ours("NotEqual", ids, scalar=0, negated=True).tolist() == [[0, 0, 1], [0, 1, 1]]
    assert ours("Mask", ids == 0, of="excluded").tolist() == [[1, 1, 0], [1, 0, 0]]
    assert ours("Mask", np.array([[0.0, -np.inf]]), of="added").tolist() == [[1, 0]]
