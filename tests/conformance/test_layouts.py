"""Layouts follow from the contract, not from names.

The networks have global average pooling, a flatten after a dense layer, or no dense layer at all.
"""

from collections.abc import Callable

import numpy as np
import pytest
from distance import assert_close
from more_networks import LAYERS, MORE
from reference import AdamSteps, Network
from setup_of_training import SEED, images_for

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.batches import epoch_batches
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

N_STEPS, BATCH_SIZE, N_IMAGES = 3, 16, 6


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
def test_other_networks_are_the_same_function(
    session_for: Callable[[str, str], Session], which: str, name: str
) -> None:
    """Every layer and gradient agrees in float64 to 1e-12, and so do parameters and moments after some steps of
    Adam."""
    spec, data, mode = MORE[name], images_for("cnn_same"), IMPLEMENTATIONS[which].default_mode
    train = TrainSpec(epochs=1, batch_size=BATCH_SIZE, seed=SEED, schedule="constant", dtype="float64")
    weights = {n: (w + 0.1 if w.ndim == 1 else w) for n, w in initial_weights(spec, SEED).items()}
    session = session_for(which, "cnn_same")
    created = session.create(Build(spec, train, weights, "cpu", mode))
    assert (created.n_params, created.n_trainable) == (spec.n_params, spec.n_trainable)

    parameters = {n: w.astype(np.float64) for n, w in weights.items()}
    network = Network(LAYERS[name], parameters)
    images = data.x_test[:N_IMAGES]
    assert_close(session.activations(images), network.forward(images.astype(np.float64))[0], 1e-12)
    batches = epoch_batches(len(data.x_train), BATCH_SIZE, SEED, 1)
    adam = AdamSteps(parameters, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7)
    losses = []
    for number, batch in enumerate(batches[:N_STEPS]):
        loss, gradients, _ = network.loss_and_gradients(data.x_train[batch].astype(np.float64), data.y_train[batch])
        if number == 0:
            assert_close(session.gradients()[1], gradients, 1e-12)
        losses.append(loss)
        adam.step(gradients)
    assert session.train_slice(N_STEPS).loss == pytest.approx(losses, rel=1e-12, abs=0)
    assert_close(session.weights(), parameters, 1e-12)
    assert_close(session.optimizer_state(), adam.state, 1e-12)
