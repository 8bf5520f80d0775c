"""Twenty matched steps of each optimizer in float64: losses, parameters, the optimizer's state, and logits after."""

import pytest
from distance import assert_close, relative
from tracing import Tracer

from compare.implementations import IMPLEMENTATIONS


def test_every_loss(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").losses
    assert actual == pytest.approx(reference(model, optimizer).losses, rel=1e-12, abs=0)


def test_every_parameter(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").trained
    assert_close(actual, reference(model, optimizer).trained, 1e-12)


def test_optimizer_state(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").optimizer_state
    assert_close(actual, reference(model, optimizer).optimizer_state, 1e-12)


def test_logits_after_training(
    trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str
) -> None:
    actual = trace(implementation, model, optimizer, "float64").trained_logits
    assert relative(actual, reference(model, optimizer).trained_logits) <= 1e-12


@pytest.mark.slow
def test_the_other_mode_is_the_same_function(trace: Tracer, reference: Tracer, implementation: str) -> None:
    default = IMPLEMENTATIONS[implementation].default_mode
    other = "graph" if default == "eager" else "eager"
    actual = trace(implementation, "cnn_same", "adam", "float64", other).trained
    assert_close(actual, reference("cnn_same", "adam").trained, 1e-12)


def test_the_network_has_learned(trace: Tracer, implementation: str, model: str, optimizer: str) -> None:
    """So that the parity above is not that of networks that stand still."""
    losses = trace(implementation, model, optimizer, "float64").losses
    assert sum(losses[-5:]) < 0.99 * sum(losses[:5])
