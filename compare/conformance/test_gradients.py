"""The loss of a batch and its gradient with respect to every parameter."""

import pytest

from compare.conformance.distance import assert_close
from compare.conformance.tracing import Tracer


@pytest.mark.tier("parity")
def test_loss_in_float64(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    actual = trace(implementation, model, "adam", "float64").loss
    assert actual == pytest.approx(reference(model, "adam").loss, rel=1e-12, abs=0)


@pytest.mark.tier("parity")
def test_every_gradient_in_float64(trace: Tracer, reference: Tracer, implementation: str, model: str) -> None:
    actual = trace(implementation, model, "adam", "float64").gradients
    assert_close(actual, reference(model, "adam").gradients, 1e-12)
