"""Recurrent layers, compared with onnx.reference."""

import numpy as np
import pytest
from one_node import close, onnx, ours

from compare.graphs.evaluate import NoReference

DRAW = np.random.default_rng(3)
N, T, F, H = 3, 5, 4, 2
X = DRAW.normal(size=(N, T, F))
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
H0, C0 = DRAW.normal(size=(2, N, H))


def weights(kind: str) -> dict[str, np.ndarray]:
    rows = GATES[kind] * H
    return {"W": DRAW.normal(size=(rows, F)), "R": DRAW.normal(size=(rows, H)), "B": DRAW.normal(size=rows)}


def expected(kind: str, w: dict[str, np.ndarray], x: np.ndarray, second: np.ndarray, **more: object) -> np.ndarray:
    """Return onnx.reference's output (N, T, H). It takes (T, N, F), one array for each direction, and both biases."""
    both = np.concatenate([w["B"], second])[None]
    states = [H0[None], C0[None]][: 2 if kind == "LSTM" else 1]
    given = (x.transpose(1, 0, 2), w["W"][None], w["R"][None], both, None, *states)
    made = onnx(kind, *given, hidden_size=H, **more)
    return np.asarray(made)[:, 0].transpose(1, 0, 2)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_sequence_forwards_and_backwards(kind: str) -> None:
    w = weights(kind)
    states = {"LSTM": ("h", "c")}.get(kind, ("h",))
    more = {"linear_before_reset": 0} if kind == "GRU" else {}
    given = (H0, C0)[: len(states)]
    found = ours(kind, X, *given, weights=w, takes=states, **more)
    close(found, expected(kind, w, X, np.zeros_like(w["B"])))
    backwards = ours(kind, X, *given, weights=w, takes=states, direction="reverse", **more)
    close(backwards, expected(kind, w, X[:, ::-1], np.zeros_like(w["B"]))[:, ::-1])


def test_a_gru_that_resets_behind_the_product_has_a_second_bias() -> None:
    w, second = weights("GRU"), DRAW.normal(size=H)
    wide = np.concatenate([np.zeros(2 * H), second])
    found = ours("GRU", X, H0, weights={**w, "RB": second}, takes=("h",), linear_before_reset=1)
    close(found, expected("GRU", w, X, wide, linear_before_reset=1))
    before = ours("GRU", X, H0, weights=w, takes=("h",), linear_before_reset=0)
    assert np.abs(before - found).max() > 1e-3


def test_activations_by_name() -> None:
    w = weights("RNN")
    found = ours("RNN", X, H0, weights=w, takes=("h",), activations=("Relu",))
    h = H0
    for t in range(T):
        h = np.maximum(X[:, t] @ w["W"].T + h @ w["R"].T + w["B"], 0)
        close(found[:, t], h)
    with pytest.raises(NoReference, match="Nothing"):
        ours("RNN", X, weights=w, activations=("Nothing",))


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_masked_steps_leave_the_state_as_it_is(kind: str, direction: str) -> None:
    """A sequence with padding at its end has the same states as the sequence alone."""
    w = weights(kind)
    mask = np.ones((N, T), int)
    mask[1, 3:] = 0
    found = ours(kind, X, mask, weights=w, takes=("mask",), direction=direction)
    whole = ours(kind, X, weights=w, direction=direction)
    short = ours(kind, X[1:2, :3], weights=w, direction=direction)[0]
    close(found[[0, 2]], whole[[0, 2]])
    close(found[1, :3], short)
    close(found[1, 3:], np.repeat(short[-1:], 2, 0) if direction == "forward" else np.zeros((2, H)))


def test_the_last_state_of_an_lstms_cells() -> None:
    w = weights("LSTM")
    both = np.concatenate([w["B"], 0 * w["B"]])[None]
    given = (X.transpose(1, 0, 2), w["W"][None], w["R"][None], both)
    cells = ours("LSTM", X, weights=w, output="C")
    assert cells.shape == (N, H)
    # The last output is sigmoid(o) tanh(c). With o at 0, that is tanh(c) / 2.
    quiet = {name: array.copy() for name, array in w.items()}
    for array in quiet.values():
        array[H : 2 * H] = 0
    last = np.asarray(
        onnx(
            "LSTM",
            given[0],
            quiet["W"][None],
            quiet["R"][None],
            np.concatenate([quiet["B"], 0 * quiet["B"]])[None],
            hidden_size=H,
        )
    )[-1, 0]
    close(np.tanh(ours("LSTM", X, weights=quiet, output="C")) / 2, last)
