"""`state` has everything that determines the rest of the training: a network restored from it is bit-identical."""

from collections.abc import Callable

import numpy as np
import pytest

from compare.processes.session import Session
from shared.choices import Mode
from shared.models import MODELS
from shared.protocol import Build
from shared.training import SGD, Adam, TrainSpec
from shared.weights import Weights, initial_weights

N_STEPS = 2
N_MORE = 1  # depends on every parameter, moment, count and random number as two steps would


@pytest.mark.tier("resume")
def test_another_network_goes_on_to_the_same_bits(
    implementation: str, model: str, session_for: Callable[[str, str], Session]
) -> None:
    """In training mode, with active dropout: moving statistics, moments, counts of steps and random numbers all matter.

    Tracing a graph takes far longer than these few steps. TensorFlow's networks are therefore eager except for one: a
    state is set in the same variables either way.
    """
    session = session_for(implementation, model)
    by = SGD() if model == "dense_baseline" else Adam()
    train = TrainSpec(epochs=3, batch_size=4, seed=2, dtype="float64", optimizer=by)
    spec = MODELS[model]
    mode: Mode = "graph" if implementation != "torch" and model == "cnn_deep_dropout" else "eager"

    session.create(Build(spec, train, initial_weights(spec, 2), "cpu", mode))
    session.train_slice(N_STEPS)
    state = session.state()
    session.restore(1, state)  # the very same network, now at the beginning of the second epoch
    expected = _after(session)

    session.create(Build(spec, train, initial_weights(spec, 9), "cpu", mode))
    session.train_slice(1)  # otherwise some of an optimizer's tensors would not exist yet
    session.restore(1, state)
    found = _after(session)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def _after(session: Session) -> Weights:
    session.train_slice(N_MORE)
    return session.weights() | session.optimizer_state()
