"""The training loop of a worker, run in this process on the NumPy implementation."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import numpy_impl
import pytest
from numpy_impl import model
from numpy_impl.model import NumpyModel
from reference import LAYERS, AdamSteps, Network

from compare.rpc import messages
from compare.worker import divergence, machine, training
from compare.worker.divergence import Kept
from compare.worker.machine import Usage
from compare.worker.service import Service
from compare.worker.training import Diverged
from shared.batches import epoch_batches
from shared.data import Data
from shared.models import DENSE_BASELINE
from shared.protocol import FittedEpoch
from shared.training import TrainSpec
from shared.weights import Weights, initial_weights

SPEC = TrainSpec(epochs=2, batch_size=64, seed=7, dtype="float64")


def trained(data: Data, n_steps: int) -> tuple[list[messages.Slice], Weights]:
    """Return both epochs in slices of `n_steps`: the slices, and the weights after them."""
    bench = Service(numpy_impl)
    bench.load_data(data.arrays())
    create = messages.Create(model=DENSE_BASELINE, train=SPEC, device="cpu", mode="eager")
    bench.create(create, initial_weights(DENSE_BASELINE, SPEC.seed))
    slices = []
    while sum(part.epoch_end is not None for part in slices) < SPEC.epochs:
        slices.append(bench.training.train_slice(messages.TrainSlice(steps=n_steps)))
    return slices, bench.training.model.weights()


@pytest.mark.parametrize("n_steps", [1, 7, 23, 1_000])
def test_training_is_the_same_however_it_is_sliced(n_steps: int, digits: Data) -> None:
    """It equals a loop without slices: order of both epochs, smaller last batches, and a rate that decays over both."""
    parameters = {name: w.astype(np.float64) for name, w in initial_weights(DENSE_BASELINE, SPEC.seed).items()}
    network = Network(LAYERS["dense_baseline"], parameters)
    adam = AdamSteps(parameters, lr=0.002, beta1=0.9, beta2=0.999, epsilon=1e-7)
    losses = []
    for epoch in (1, 2):
        for indices in epoch_batches(1_437, 64, SPEC.seed, epoch):
            done, of = len(losses), 46
            adam.lr = 0.002 * (done + 1) / 5 if done < 4 else 0.002 * (of - done) / 42
            images, labels = digits.x_train[indices].astype(np.float64), digits.y_train[indices]
            loss, gradients, _ = network.loss_and_gradients(images, labels)
            adam.step(gradients)
            losses.append(loss)

    slices, weights = trained(digits, n_steps)
    assert [loss for part in slices for loss in part.loss] == losses
    for name, value in parameters.items():
        np.testing.assert_array_equal(weights[name], value)


@pytest.mark.parametrize(("every_s", "n_timed"), [(1e6, 1), (0.0, 46)])
def test_the_yardstick_is_put_to_the_machine_now_and_then(
    every_s: float, n_timed: int, digits: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is timed before the first turn, and then after enough further training. An old value is never reported."""
    monkeypatch.setattr(training, "YARDSTICK_EVERY_S", every_s)
    slices, _ = trained(digits, 1)
    assert len(slices) == 46
    timed = [part.yardstick_s for part in slices if part.yardstick_s is not None]
    assert len(timed) == n_timed
    assert slices[0].yardstick_s is not None


def test_epoch_figures_are_averages_over_its_images(digits: Data) -> None:
    """Each step's metrics are those before its update. The smaller last batch counts by its size."""
    slices, _ = trained(digits, 10)
    sizes = np.array([len(batch) for batch in epoch_batches(1_437, 64, SPEC.seed, 1)])
    for epoch in (1, 2):
        parts = [part for part in slices if part.epoch == epoch]
        losses = np.array([loss for part in parts for loss in part.loss])
        end = parts[-1].epoch_end
        assert end is not None
        assert end.train_loss == pytest.approx(float((losses * sizes).sum() / sizes.sum()), rel=1e-12)
        assert math.isclose(end.train_accuracy * 1_437, round(end.train_accuracy * 1_437), abs_tol=1e-9)


def test_a_slice_ends_with_its_epoch(digits: Data) -> None:
    slices, _ = trained(digits, 10)
    assert [(part.epoch, part.step, len(part.step_s)) for part in slices] == [
        *((1, 10, 10), (1, 20, 10), (1, 23, 3)),
        *((2, 10, 10), (2, 20, 10), (2, 23, 3)),
    ]
    assert all(sum(part.step_s) <= part.slice_s for part in slices)


