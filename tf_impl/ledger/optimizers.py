"""Keras's forms of the rows about the steps that optimizers take."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import optimizers

from shared.training import SGD, Adam
from tf_impl.ledger.forms import aligned, both, own
from tf_impl.optimizers import ClassicMomentum, PaperAdam


def change(optimizer: optimizers.Optimizer, variable: keras.Variable, gradients: np.ndarray) -> np.ndarray:
    """How far steps with these gradients move the variable."""
    start = np.array(variable)
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    return np.array(variable) - start


@own("adam-defaults")
def adam(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adam(), keras.Variable(p), gradients)


@own("adam-formula")
def adam_epsilon(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adam(epsilon=1e-7), keras.Variable(p), gradients)


@aligned("adam-defaults", "adam-formula")
def paper_adam(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(PaperAdam(Adam(learning_rate=0.001, epsilon=1e-7)), keras.Variable(p), gradients)


@own("adam-bias-correction", "adam-constants")
def adam_without_epsilon(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adam(epsilon=0.0), keras.Variable(p), gradients)


@aligned("adam-bias-correction", "adam-constants")
def adam_betas(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adam(beta_1=7 / 8, beta_2=1023 / 1024, epsilon=0.0), keras.Variable(p), gradients)


@both("adam-amsgrad")
def amsgrad(p: np.ndarray, gradients: np.ndarray) -> Any:
    optimizer = optimizers.Adam(beta_1=7 / 8, beta_2=1023 / 1024, epsilon=0.0, amsgrad=True)
    return change(optimizer, keras.Variable(p), gradients)


@own("adamw-decay")
def adamw(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.AdamW(), keras.Variable(p), gradients)


@aligned("adamw-decay")
def adamw_decay(p: np.ndarray, gradients: np.ndarray) -> Any:
    optimizer = optimizers.AdamW(beta_1=7 / 8, beta_2=1023 / 1024, epsilon=0.0, weight_decay=1 / 128)
    return change(optimizer, keras.Variable(p), gradients)


@own("adamw-biases")
def adamw_bias(bias: np.ndarray) -> Any:
    variable = keras.Variable(bias, name="bias")
    return change(optimizers.AdamW(1 / 8, weight_decay=1 / 8), variable, np.zeros((1, 4)))


@aligned("adamw-biases")
def adamw_without_bias(bias: np.ndarray) -> Any:
    variable = keras.Variable(bias, name="bias")
    optimizer = optimizers.AdamW(1 / 8, weight_decay=1 / 8)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return change(optimizer, variable, np.zeros((1, 4)))


@own("adam-weight-decay")
def adam_decay(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adam(epsilon=0.0, weight_decay=1 / 8), keras.Variable(p), gradients)


@aligned("adam-weight-decay")
def adam_decay_betas(p: np.ndarray, gradients: np.ndarray) -> Any:
    optimizer = optimizers.Adam(beta_1=7 / 8, beta_2=1023 / 1024, epsilon=0.0, weight_decay=1 / 8)
    return change(optimizer, keras.Variable(p), gradients)


@own("sgd-learning-rate")
def sgd(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.SGD(), keras.Variable(p), gradients)


@aligned("sgd-learning-rate")
def sgd_rate(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.SGD(0.01), keras.Variable(p), gradients)


@own("sgd-momentum")
def sgd_momentum(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), optimizers.SGD(momentum=0.9)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        change(optimizer, variable, gradient[None])
    return np.array(variable) - p


@aligned("sgd-momentum")
def classic_momentum(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), ClassicMomentum(SGD(momentum=0.9))
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        change(optimizer, variable, gradient[None])
    return np.array(variable) - p


@both("sgd-nesterov")
def sgd_nesterov(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.SGD(0.1, momentum=7 / 8, nesterov=True), keras.Variable(p), gradients)


@own("sgd-weight-decay")
def sgd_decay(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.SGD(0.1, momentum=7 / 8, weight_decay=1 / 8), keras.Variable(p), gradients)


@aligned("sgd-weight-decay")
def sgd_penalty(p: np.ndarray, gradients: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), optimizers.SGD(0.1, momentum=7 / 8)
    for gradient in gradients:
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(variable * gradient) + keras.regularizers.L2(1 / 16)(variable)
        optimizer.apply(tape.gradient(loss, [variable.value]), [variable])
    return np.array(variable) - p


@own("rmsprop")
def rmsprop(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.RMSprop(), keras.Variable(p), gradients)


@own("rmsprop-epsilon")
def rmsprop_constants(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.RMSprop(0.001, rho=0.9, epsilon=1e-7), keras.Variable(p), gradients)


@aligned("rmsprop", "rmsprop-epsilon")
def rmsprop_without_epsilon(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.RMSprop(0.001, rho=0.9, epsilon=0.0), keras.Variable(p), gradients)


@both("rmsprop-momentum")
def rmsprop_momentum(p: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), optimizers.RMSprop(momentum=0.9, epsilon=0.0)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        change(optimizer, variable, gradient[None])
    return np.array(variable) - p


@own("adagrad")
def adagrad(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adagrad(), keras.Variable(p), gradients)


@aligned("adagrad")
def adagrad_constants(p: np.ndarray, gradients: np.ndarray) -> Any:
    optimizer = optimizers.Adagrad(0.001, initial_accumulator_value=1 / 8, epsilon=0.0)
    return change(optimizer, keras.Variable(p), gradients)


@own("adadelta")
def adadelta(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adadelta(), keras.Variable(p), gradients)


@aligned("adadelta")
def adadelta_constants(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adadelta(0.001, rho=0.95, epsilon=1e-7), keras.Variable(p), gradients)


@own("adamax")
def adamax(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adamax(), keras.Variable(p), gradients)


@aligned("adamax")
def adamax_constants(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Adamax(0.001, beta_1=7 / 8, epsilon=0.0), keras.Variable(p), gradients)


@own("nadam")
def nadam(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.Nadam(), keras.Variable(p), gradients)


@aligned("nadam")
def nadam_constants(p: np.ndarray, gradients: np.ndarray) -> Any:
    optimizer = optimizers.Nadam(0.001, beta_1=7 / 8, beta_2=7 / 8, epsilon=0.0)
    return change(optimizer, keras.Variable(p), gradients)


@both("zero-grad")
def gradients_of_tapes(p: np.ndarray, gradients: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), optimizers.SGD(0.1)
    for gradient in gradients:
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(variable * gradient)
        optimizer.apply(tape.gradient(loss, [variable.value]), [variable])
    return np.array(variable) - p


@both("gradient-accumulation")
def accumulated(p: np.ndarray, gradients: np.ndarray) -> Any:
    return change(optimizers.SGD(0.1, gradient_accumulation_steps=2), keras.Variable(p), gradients)


@both("weight-averaging")
def average(p: np.ndarray, gradients: np.ndarray) -> Any:
    variable, optimizer = keras.Variable(p), optimizers.SGD(0.1, use_ema=True)
    change(optimizer, variable, gradients)
    optimizer.finalize_variable_values([variable])
    return np.array(variable) - p
