"""The initial weights of a comparison."""

import math

import numpy as np
import pytest

from compare.parity.start import nudge, stirred
from shared.choices import Dtype
from shared.models import MODELS
from shared.weights import check_weights, initial_weights


@pytest.mark.parametrize("name", MODELS)
def test_no_two_values_of_a_stirred_tensor_are_alike(name: str) -> None:
    weights = stirred(MODELS[name], seed=0)
    check_weights(MODELS[name], weights)
    for p in MODELS[name].parameters:
        value = weights[p.name]
        assert value.dtype == np.float32
        assert len(np.unique(value)) > 0.9 * value.size
        if p.init == "ones":
            assert 0.5 <= value.min() < value.max() < 1.5
        elif p.init == "glorot_uniform":
            np.testing.assert_array_equal(value, initial_weights(MODELS[name], 0)[p.name])
    assert len({value.tobytes() for value in weights.values()}) == len(weights)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_value_but_zero_is_moved_by_one_ulp(dtype: Dtype) -> None:
    weights = initial_weights(MODELS["cnn_same"], seed=0)
    result = nudge(weights, dtype, seed=0, draw=1)
    assert list(result) == list(weights)
    for name, value in weights.items():
        exact = value.astype(dtype)
        assert result[name].dtype == exact.dtype
        up, down = (np.nextafter(exact, exact.dtype.type(to)) for to in (math.inf, -math.inf))
        assert np.where(exact == 0, result[name] == 0, (result[name] == up) | (result[name] == down)).all()
        if exact.any():
            assert 0.3 < (result[name] == up)[exact != 0].mean() < 0.7


def test_draws_differ() -> None:
    weights = initial_weights(MODELS["dense_baseline"], seed=0)
    drawn = [nudge(weights, "float64", seed, draw)["dense1/kernel"] for seed, draw in ((0, 1), (0, 2), (1, 1))]
    assert all(0.4 < (drawn[0] == other).mean() < 0.6 for other in drawn[1:])
    np.testing.assert_array_equal(drawn[0], nudge(weights, "float64", 0, 1)["dense1/kernel"])


def test_a_value_is_moved_by_so_many_ulp() -> None:
    weights = initial_weights(MODELS["dense_baseline"], seed=0)
    for name, moved in nudge(weights, "float32", 0, 1, ulps=64).items():
        places = moved.view(np.int32).astype(np.int64) - weights[name].view(np.int32)
        assert set(np.abs(places[weights[name] != 0])) <= {64}, name
