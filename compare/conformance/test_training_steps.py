"""Matched steps in float64, 20 of Adam and 5 of SGD: losses, parameters, optimizer state, and logits after."""

import numpy as np
import pytest

from compare.conformance.distance import assert_close, relative
from compare.conformance.tracing import Tracer
from shared.models import MODELS


@pytest.mark.tier("train")
def test_every_loss(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").losses
    assert actual == pytest.approx(reference(model, optimizer).losses, rel=1e-12, abs=0)


@pytest.mark.tier("train")
def test_every_parameter(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").trained
    assert_close(actual, reference(model, optimizer).trained, 1e-12)


@pytest.mark.tier("parity")
def test_optimizer_state(trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str) -> None:
    actual = trace(implementation, model, optimizer, "float64").optimizer_state
    assert_close(actual, reference(model, optimizer).optimizer_state, 1e-12)


@pytest.mark.tier("train")
def test_logits_after_training(
    trace: Tracer, reference: Tracer, implementation: str, model: str, optimizer: str
) -> None:
    actual = trace(implementation, model, optimizer, "float64").trained_logits
    assert relative(actual, reference(model, optimizer).trained_logits) <= 1e-12


@pytest.mark.tier("train")
def test_every_parameter_has_moved(trace: Tracer, implementation: str, model: str, optimizer: str) -> None:
    """This shows that the parity above is not that of networks without any change."""
    done = trace(implementation, model, optimizer, "float64")
    for p in MODELS[model].parameters:
        if p.trainable:
            moved = np.linalg.norm(done.trained[p.name] - done.initial[p.name])
            assert moved > 1e-5 * np.linalg.norm(done.initial[p.name])
