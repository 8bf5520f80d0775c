"""The tiers beyond a network's computation: profile, limits, the idiomatic recipe and exports."""

from pathlib import Path

import numpy as np
import pytest

from compare.conformance.fixtures import Sessions
from compare.conformance.setup import SEED, images_for
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.models import BATCH_NORM_EPSILON, MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights


def smallest(name: str) -> str:
    """Return the implementation's architecture with the fewest parameters."""
    return min(IMPLEMENTATIONS[name].models, key=lambda model: MODELS[model].n_params)


def created(session_for: Sessions, name: str, train: TrainSpec) -> Session:
    """Return the worker of that implementation, with a new network."""
    spec, mode = MODELS[smallest(name)], IMPLEMENTATIONS[name].default_mode
    session = session_for(name, spec.name)
    if train.optimizer is None:
        session.create(Build(spec, train, None, "cpu", mode, "idiomatic"))
    else:
        session.create(Build(spec, train, initial_weights(spec, SEED), "cpu", mode))
    return session


@pytest.mark.tier("profile")
def test_a_profile_has_times(session_for: Sessions, implementation: str) -> None:
    session = created(session_for, implementation, TrainSpec(epochs=1))
    session.time_window("compute", 2)  # the first compilation is not part of a step
    operation_s = session.profile(3)
    assert all(name and time_s >= 0 for name, time_s in operation_s.items())
    assert sum(operation_s.values()) > 0


@pytest.mark.tier("limits")
def test_limits_are_rates(session_for: Sessions, implementation: str) -> None:
    found = session_for(implementation, smallest(implementation)).limits("cpu")
    assert found.flops_per_s > 0
    assert found.copied_bytes_per_s > 0


@pytest.mark.tier("idiomatic")
def test_the_idiomatic_recipe_learns(session_for: Sessions, implementation: str) -> None:
    """The second epoch is better than the first."""
    train = TrainSpec.model_validate({"epochs": 2, "optimizer": None, "schedule": "constant", "batch_size": 16})
    session = created(session_for, implementation, train)
    first, second = session.fit_epoch(), session.fit_epoch()
    assert second.train_loss < first.train_loss


@pytest.mark.tier("export")
def test_files_give_the_networks_logits(session_for: Sessions, implementation: str, tmp_path: Path) -> None:
    """Every format that the implementation writes, read back, gives the logits of the network itself."""
    session = created(session_for, implementation, TrainSpec(epochs=1))
    spec = MODELS[smallest(implementation)]
    weights, images = initial_weights(spec, SEED), images_for(spec.name).x_test[:8]
    own = session.logits(images)
    for format_ in IMPLEMENTATIONS[implementation].exports:
        path = tmp_path / f"network.{format_}"
        logits = session.export(format_, path, spec, weights, BATCH_NORM_EPSILON, None, images)
        np.testing.assert_allclose(logits, own, rtol=1e-4, atol=1e-5, err_msg=format_)
