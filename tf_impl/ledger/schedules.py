"""Keras's forms of the rows about learning rates that change, and about gradients that are clipped."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import callbacks, ops, optimizers
from keras.optimizers import schedules

from tf_impl.ledger.forms import aligned, both, own


def rates(schedule: schedules.LearningRateSchedule, n: int) -> np.ndarray:
    """The learning rates of n steps."""
    return np.array([schedule(step) for step in range(n)])


@own("cosine-end")
def cosine() -> Any:
    return rates(schedules.CosineDecay(0.1, 10), 15)


@aligned("cosine-end")
def cosine_in_float64() -> Any:
    return rates(schedules.CosineDecay(np.float64(0.1), 10), 15)


@own("cosine-restarts")
def restarts() -> Any:
    return rates(schedules.CosineDecayRestarts(0.1, 4), 14)


@aligned("cosine-restarts")
def restarts_alike() -> Any:
    return rates(schedules.CosineDecayRestarts(np.float64(0.1), 4, t_mul=1.0), 14)


@own("step-decay")
def steps() -> Any:
    return rates(schedules.ExponentialDecay(0.1, decay_steps=4, decay_rate=0.1), 10)


@aligned("step-decay")
def staircase() -> Any:
    rate, factor = np.float64(0.1), np.float64(0.1)
    return rates(schedules.ExponentialDecay(rate, decay_steps=4, decay_rate=factor, staircase=True), 10)


@own("milestones")
def boundaries() -> Any:
    return rates(schedules.PiecewiseConstantDecay([3, 5], [1.0, 1 / 8, 1 / 64]), 8)


@aligned("milestones")
def boundaries_before() -> Any:
    return rates(schedules.PiecewiseConstantDecay([2, 4], [1.0, 1 / 8, 1 / 64]), 8)


@own("polynomial-end")
def polynomial() -> Any:
    return rates(schedules.PolynomialDecay(0.1, 4), 7)


@aligned("polynomial-end")
def polynomial_to_zero() -> Any:
    return rates(schedules.PolynomialDecay(np.float64(0.1), 4, end_learning_rate=0.0), 7)


@own("warm-up")
def warm_up() -> Any:
    return rates(schedules.CosineDecay(0.0, 8, warmup_target=0.1, warmup_steps=4), 12)


@aligned("warm-up")
def warm_up_from_a_quarter() -> Any:
    rate, target = np.float64(0.025), np.float64(0.1)
    return rates(schedules.CosineDecay(rate, 8, warmup_target=target, warmup_steps=4), 12)


@both("schedule-per-step")
def scheduled_batches() -> Any:
    return rates(schedules.ExponentialDecay(1.0, decay_steps=1, decay_rate=0.5), 6)


@both("exponential-decay")
def exponential() -> Any:
    return rates(schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9), 10)


@both("scheduler-before-step")
def counted() -> Any:
    optimizer = optimizers.SGD(schedules.ExponentialDecay(1.0, decay_steps=1, decay_rate=0.5))
    variable, found = keras.Variable([0.0]), []
    for _ in range(5):
        found.append(float(optimizer.learning_rate))
        optimizer.apply([tf.zeros(1)], [variable])
    return np.array(found)


def rates_of_epochs(callback: callbacks.Callback, losses: np.ndarray) -> np.ndarray:
    """The learning rates that a callback sets for epochs with these validation losses, from a rate of 1."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizers.SGD(1.0), "mse")
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"val_loss": loss})
        found.append(float(model.optimizer.learning_rate))
    return np.array(found)


@own("schedule-callback")
def piled_up() -> Any:
    return rates_of_epochs(callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5**epoch), np.ones(5))


@aligned("schedule-callback")
def halved() -> Any:
    return rates_of_epochs(
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate), np.ones(5)
    )


@both("plateau-patience")
def plateau(losses: np.ndarray) -> Any:
    return rates_of_epochs(callbacks.ReduceLROnPlateau(patience=2), losses)


@both("plateau-threshold")
def threshold(losses: np.ndarray) -> Any:
    return rates_of_epochs(callbacks.ReduceLROnPlateau(patience=2), losses)


def step(optimizer: optimizers.Optimizer, *gradients: np.ndarray) -> Any:
    """The parameters after one step from zeros with these gradients."""
    variables = [keras.Variable(np.zeros(len(gradient))) for gradient in gradients]
    optimizer.apply([tf.constant(gradient) for gradient in gradients], variables)
    return ops.concatenate(variables)


@both("clip-norm")
def clipped(a: np.ndarray, b: np.ndarray) -> Any:
    return step(optimizers.SGD(1.0, clipnorm=1.0), a, b)


@both("clip-global-norm")
def clipped_together(a: np.ndarray, b: np.ndarray) -> Any:
    return step(optimizers.SGD(1.0, global_clipnorm=1.0), a, b)


@both("clip-value")
def clipped_values(a: np.ndarray, b: np.ndarray) -> Any:
    return step(optimizers.SGD(1.0, clipvalue=1.0), a, b)
