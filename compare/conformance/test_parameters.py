"""Names, shapes and counts of parameters are the contract's, and initial values arrive unchanged."""

from collections.abc import Callable

import numpy as np
import pytest

from compare.conformance.tracing import Tracer
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights


@pytest.mark.tier("train")
def test_names_shapes_and_order(trace: Tracer, implementation: str, model: str) -> None:
    weights = trace(implementation, model, "adam", "float64").initial
    assert [(n, w.shape) for n, w in weights.items()] == [(p.name, p.shape) for p in MODELS[model].parameters]


@pytest.mark.tier("train")
def test_counts(trace: Tracer, implementation: str, model: str) -> None:
    spec = MODELS[model]
    assert trace(implementation, model, "adam", "float64").counted == (spec.n_params, spec.n_trainable)


@pytest.mark.tier("profile")
def test_layers_as_the_framework_counts_them(
    session_for: Callable[[str, str], Session], implementation: str, model: str
) -> None:
    """Parameters of every layer, and FLOPs by the framework's own profiler."""
    session, spec = session_for(implementation, model), MODELS[model]
    mode = IMPLEMENTATIONS[implementation].default_mode
    session.create(Build(spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", mode))
    counted = session.counts()
    assert counted.n_params == {
        layer.name: spec.n_params_of(layer.name) for layer in spec.layers if spec.n_params_of(layer.name)
    }
    assert counted.flops == spec.flops


@pytest.mark.tier("train")
def test_initial_weights_come_back_bit_for_bit(trace: Tracer, implementation: str, model: str) -> None:
    given = initial_weights(MODELS[model], seed=5)
    for dtype in ("float32", "float64"):
        weights = trace(implementation, model, "adam", dtype).initial
        for name, value in given.items():
            assert weights[name].dtype == dtype
            np.testing.assert_array_equal(weights[name], value.astype(dtype), err_msg=name)
