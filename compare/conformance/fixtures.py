"""One worker for each implementation, and each network's results in it, computed once.

Every conformance test is parametrised over implementation x architecture from the two registries: additions to either
are tested without a change here. `--implementation NAME,...` (compare/pytest_plugin.py) leaves the others out. A
conftest.py imports the fixtures by name.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import pytest

from compare.conformance.reference import LAYERS, Network
from compare.conformance.setup import (
    EPOCHS,
    N_IMAGES,
    OPTIMIZERS,
    REFERENCE,
    SEED,
    batch_size_of,
    images_for,
    n_steps,
    training,
)
from compare.conformance.tracing import Trace, Tracer
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS, implementation
from compare.worker.tiers import NEEDED_FOR
from shared.batches import epoch_batches
from shared.choices import Dtype, Mode
from shared.errors import InputError
from shared.models import MODELS
from shared.protocol import MODEL_TIERS, MODULE_TIERS, Build, Tier
from shared.training import TrainSpec
from shared.weights import initial_weights

GENEROUS_S = 900.0  # for an answer of a worker: only a failure takes so long
TRAIN = "train"  # the tier that every implementation has
Tuning = tuple[tuple[str, str], ...]
Sessions = Callable[[str, str], Session]


def chosen(config: pytest.Config) -> list[str]:
    """Return the implementations to test. Raise pytest.UsageError if a name is unknown."""
    names = [name for part in config.getoption("--implementation") for name in part.split(",") if name]
    try:
        return [implementation(name).name for name in names] or list(IMPLEMENTATIONS)
    except InputError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise arguments of these names over the whole registry; implementations with all their architectures."""
    names, known = metafunc.fixturenames, chosen(metafunc.config)
    pairs = [(name, model) for name in known for model in IMPLEMENTATIONS[name].models]
    if "dropping" in names:
        pairs = [(name, model) for name, model in pairs if MODELS[model].dropout is not None]
        metafunc.parametrize("dropping", pairs, ids="-".join)
    elif "implementation" in names and "model" in names:
        metafunc.parametrize(("implementation", "model"), pairs)
    elif "implementation" in names:
        metafunc.parametrize("implementation", known)
    elif "model" in names:
        metafunc.parametrize("model", list(MODELS))
    if "optimizer" in names:
        metafunc.parametrize("optimizer", list(OPTIMIZERS))


@pytest.fixture(scope="session")
def altered() -> Callable[[], AbstractContextManager[object]]:
    """Return the context in which workers are started, for tests that let them import something else."""
    return nullcontext


@pytest.fixture(scope="session")
def session_for(
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
    altered: Callable[[], AbstractContextManager[object]],
) -> Iterator[Sessions]:
    """session_for(implementation, model) -> its one worker, with images for `model`."""
    logs = tmp_path_factory.mktemp("logs")
    started: dict[str, Session] = {}
    digest = cache(lambda model: images_for(model).digest())

    def get(implementation: str, model: str) -> Session:
        if not started:  # all at once, to import their frameworks in parallel
            with altered():
                for name in chosen(pytestconfig):
                    started[name] = Session(name, logs / f"{name}.log", 1, hide_cuda=True, timeout_s=GENEROUS_S)
        session = started[implementation]
        session.wait_until_ready()
        if session.data_digest != digest(model):
            session.load_data(images_for(model))
        return session

    yield get
    for session in started.values():
        session.close()


@pytest.fixture(scope="session")
def lacking(session_for: Sessions) -> Callable[[str], dict[Tier, tuple[str, ...]]]:
    """lacking(implementation) -> the tiers that it lacks, each with the missing names."""

    @cache
    def found(name: str) -> dict[Tier, tuple[str, ...]]:
        spec = MODELS[IMPLEMENTATIONS[name].models[0]]
        session, mode = session_for(name, spec.name), IMPLEMENTATIONS[name].default_mode
        session.create(Build(spec, TrainSpec(epochs=1), initial_weights(spec, SEED), "cpu", mode))
        tiers = MODEL_TIERS | MODULE_TIERS
        return {tier: tuple(one for one in tiers[tier] if one in session.missing) for tier in session.lacking}

    return found


@pytest.fixture(autouse=True)
def has_the_tier(request: pytest.FixtureRequest) -> None:
    """Skip a test that is marked `tier(NAME)`, with the names that are missing, if the implementation lacks it."""
    marked = request.node.get_closest_marker("tier")
    if marked is None or marked.args[0] == TRAIN:
        return
    values, tier = request.node.callspec.params, marked.args[0]
    name = values["implementation"] if "implementation" in values else values["dropping"][0]
    found = request.getfixturevalue("lacking")(name)
    if tier in found:
        names = ", ".join(f"`{one}`" for one in found[tier])
        pytest.skip(f"{name} has no {names}, needed for {NEEDED_FOR[tier]}")


def looks_before(optimizer: str, mode: Mode | None = None) -> bool:
    """Whether the network is inspected before training: once, because it does not depend on optimizer or mode."""
    return optimizer == "adam" and mode is None


