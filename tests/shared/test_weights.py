"""Canonical weights."""

import math
from pathlib import Path

import numpy as np
import pytest

from shared.models import CNN_SAME, MODELS, ModelSpec
from shared.weights import check_weights, from_safetensors, initial_weights, to_safetensors


@pytest.mark.parametrize("spec", MODELS.values(), ids=list(MODELS))
def test_initial_weights_fit_the_contract(spec: ModelSpec) -> None:
    weights = initial_weights(spec, seed=3)
    check_weights(spec, weights)
    assert all(w.dtype == np.float32 for w in weights.values())


def test_glorot_uniform() -> None:
    """conv2: fan in 9 * 32, fan out 9 * 64."""
    kernel = initial_weights(CNN_SAME, seed=0)["conv2/kernel"]
    limit = math.sqrt(6 / (9 * 32 + 9 * 64))
    assert abs(kernel).max() <= limit
    assert abs(kernel).max() > 0.999 * limit
    assert abs(kernel.mean()) < 4 * limit / math.sqrt(3 * kernel.size)
    assert kernel.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)


def test_biases_start_at_zero() -> None:
    assert not initial_weights(CNN_SAME, seed=0)["conv1/bias"].any()


def test_seeds_and_names_give_other_values() -> None:
    first, second = initial_weights(CNN_SAME, 0), initial_weights(CNN_SAME, 1)
    assert not np.array_equal(first["dense2/kernel"], second["dense2/kernel"])
    assert not np.array_equal(first["conv1/kernel"].ravel()[:9], first["conv2/kernel"].ravel()[:9])
    again = initial_weights(CNN_SAME, 0)
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_what_does_not_fit_is_named() -> None:
    weights = initial_weights(CNN_SAME, 0)
    with pytest.raises(ValueError, match="no values for conv1/bias"):
        check_weights(CNN_SAME, {n: w for n, w in weights.items() if n != "conv1/bias"})
    with pytest.raises(ValueError, match="no parameter conv9/bias"):
        check_weights(CNN_SAME, weights | {"conv9/bias": np.zeros(3)})
    with pytest.raises(ValueError, match=r"dense2/kernel is \(10, 128\), not \(128, 10\)"):
        check_weights(CNN_SAME, weights | {"dense2/kernel": weights["dense2/kernel"].T})


def test_safetensors_round_trip(tmp_path: Path) -> None:
    weights = initial_weights(CNN_SAME, 0)
    weights["conv1/kernel"] = np.asfortranarray(weights["conv1/kernel"])  # the layout in memory must not matter
    (tmp_path / "w.safetensors").write_bytes(to_safetensors(weights, {"model": "cnn_same"}))
    back = from_safetensors((tmp_path / "w.safetensors").read_bytes())
    assert back.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(back[name], value)


def test_what_is_no_number_or_not_finite() -> None:
    weights = initial_weights(CNN_SAME, 0)
    for bad, said in (
        (np.full(10, np.nan, np.float32), "holds NaN or infinite values"),
        (np.zeros(10, np.complex64), "is of type complex64"),
    ):
        with pytest.raises(ValueError, match=f"dense2/bias {said}"):
            check_weights(CNN_SAME, weights | {"dense2/bias": bad})


@pytest.mark.parametrize("content", [b"", b"x" * 100, (2**60).to_bytes(8, "little") + b"{}"])
def test_what_is_no_safetensors_file(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is not a safetensors file"):
        from_safetensors(content)


def test_numbers_that_numpy_does_not_have() -> None:
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    with pytest.raises(ValueError, match="of the type BF16"):
        from_safetensors(len(header).to_bytes(8, "little") + header + b"12")