def test_a_slice_tells_what_others_took_meanwhile(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(machine, "usage", lambda: Usage(own_s=(n := next(ticks)), all_s=3.0 * n, n_preempted=0))
    slices, _ = trained(digits, 1_000)
    assert [part.foreign_s for part in slices] == [2.0, 2.0]


def test_evaluation_covers_every_test_image(digits: Data) -> None:
    bench = Service(numpy_impl)
    bench.load_data(digits.arrays())
    create = messages.Create(model=DENSE_BASELINE, train=SPEC, device="cpu", mode="eager")
    bench.create(create, initial_weights(DENSE_BASELINE, SPEC.seed))
    evaluation = bench.training.evaluate("test")
    confusion = np.array(evaluation.confusion)
    assert confusion.sum() == 360
    np.testing.assert_array_equal(confusion.sum(axis=1), np.bincount(digits.y_test, minlength=10))
    assert evaluation.accuracy == np.trace(confusion) / 360


class Overflowing(NumpyModel):
    """An implementation with one bias that becomes infinite in the eighth step, by its gradient or only by its
    update."""

    where = "gradient"
    bad_step = 8

    def train_step(self, batch: tuple[np.ndarray, np.ndarray], learning_rate: float) -> tuple[object, object]:
        done = super().train_step(batch, learning_rate)
        if self.optimizer.t == self.bad_step:
            self.parameters["dense1/bias"] = np.full(128, -np.inf)
        return done

    def loss_and_gradients(self, batch: tuple[np.ndarray, np.ndarray]) -> tuple[float, Weights]:
        loss, gradients = super().loss_and_gradients(batch)
        if self.where == "gradient" and self.optimizer.t == self.bad_step - 1:
            gradients["dense1/bias"] = np.full(128, np.inf)
        return loss, gradients


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("turn", [4, 1_000])  # found at the end of a turn, or by the next loss
@pytest.mark.parametrize(("bad_step", "reported"), [(8, "epoch 1, step 8"), (31, "epoch 2, step 8")])
@pytest.mark.parametrize("keep_s", [10.0, 0.0])  # the state restored is of the first epoch, or of the turn's start
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("gradient", "the gradient of dense1/bias in {} is not finite"),
        ("update", "dense1/bias is not finite after {}, though all gradients were"),
    ],
)
def test_the_step_and_the_tensor_that_went_bad_first_are_named(
    where: str,
    said: str,
    keep_s: float,
    bad_step: int,
    reported: str,
    turn: int,
    digits: Data,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(divergence, "KEEP_S", keep_s)
    monkeypatch.setattr(Overflowing, "where", where)
    monkeypatch.setattr(Overflowing, "bad_step", bad_step)
    monkeypatch.setattr(model, "NumpyModel", Overflowing)
    bench = Service(numpy_impl)
    bench.load_data(digits.arrays())
    weights = initial_weights(DENSE_BASELINE, 0)
    bench.create(messages.Create(model=DENSE_BASELINE, train=SPEC, device="cpu", mode="eager"), weights)
    for _ in range(12):
        part = bench.training.train_slice(messages.TrainSlice(steps=turn))
        if part.diverged:
            break
    assert part.diverged == said.format(reported)
    assert part.epoch_end is None
    assert part.step >= 8


@pytest.mark.parametrize(
    ("loss", "bias", "said"),
    [
        (math.nan, 0.0, "the training loss of epoch 2 (steps 24 to 46) is nan"),
        (math.inf, math.nan, "the training loss of epoch 2 (steps 24 to 46) is inf; not finite: dense1/bias"),
        (0.5, math.inf, "dense1/bias is not finite after epoch 2 (steps 24 to 46)"),
    ],
)
def test_an_idiomatic_epoch_that_went_bad(
    loss: float, bias: float, said: str, digits: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Service(numpy_impl)
    weights = initial_weights(DENSE_BASELINE, 0) | {"dense1/bias": np.full(128, bias)}
    bench.create(messages.Create(model=DENSE_BASELINE, train=SPEC, device="cpu", mode="eager"), weights)
    done = FittedEpoch(
        train_loss=loss, train_accuracy=0.5, validation_loss=0.5, validation_accuracy=0.5, n_steps=23, train_s=1.0
    )
    bench.training.fitting = SimpleNamespace(next_epoch=lambda: done, finish=lambda: None)
    bench.training.epoch = 2
    with pytest.raises(Diverged) as caught:
        bench.training.fit_epoch()
    assert str(caught.value) == said


def test_an_idiomatic_epoch_says_what_others_took_meanwhile(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """It includes the validation. The matrix product is timed before it, not within it."""
    bench = Service(numpy_impl)
    create = messages.Create(model=DENSE_BASELINE, train=SPEC, device="cpu", mode="eager")
    bench.create(create, initial_weights(DENSE_BASELINE, 0))
    order = []
    counted = iter([Usage(1.0, 10.0, 0), Usage(4.0, 15.0, 0), Usage(4.0, 20.0, 0), Usage(5.0, 21.0, 0)])
    monkeypatch.setattr(machine, "usage", lambda: (order.append("usage"), next(counted))[1])
    monkeypatch.setattr(bench.training, "yardstick", lambda: order.append("product"))
    done = FittedEpoch(0.5, 0.5, 0.5, 0.5, n_steps=23, train_s=1e-9)

    def next_epoch() -> FittedEpoch:
        order.append("epoch")
        return done

    bench.training.fitting = SimpleNamespace(next_epoch=next_epoch, finish=lambda: None)
    first, second = bench.training.fit_epoch(), bench.training.fit_epoch()
    assert (first.foreign_s, second.foreign_s) == (2.0, 0.0)
    assert first.elapsed_s >= 0
    assert first.yardstick_s is not None
    assert second.yardstick_s is None  # less than a second of training later
    assert order == ["product"] * training.YARDSTICK_TIMES + ["usage", "epoch", "usage"] * 2


def test_what_is_kept_is_separate_from_the_network_that_goes_on() -> None:
    """PyTorch's arrays on a CPU share the network's memory."""
    live = np.zeros(3)
    kept = Kept(0, SimpleNamespace(state=lambda: {"p": live}))
    live += 1
    assert kept.state["p"].tolist() == [0, 0, 0]