def before_training(session: Session, images: np.ndarray) -> dict[str, Any]:
    activations, logits = session.activations(images), session.logits(images)
    training_activations = session.activations(images, training=True)
    loss, gradients = session.gradients()
    return {
        "activations": activations,
        "training_activations": training_activations,
        "logits": logits,
        "loss": loss,
        "gradients": gradients,
        "untouched": session.weights(),
    }


Computing = Callable[[str, str], Future[Trace]]


@pytest.fixture(scope="session")
def trace(session_for: Sessions, computing: Computing, pytestconfig: pytest.Config) -> Tracer:
    """trace(implementation, model, optimizer, dtype, mode=None, tuning=()) -> Trace, from a worker, without dropout.

    In its default mode a network is traced in all its implementations at once, because others will be requested.
    """

    def run(
        implementation: str, model: str, optimizer: str, dtype: Dtype, mode: Mode | None = None, tuning: Tuning = ()
    ) -> Trace:
        session, spec = session_for(implementation, model), MODELS[model]
        images = images_for(model).x_test[:N_IMAGES]
        created = session.create(
            Build(
                spec,
                training(model, optimizer, dtype),
                initial_weights(spec, SEED),
                "cpu",
                mode or IMPLEMENTATIONS[implementation].default_mode,
                tuning=dict(tuning),
            )
        )
        counted, initial = (created.n_params, created.n_trainable), session.weights()
        if dtype == "float32":  # its rounding over 20 steps, or in sums within a layer, is neither right nor wrong
            return Trace(counted=counted, initial=initial, logits=session.logits(images))
        compared = "parity" not in session.lacking
        before = before_training(session, images) if compared and looks_before(optimizer, mode) else {}
        losses = session.train_slice(n_steps(model, optimizer)).loss
        assert len(losses) == n_steps(model, optimizer)
        return Trace(
            counted=counted,
            initial=initial,
            **before,
            losses=losses,
            trained=session.weights(),
            optimizer_state=session.optimizer_state() if compared else {},
            # Those of another mode would be compiled only for this: if it differs, the weights show it.
            trained_logits=session.logits(images) if mode is None else np.empty(0),
        )

    @cache
    def run_all(model: str, optimizer: str, dtype: Dtype) -> dict[str, Future[Trace]]:
        having = [name for name in chosen(pytestconfig) if model in IMPLEMENTATIONS[name].models]
        for name in having:
            session_for(name, model)
        if dtype == "float64":
            computing(model, optimizer)  # it will be requested, too
        with ThreadPoolExecutor(max_workers=2) as pool:  # two cores, and workers of one thread each
            return {name: pool.submit(run, name, model, optimizer, dtype) for name in having}

    @cache
    def get(
        implementation: str, model: str, optimizer: str, dtype: Dtype, mode: Mode | None = None, tuning: Tuning = ()
    ) -> Trace:
        if mode is not None:
            return run(implementation, model, optimizer, dtype, mode, tuning)
        return run_all(model, optimizer, dtype)[implementation].result()

    return get


@pytest.fixture(scope="session")
def reference(computing: Computing) -> Tracer:
    """reference(model, optimizer) -> Trace, from the NumPy networks in float64."""
    return lambda model, optimizer: computing(model, optimizer).result()


@pytest.fixture(scope="session")
def computing() -> Iterator[Computing]:
    """`reference`, in progress."""

    def run(model: str, optimizer: str) -> Trace:
        spec, data = MODELS[model], images_for(model)
        initial = {name: value.astype(np.float64) for name, value in initial_weights(spec, SEED).items()}
        x, labels = data.x_train, data.y_train
        test = data.x_test[:N_IMAGES].astype(np.float64)
        batches = epoch_batches(len(x), batch_size_of(model), SEED, 1)
        parameters = dict(initial)
        network = Network(LAYERS[model], parameters)
        before: dict[str, Any] = {}
        if looks_before(optimizer):
            activations = network.forward(test)[0]
            network.training = True
            training_activations = network.forward(test)[0]
            network.training = False
            first = batches[0]
            loss, gradients, _ = network.loss_and_gradients(x[first].astype(np.float64), labels[first])
            before = {
                "activations": activations,
                "training_activations": training_activations,
                "logits": activations[LAYERS[model][-1][1]],
                "loss": loss,
                "gradients": gradients,
                "untouched": initial,
            }
        steps = REFERENCE[optimizer](parameters)
        losses = []
        rate = steps.lr
        rising = EPOCHS * len(batches) // 10
        assert rising > n_steps(model, optimizer)
        for step, batch in enumerate(batches[: n_steps(model, optimizer)]):
            steps.lr = rate * (step + 1) / (rising + 1)
            step_loss, step_gradients, _ = network.loss_and_gradients(x[batch].astype(np.float64), labels[batch])
            steps.step(step_gradients)
            parameters.update(network.moved)
            losses.append(step_loss)
        return Trace(
            counted=(0, 0),
            initial=initial,
            **before,
            losses=tuple(losses),
            trained=parameters,
            optimizer_state=steps.state,
            trained_logits=network.logits(test),
        )

    with ThreadPoolExecutor(max_workers=1) as pool:
        yield cache(lambda model, optimizer: pool.submit(run, model, optimizer))
