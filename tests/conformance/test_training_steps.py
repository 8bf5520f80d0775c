"""Matched steps of each optimizer in float64: the shipped tests, and tests specific to this repository."""

from collections.abc import Callable

import numpy as np
import pytest
from distance import assert_close
from reference import LAYERS, AdamSteps, Network
from setup_of_training import SEED, batch_size_of, images_for, n_steps
from tracing import Tracer, Weights

from compare.conformance.test_training_steps import (  # noqa: F401
    test_every_loss,
    test_every_parameter,
    test_every_parameter_has_moved,
    test_logits_after_training,
    test_optimizer_state,
)
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.batches import EpochBatches, epoch_batches
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

# Compiling takes long, so only one network in each framework is compiled. Long tests add convolutions and batch
# normalisation in PyTorch.
OTHER_MODE = [
    ("torch", "dense_baseline"),
    ("keras", "cnn_same"),
    ("tf_lowlevel", "cnn_same"),
    pytest.param(("torch", "cnn_same"), marks=pytest.mark.long, id="torch-cnn_same"),
    pytest.param(("torch", "cnn_bn_valid"), marks=pytest.mark.long, id="torch-cnn_bn_valid"),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHER_MODE, ids=str)
def test_the_other_mode_is_the_same_function(trace: Tracer, reference: Tracer, case: tuple[str, str]) -> None:
    implementation, model = case
    default = IMPLEMENTATIONS[implementation].default_mode
    other = "graph" if default == "eager" else "eager"
    actual = trace(implementation, model, "adam", "float64", other).trained
    assert_close(actual, reference(model, "adam").trained, 1e-12)


def test_the_network_has_learned(reference: Tracer, model: str) -> None:
    """This tests the reference, to which all implementations are equal.

    A few steps of a small network have no effect on the next batches' losses. Then the batches that it was trained on
    count.
    """
    done, data = reference(model, "adam"), images_for(model)
    if sum(done.losses[-5:]) < 0.995 * sum(done.losses[:5]):
        return
    batches = epoch_batches(len(data.x_train), batch_size_of(model), SEED, 1)
    seen = np.concatenate(batches[: n_steps(model, "adam")])
    images, labels = (part[seen] for part in data.part("train"))
    assert _loss(model, done.trained, images, labels) < _loss(model, done.initial, images, labels)


def _loss(model: str, weights: Weights, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross-entropy in training mode, with the statistics of the images."""
    network = Network(LAYERS[model], weights)
    network.training = True
    logits = network.forward(images.astype(np.float64))[0][LAYERS[model][-1][1]]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-log_p[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("name", ["torch", "keras", "tf_lowlevel"])
def test_all_see_the_same_augmented_images(session_for: Callable[[str, str], Session], digits: Data, name: str) -> None:
    """Five steps on turned and shifted images equal those of the reference on images changed here."""
    spec = MODELS["dense_baseline"]
    train = TrainSpec(epochs=1, seed=3, augmentation="elastic", schedule="constant", dtype="float64")
    session = session_for(name, "dense_baseline")
    session.create(Build(spec, train, initial_weights(spec, 3), "cpu", IMPLEMENTATIONS[name].default_mode))
    parameters = {n: w.astype(np.float64) for n, w in initial_weights(spec, 3).items()}
    network = Network(LAYERS["dense_baseline"], parameters)
    adam = AdamSteps(parameters, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7)
    batches = EpochBatches(*digits.part("train"), 64, seed=3, epoch=1, kind="elastic")
    losses = []
    for number in range(5):
        images, labels = batches[number]
        loss, gradients, _ = network.loss_and_gradients(images.astype(np.float64), labels)
        adam.step(gradients)
        losses.append(loss)
    assert session.train_slice(5).loss == pytest.approx(losses, rel=1e-12, abs=0)
    plain = EpochBatches(*digits.part("train"), 64, seed=3, epoch=1, kind="none")
    assert not np.array_equal(plain[0][0], batches[0][0])
