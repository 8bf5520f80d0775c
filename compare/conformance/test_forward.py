"""The output of every layer."""

import pytest

from compare.conformance.distance import assert_close, relative
from compare.conformance.tracing import Tracer
from shared.models import MODELS


@pytest.mark.tier("parity")
def test_layer_names_and_shapes(trace: Tracer, implementation: str, model: str) -> None:
    activations = trace(implementation, model, "adam", "float64").activations
    expected = [(layer.name, layer.output_shape) for layer in MODELS[model].layers]
    assert [(name, a.shape[1:]) for name, a in activations.items()] == expected


@pytest.mark.tier("parity")
def test_every_layer_in_float64(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    actual = trace(implementation, model, "adam", "float64").activations
    assert_close(actual, reference(model, "adam").activations, 1e-12)


@pytest.mark.tier("parity")
def test_every_layer_in_training_mode(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    """Batch normalisation by the batch's own statistics; dropout is at rate 0."""
    actual = trace(implementation, model, "adam", "float64").training_activations
    assert_close(actual, reference(model, "adam").training_activations, 1e-12)


@pytest.mark.tier("parity")
def test_looking_changes_nothing(trace: Tracer, implementation: str, model: str) -> None:
    """Neither a pass in training mode nor taking gradients moves a weight or a moving statistic."""
    done = trace(implementation, model, "adam", "float64")
    assert_close(done.untouched, done.initial, 0)


@pytest.mark.tier("parity")
def test_logits_in_float64(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    actual = trace(implementation, model, "adam", "float64").logits
    assert actual.dtype == "float64"
    assert relative(actual, reference(model, "adam").logits) <= 1e-12


@pytest.mark.tier("train")
def test_logits_in_float32(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    actual = trace(implementation, model, "adam", "float32").logits
    assert actual.dtype == "float32"
    assert relative(actual, reference(model, "adam").logits) <= 1e-5
