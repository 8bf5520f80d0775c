"""One worker for each implementation, and what each network does in it, computed once.

Every conformance test is parametrised over implementation x architecture from the two registries, so what is added to
either is tested without a line here.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from reference import LAYERS, AdamSteps, MomentumSteps, Network
from tracing import Trace, Tracer

from compare.implementations import IMPLEMENTATIONS
from compare.session import Session
from shared.batches import epoch_batches
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Mode
from shared.training import SGD, Adam, Dtype, TrainSpec
from shared.weights import initial_weights

STEPS = 20
SEED = 5
N_IMAGES = 64  # for activations and logits
OPTIMIZERS = {"adam": Adam(), "sgd": SGD()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every argument of these names runs over the whole registry."""
    for argument, values in (("implementation", IMPLEMENTATIONS), ("model", MODELS), ("optimizer", OPTIMIZERS)):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, list(values))


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory, digits: Data) -> Iterator[dict[str, Session]]:
    logs = tmp_path_factory.mktemp("logs")
    started = {
        name: Session(name, logs / f"{name}.log", threads=2, hide_cuda=True, timeout_s=300) for name in IMPLEMENTATIONS
    }
    for session in started.values():
        session.wait_until_ready()
        session.load_data(digits)
    yield started
    for session in started.values():
        session.close()


@pytest.fixture(scope="session")
def trace(sessions: dict[str, Session]) -> Tracer:
    """trace(implementation, model, optimizer, dtype, mode=None) -> Trace, from a worker."""

    @cache
    def run(implementation: str, model: str, optimizer: str, dtype: Dtype, mode: Mode | None = None) -> Trace:
        session, spec = sessions[implementation], MODELS[model]
        train = TrainSpec(epochs=1, seed=SEED, optimizer=OPTIMIZERS[optimizer], dtype=dtype)
        mode = mode or IMPLEMENTATIONS[implementation].default_mode
        created = session.create(spec, train, initial_weights(spec, SEED), "cpu", mode)
        initial = session.weights()
        activations, logits = session.activations(N_IMAGES), session.logits(N_IMAGES)
        loss, gradients = session.gradients()
        part = session.train_slice(steps=STEPS)
        assert len(part.loss) == STEPS
        return Trace(
            counted=(created.n_params, created.n_trainable),
            initial=initial,
            activations=activations,
            logits=logits,
            loss=loss,
            gradients=gradients,
            losses=part.loss,
            trained=session.weights(),
            optimizer_state=session.optimizer_state(),
            trained_logits=session.logits(N_IMAGES),
        )

    return run


@pytest.fixture(scope="session")
def reference(digits: Data) -> Tracer:
    """reference(model, optimizer) -> Trace, from the NumPy networks in float64."""

    @cache
    def run(model: str, optimizer: str) -> Trace:
        spec = MODELS[model]
        initial = {name: value.astype(np.float64) for name, value in initial_weights(spec, SEED).items()}
        x, labels = digits.x_train.astype(np.float64), digits.y_train
        test = digits.x_test[:N_IMAGES].astype(np.float64)
        batches = epoch_batches(len(x), 64, SEED, 1)
        parameters = dict(initial)
        network = Network(LAYERS[model], parameters)
        activations = network.forward(test)[0]
        first = batches[0]
        loss, gradients, _ = network.loss_and_gradients(x[first], labels[first])
        steps = (
            AdamSteps(parameters, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7)
            if optimizer == "adam"
            else MomentumSteps(parameters, lr=0.01, momentum=0.9)
        )
        losses = []
        rate = steps.lr
        for step, batch in enumerate(batches[:STEPS]):
            steps.lr = rate * (1 - step / len(batches))  # the run is one epoch, and its rate falls to 0 over it
            step_loss, step_gradients, _ = network.loss_and_gradients(x[batch], labels[batch])
            steps.step(step_gradients)
            losses.append(step_loss)
        return Trace(
            counted=(0, 0),
            initial=initial,
            activations=activations,
            logits=activations[LAYERS[model][-1][1]],
            loss=loss,
            gradients=gradients,
            losses=tuple(losses),
            trained=parameters,
            optimizer_state=steps.state,
            trained_logits=network.logits(test),
        )

    return run
