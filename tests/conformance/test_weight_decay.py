"""Weight decay, coupled and decoupled, compared with the reference in float64 to 1e-12.

Parameters and moments are compared after some steps, including the single kernels of `tuned`.
"""

from collections.abc import Callable

import numpy as np
import pytest
from distance import assert_close
from reference import LAYERS, AdamSteps, MomentumSteps, Network
from setup_of_training import SEED, images_for

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.batches import epoch_batches
from shared.models import DENSE_BASELINE
from shared.protocol import Build
from shared.training import SGD, Adam, AdamW, Optimizer, TrainSpec
from shared.weights import initial_weights

N_STEPS, DECAY = 5, 0.05
COUPLED = {"coupled, adam": Adam(weight_decay=DECAY), "coupled, sgd": SGD(weight_decay=DECAY)}
CASES = [
    *((optimizer, "default") for optimizer in (*COUPLED.values(), AdamW(weight_decay=DECAY))),
    *((optimizer, "fused") for optimizer in (COUPLED["coupled, adam"], AdamW(weight_decay=DECAY))),
]


@pytest.mark.parametrize(("by", "kernel"), CASES, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
def test_weight_decay_is_the_same(
    session_for: Callable[[str, str], Session], which: str, by: Optimizer, kernel: str
) -> None:
    train = TrainSpec(epochs=1, batch_size=16, seed=SEED, optimizer=by, schedule="linear", dtype="float64")
    weights, data = initial_weights(DENSE_BASELINE, SEED), images_for("dense_baseline")
    tuning = {"optimizer": kernel} if kernel == "fused" else {}
    session = session_for(which, "dense_baseline")
    mode = IMPLEMENTATIONS[which].default_mode
    session.create(Build(DENSE_BASELINE, train, weights, "cpu", mode, tuning=tuning))

    parameters = {name: value.astype(np.float64) for name, value in weights.items()}
    network = Network(LAYERS["dense_baseline"], parameters)
    steps: AdamSteps | MomentumSteps
    if isinstance(by, SGD):
        steps = MomentumSteps(parameters, by.learning_rate, by.momentum, DECAY)
    else:
        constants = by.learning_rate, by.beta1, by.beta2, by.epsilon, DECAY
        steps = AdamSteps(parameters, *constants, decoupled=isinstance(by, AdamW))
    batches = epoch_batches(len(data.x_train), 16, SEED, 1)
    for number, batch in enumerate(batches[:N_STEPS]):
        steps.lr = train.learning_rate(number, len(batches))
        images = data.x_train[batch].astype(np.float64)
        steps.step(network.loss_and_gradients(images, data.y_train[batch])[1])
    session.train_slice(N_STEPS)
    assert_close(session.weights(), parameters, 1e-12)
    assert_close(session.optimizer_state(), steps.state, 1e-12)
