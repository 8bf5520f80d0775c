"""Recurrent layers, attention and embeddings in the ledger's rows, compared with NumPy's arithmetic."""

import numpy as np
import pytest

from compare.parity.ledger.answers import Line
from shared.ledger import ROWS, Arrays

pytestmark = pytest.mark.slow

Lines = dict[str, Line]


def _inputs(row: str) -> Arrays:
    return ROWS[row].arrays()


def _hold(lines: Lines, row: str, torch: np.ndarray, keras: np.ndarray) -> None:
    """Compare the own forms of both frameworks with the values computed by hand."""
    for got, expected in zip(lines[row].answers["own"], (torch, keras), strict=True):
        assert got.shape == np.shape(expected)
        assert got == pytest.approx(expected, rel=1e-12, abs=1e-14)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the outputs of all steps, (batch, steps, 4), with the gates in the order input, forget, cell, output."""
    h = c = np.zeros((len(x), 4))
    outputs = []
    for step in np.moveaxis(x, 1, 0):
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1)


def _gru(
    x: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    biases: tuple[np.ndarray | float, np.ndarray | float] = (0.0, 0.0),
    reset_first: bool = False,
    swapped: bool = False,
) -> np.ndarray:
    """Return the outputs of all steps, with the gates in the order update, reset, new. `swapped`: reset, update,
    new."""
    h = np.zeros((len(x), 4))
    outputs = []
    for step in np.moveaxis(x, 1, 0):
        given = np.split(step @ kernel + biases[0], 3, axis=1)
        kept = np.split(h @ recurrent + biases[1], 3, axis=1)
        z, r = (_sigmoid(a + b) for a, b in zip(given[:2], kept[:2], strict=True))
        if swapped:
            z, r = r, z
        new = (r * h) @ recurrent[:, 8:] if reset_first else r * kept[2]
        h = z * h + (1 - z) * np.tanh(given[2] + new)
        outputs.append(h)
    return np.stack(outputs, 1)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray, **kernels: np.ndarray
) -> np.ndarray:
    """Return attention of two heads of size 4. The mask (steps, steps) is true for the steps that count. If none does,
    all count equally."""
    q, k, v = (np.einsum("bsf,fhd->bhsd", x, kernels[n]) for n, x in zip("qkv", (query, key, value), strict=True))
    weights = _softmax(np.where(mask, q @ k.swapaxes(2, 3) / 2, -1e30))
    return np.einsum("bhsd,hdf->bsf", weights @ v, kernels["o"])


def _kernels(inputs: Arrays) -> Arrays:
    return {name: inputs[name] for name in "qkvo"}


def test_an_lstm_of_pytorch_adds_two_biases(lines: Lines) -> None:
    given = _inputs("lstm-biases")
    bias = given.pop("bias")
    _hold(lines, "lstm-biases", _lstm(**given, bias=2 * bias), _lstm(**given, bias=bias))


def test_the_gates_of_an_lstm_have_the_same_order(lines: Lines) -> None:
    expected = _lstm(**_inputs("lstm-gates"))
    _hold(lines, "lstm-gates", expected, expected)


def test_an_lstm_has_another_number_of_parameters(lines: Lines) -> None:
    kernels = 4 * 4 * (3 + 4)
    _hold(lines, "lstm-parameters", np.array(kernels + 2 * 16), np.array(kernels + 16))


def test_only_keras_opens_the_forget_gate(lines: Lines) -> None:
    torch, keras = lines["lstm-forget-bias"].answers["own"]
    assert keras.tolist() == [0, 4, 0, 0]
    assert 0 < abs(torch).min() <= abs(torch).max() < 4  # four sums of two numbers within 1 / sqrt(4)


def test_only_keras_starts_from_an_orthogonal_kernel(lines: Lines) -> None:
    torch, keras = lines["lstm-recurrent-initialiser"].answers["own"]
    assert keras == pytest.approx(np.ones(16), rel=1e-12)
    assert (torch**2).sum() == pytest.approx(64 * 16 / (3 * 16), rel=0.1)  # 64 x 16 numbers, uniform within 1 / 4


def test_the_input_kernels_of_an_lstm_have_other_bounds(lines: Lines) -> None:
    for got, bound in zip(lines["lstm-kernel-initialiser"].answers["own"], (1 / 4, np.sqrt(6 / 320)), strict=True):
        assert got == pytest.approx(bound / np.sqrt(3), rel=0.02)


def test_the_first_axis_is_time_in_pytorch(lines: Lines) -> None:
    given = _inputs("lstm-batch-first")
    x, kernels = given["x"], (given["kernel"], given["recurrent"])
    _hold(lines, "lstm-batch-first", _lstm(x.swapaxes(0, 1), *kernels).swapaxes(0, 1), _lstm(x, *kernels))


def test_an_lstm_of_keras_returns_the_last_step(lines: Lines) -> None:
    outputs = _lstm(**_inputs("lstm-output"))
    _hold(lines, "lstm-output", outputs, outputs[:, -1])
    _hold(lines, "lstm-state", outputs[None, :, -1], outputs[:, -1])


def test_the_backward_half_is_read_at_another_step(lines: Lines) -> None:
    x, *kernels = _inputs("bidirectional-last").values()
    forward, backward = _lstm(x, *kernels[:2]), _lstm(x[:, ::-1], *kernels[2:])
    both = np.concatenate([forward, backward[:, ::-1]], 2)
    _hold(lines, "bidirectional-merge", both, both)
    _hold(lines, "lstm-backwards", backward[:, ::-1], backward)
    torch, keras = (np.concatenate([forward[:, -1], backward[:, step]], 1) for step in (0, -1))
    _hold(lines, "bidirectional-last", torch, keras)


def test_padding_is_read_skipped_or_repeated(lines: Lines) -> None:
    tokens, table, *kernels = _inputs("lstm-padding").values()
    outputs = _lstm(table[tokens], *kernels)
    _hold(lines, "lstm-padding", outputs[:, -1], np.stack([outputs[0, 4], outputs[1, 2]]))
    torch, keras = outputs.copy(), outputs.copy()
    torch[1, 3:], keras[1, 3:] = 0, outputs[1, 2]
    _hold(lines, "lstm-padded-outputs", torch, keras)


def test_sequences_are_padded_at_the_other_end(lines: Lines) -> None:
    _hold(lines, "pad-sequences", np.array([[7, 8, 9], [5, 6, 0]]), np.array([[7, 8, 9], [0, 5, 6]]))


def test_the_gates_of_a_gru_have_another_order(lines: Lines) -> None:
    given = _inputs("gru-gates")
    _hold(lines, "gru-gates", _gru(**given, swapped=True), _gru(**given))


def test_the_second_bias_of_a_gru_is_within_the_reset(lines: Lines) -> None:
    given = _inputs("gru-biases")
    first, second = given.pop("bias")
    _hold(lines, "gru-biases", _gru(**given, biases=(first + second, 0.0)), _gru(**given, biases=(first, second)))


def test_a_gru_can_reset_before_the_product(lines: Lines) -> None:
    given = _inputs("gru-reset")
    _hold(lines, "gru-reset", _gru(**given), _gru(**given, reset_first=True))


def test_the_size_of_attention_is_of_all_heads_or_of_one(lines: Lines) -> None:
    sizes = (8, 16)  # of both heads together
    torch, keras = (np.array(4 * 8 * size + 3 * size + 8) for size in sizes)
    _hold(lines, "attention-key-dim", torch, keras)


def test_attention_needs_its_kernels_transposed(lines: Lines) -> None:
    given = _inputs("attention-projections")
    x, everything = given["x"], np.full((5, 5), True)
    transposed = {name: kernel.reshape(8, 8).T.reshape(kernel.shape) for name, kernel in _kernels(given).items()}
    torch, keras = (_attention(x, x, x, everything, **kernels) for kernels in (transposed, _kernels(given)))
    _hold(lines, "attention-projections", torch, keras)


def test_masks_of_attention_have_opposite_signs(lines: Lines) -> None:
    given = _inputs("attention-mask")
    x, mask = given["x"], given["mask"]
    torch, keras = (_attention(x, x, x, takes_part[:, None, None], **_kernels(given)) for takes_part in (~mask, mask))
    _hold(lines, "attention-mask", torch, keras)


def test_keras_reads_an_additive_mask_as_booleans(lines: Lines) -> None:
    given = _inputs("attention-additive-mask")
    x, mask = given["x"], given["mask"]
    torch, keras = (_attention(x, x, x, takes_part, **_kernels(given)) for takes_part in (mask == 0, mask != 0))
    _hold(lines, "attention-additive-mask", torch, keras)


def test_the_masks_of_the_functions_are_alike(lines: Lines) -> None:
    given = _inputs("attention-mask-function")
    weights = _softmax(given["query"] @ given["key"][:, :2].swapaxes(1, 2) / 4)
    expected = weights @ given["value"][:, :2]
    _hold(lines, "attention-mask-function", expected, expected)


def test_only_pytorch_scales_the_scores(lines: Lines) -> None:
    query, key, value = _inputs("attention-scale").values()
    scores = query @ key.swapaxes(1, 2)
    _hold(lines, "attention-scale", _softmax(scores / np.sqrt(8)) @ value, _softmax(scores) @ value)


def test_key_and_value_change_places(lines: Lines) -> None:
    given = _inputs("attention-arguments")
    query, key, value, everything = given["query"], given["key"], given["value"], np.full((5, 5), True)
    torch = _attention(query, key, value, everything, **_kernels(given))
    keras = _attention(query, value, key, everything, **_kernels(given))
    _hold(lines, "attention-arguments", torch, keras)


def test_the_query_kernel_has_other_bounds(lines: Lines) -> None:
    bounds = (np.sqrt(6 / 256), np.sqrt(6 / 128))
    for got, bound in zip(lines["attention-initialiser"].answers["own"], bounds, strict=True):
        assert got == pytest.approx(bound / np.sqrt(3), rel=0.02)


def test_the_tables_of_embeddings_have_other_deviations(lines: Lines) -> None:
    for got, deviation in zip(lines["embedding-initialiser"].answers["own"], (1, 0.05 / np.sqrt(3)), strict=True):
        assert got == pytest.approx(deviation, rel=0.01)


def test_padding_gets_a_gradient_in_keras(lines: Lines) -> None:
    tokens, table = _inputs("embedding-padding").values()
    keras = 2 * table * np.bincount(tokens.ravel(), minlength=6)[:, None]
    torch = keras * (np.arange(6) != 0)[:, None]
    _hold(lines, "embedding-padding", torch, keras)


def test_a_mean_leaves_masked_steps_out(lines: Lines) -> None:
    tokens, table = _inputs("embedding-mask-mean").values()
    x = table[tokens]
    _hold(lines, "embedding-mask-mean", x.mean(1), np.stack([x[0].mean(0), x[1, 0]]))


def test_only_pytorch_limits_the_norm_at_a_call(lines: Lines) -> None:
    tokens, table = _inputs("embedding-max-norm").values()
    keras = table[tokens]
    torch = keras / (np.linalg.norm(keras, axis=-1, keepdims=True) + 1e-7)
    _hold(lines, "embedding-max-norm", torch, keras)
