"""The idiomatic recipe: an implementation's own initial values and loop, on a network of the contract."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reference import LAYERS, Network

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.rpc.messages import Created
from compare.worker import machine
from shared.data import Data, channel_statistics, standardised
from shared.metrics import accuracy
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

# The standard deviation of a kernel's initial values, given fan-in and fan-out.
SPREADS = {
    "torch": lambda n_in, n_out: 1 / math.sqrt(3 * n_in),
    "keras": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "keras_functional": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "tf_lowlevel": lambda n_in, n_out: 0.1,
}
SCALES = {"torch": "standard", "keras": "unit", "keras_functional": "unit", "tf_lowlevel": "unit"}

Start = Callable[..., tuple[Session, Created]]


@pytest.fixture
def start(session_for: Callable[[str, str], Session]) -> Start:
    """start(implementation, model, data, **training) -> a worker with a fresh idiomatic network."""

    def run(implementation: str, model: str, data: Data | None = None, **training: float) -> tuple[Session, Created]:
        session = session_for(implementation, model)
        if data is not None:
            session.load_data(data)
        train = TrainSpec.model_validate({"epochs": 2, "optimizer": None, "schedule": "constant"} | training)
        mode = IMPLEMENTATIONS[implementation].default_mode
        return session, session.create(Build(MODELS[model], train, None, "cpu", mode, "idiomatic"))

    return run


def test_initial_values_are_the_frameworks_own(start: Start, implementation: str, model: str) -> None:
    session, created = start(implementation, model)
    spec = MODELS[model]
    assert (created.n_params, created.n_trainable) == (spec.n_params, spec.n_trainable)
    assert created.scale == SCALES[implementation]
    assert {"optimizer", "initial weights", "validation"} <= created.choices.keys()
    weights = session.weights()
    assert {name: w.shape for name, w in weights.items()} == {p.name: p.shape for p in spec.parameters}
    kernel = max((w for name, w in weights.items() if name.endswith("/kernel")), key=np.size)  # most precise
    four_deviations = 4 / math.sqrt(2 * kernel.size)
    field = math.prod(kernel.shape[:-2])  # of a convolution
    n_in, n_out = (field * n for n in kernel.shape[-2:])
    assert kernel.std() == pytest.approx(SPREADS[implementation](n_in, n_out), rel=four_deviations)
    for name, value in initial_weights(spec, 0).items():
        if name.endswith("/kernel"):
            assert not np.array_equal(weights[name], value)
        elif not name.endswith("/bias"):
            np.testing.assert_array_equal(weights[name], value)


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_training(start: Start, name: str) -> None:
    """It trains for two epochs on nine tenths of the images. The second epoch is better than the first."""
    session, _ = start(name, "dense_baseline", batch_size=16)
    first, second = session.fit_epoch(), session.fit_epoch()
    n_train = 1_293 if name == "keras" else 1_437 - 143  # Keras rounds the other way
    assert first.n_steps == second.n_steps == math.ceil(n_train / 16)
    assert second.train_loss < first.train_loss < 2.5
    assert second.train_accuracy > 0.3
    assert second.validation_accuracy > 0.2
    assert second.train_s > 0


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_what_others_took_is_known_if_the_system_says_it(start: Start, name: str) -> None:
    """It is recorded as in the matched recipe, with the time of a matrix product."""
    session, _ = start(name, "dense_baseline", epochs=1)
    epoch = session.fit_epoch()
    assert (epoch.foreign_s is None) == (machine.usage().all_s is None)
    assert epoch.elapsed_s > epoch.train_s > 0
    assert epoch.yardstick_s is not None
    assert epoch.yardstick_s > 0


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_data_of_fewer_classes_than_the_network_has(start: Start, digits: Data, name: str) -> None:
    """The user's own data may lack classes, and these are never predicted."""
    few = digits.y_train < 4
    of_few = replace(digits, x_train=digits.x_train[few], y_train=digits.y_train[few])
    session, _ = start(name, "dense_baseline", of_few, epochs=4)
    accuracies = [session.fit_epoch().train_accuracy for _ in range(4)]
    confusion = np.array(session.evaluate("test").confusion)
    assert accuracies[-1] > 0.8
    assert confusion.shape == (10, 10)
    assert confusion[:, 4:].sum() == 0


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_the_accuracy_is_that_of_the_weights(start: Start, digits: Data, name: str) -> None:
    """An independent NumPy network gets the trained weights, and the images in the stated scale."""
    session, created = start(name, "cnn_headless_valid", epochs=1)
    session.fit_epoch()
    network = Network(LAYERS["cnn_headless_valid"], session.weights())
    images = digits.x_test
    if created.scale == "standard":
        images = standardised(images, *channel_statistics(digits.x_train))
    logits = network.logits(images)
    evaluation = session.evaluate("test")
    assert evaluation.accuracy == accuracy(logits, digits.y_test) > 0.5


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_it_stops_once_the_training_accuracy_is_reached(start: Start, name: str) -> None:
    session, _ = start(name, "dense_baseline", epochs=50, stop_at=0.5, batch_size=32)
    accuracies = [session.fit_epoch().train_accuracy]
    while accuracies[-1] < 0.5:
        accuracies.append(session.fit_epoch().train_accuracy)
    assert len(accuracies) < 10
    session.evaluate("test")  # if the loop were still waiting, the next line would show it
    with pytest.raises(Exception, match="the recipe has ended"):
        session.fit_epoch()
