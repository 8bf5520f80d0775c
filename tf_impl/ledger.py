"""Keras's halves of the ledger of differences (shared/ledger.py)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops, optimizers

from shared import training
from shared.ledger import Answers
from tf_impl.layers import BatchNormalization
from tf_impl.optimizers import ClassicMomentum, PaperAdam

Inputs = Mapping[str, np.ndarray]
TINY = 1e-30  # an epsilon that changes no digit
# Asked before anything here states it.
TF32_AS_IMPORTED = tf.config.experimental.tensor_float_32_execution_enabled()


@contextmanager
def _floatx(dtype: str) -> Iterator[None]:
    """Keras's float type: an optimizer keeps its learning rate in it, whatever the parameters are."""
    kept = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(kept)


def _steps(
    make: Callable[[], keras.optimizers.Optimizer],
    inputs: Inputs,
    dtype: str = "float64",
    rates: list[float] | None = None,
    l2: float = 0.0,
) -> np.ndarray:
    """How far an optimizer moves a parameter in all, with an L2 regulariser of `l2`."""
    with _floatx(dtype):
        variable = keras.Variable(inputs["p"].astype(dtype), dtype=dtype)
        start = ops.copy(variable.value)
        optimizer = make()
        for number, gradient in enumerate(inputs["gradients"]):
            if rates is not None:
                optimizer.learning_rate = rates[number]
            with tf.GradientTape() as tape:
                loss = keras.regularizers.L2(l2)(variable.value)
            optimizer.apply([gradient.astype(dtype) + tape.gradient(loss, variable.value)], [variable])
        return np.array(variable.value - start)


def _paper_adam(epsilon: float = 1e-7, weight_decay: float | None = None) -> PaperAdam:
    optimizer = PaperAdam(training.Adam(learning_rate=0.001, epsilon=epsilon))
    optimizer.weight_decay = weight_decay
    return optimizer


def _momentum(make: Callable[[], keras.optimizers.Optimizer], inputs: Inputs) -> np.ndarray:
    return _steps(make, inputs, rates=[0.1] * 5 + [0.001] * 5)


def _normalised(make: Callable[[], layers.Layer], part: str, n_batches: int, inputs: Inputs) -> np.ndarray:
    """What a batch normalisation gives (`output`) or keeps (`moving_mean`, `moving_variance`)."""
    layer = _in_float64(make)
    for batch in inputs["x"][:n_batches]:
        output = layer(tf.constant(batch), training=True)
    return np.array(output if part == "output" else getattr(layer, part))


def _in_float64(make: Callable[[], layers.Layer]) -> layers.Layer:
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        return make()
    finally:
        keras.config.set_dtype_policy(kept)


def _batch_norm(part: str, n_batches: int, **arguments: float) -> Answers:
    return Answers(
        partial(_normalised, lambda: layers.BatchNormalization(**arguments), part, n_batches),
        partial(_normalised, lambda: BatchNormalization(name="aligned"), part, n_batches),
    )


def _kept_variance(inputs: Inputs) -> np.ndarray:
    """Of one batch, from 0: with nothing of the old one in it."""
    return _normalised(lambda: layers.BatchNormalization(momentum=0.0), "moving_variance", 1, inputs)


def _kept_variance_aligned(inputs: Inputs) -> np.ndarray:
    layer = _in_float64(lambda: BatchNormalization(name="aligned"))
    layer.momentum = 0.0
    layer(tf.constant(inputs["x"][0]), training=True)
    return np.array(layer.moving_variance)


def _convolved(inputs: Inputs) -> np.ndarray:
    return np.array(ops.conv(tf.constant(inputs["x"]), tf.constant(inputs["kernel"]), strides=2, padding="same"))


def _pooled(inputs: Inputs) -> np.ndarray:
    return np.array(layers.MaxPooling2D(3, strides=2, padding="same", dtype="float64")(tf.constant(inputs["x"])))


def _halved(padding: str, inputs: Inputs) -> np.ndarray:
    return np.array(layers.MaxPooling2D(2, padding=padding, dtype="float64")(tf.constant(inputs["x"])))


def _built(**arguments: Any) -> layers.Dense:
    keras.utils.set_random_seed(0)
    layer = layers.Dense(128, **arguments)
    layer.build((None, 256))
    return layer


def _spread(part: str, inputs: Inputs) -> np.ndarray:
    return np.array(np.std(np.array(getattr(_built(dtype="float32"), part)), dtype=np.float64))


def _loaded(part: str, inputs: Inputs) -> np.ndarray:
    layer = _built(dtype="float64")
    getattr(layer, part).assign(inputs[part])
    return np.array(getattr(layer, part))


def _dense(inputs: Inputs) -> np.ndarray:
    x = tf.constant(inputs["x"])
    return np.array(ops.matmul(ops.reshape(x, (x.shape[0], -1)), tf.constant(inputs["kernel"])))


def _loss(from_logits: bool, inputs: Inputs) -> np.ndarray:
    return np.array(_loss_and_gradient(from_logits, inputs)[0])


def _loss_gradient(from_logits: bool, inputs: Inputs) -> np.ndarray:
    return np.array(_loss_and_gradient(from_logits, inputs)[1])


def _loss_and_gradient(from_logits: bool, inputs: Inputs) -> tuple[tf.Tensor, tf.Tensor]:
    logits = tf.constant(inputs["logits"])
    with _floatx("float64"), tf.GradientTape() as tape:
        tape.watch(logits)
        given = logits if from_logits else tf.nn.softmax(logits)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)(inputs["labels"], given)
    return loss, tape.gradient(loss, logits)


def _epoch_loss(inputs: Inputs) -> np.ndarray:
    with _floatx("float64"):
        layer = _in_float64(lambda: layers.Dense(3, use_bias=False))
        model = keras.Sequential([keras.Input((4,), dtype="float64"), layer])
        layer.kernel.assign(inputs["kernel"])
        model.compile(optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        fitted = model.fit(inputs["x"], inputs["labels"], batch_size=4, shuffle=False, verbose=0)
    return np.array(fitted.history["loss"][0])


def _dropped(rate: float, inputs: Inputs) -> np.ndarray:
    keras.utils.set_random_seed(0)
    return np.array(layers.Dropout(rate, dtype="float64")(tf.constant(inputs["x"]), training=True))


def _n_parameters(trainable: bool, inputs: Inputs) -> np.ndarray:
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    if trainable:
        return np.array(float(sum(np.prod(v.shape) for v in layer.trainable_variables)))
    return np.array(float(layer.count_params()))


def _tf32(enabled: Callable[[], bool], inputs: Inputs) -> np.ndarray:
    return np.full(2, float(enabled()))  # one switch for both


def _product(dtype: str, inputs: Inputs) -> np.ndarray:
    return np.array(ops.matmul(tf.constant(inputs["a"], dtype), tf.constant(inputs["b"], dtype)))


LEDGER: dict[str, Answers] = {
    "adam-defaults": Answers(partial(_steps, optimizers.Adam), partial(_steps, _paper_adam)),
    "adam-formula": Answers(
        partial(_steps, partial(optimizers.Adam, epsilon=1e-7)),
        partial(_steps, _paper_adam),
    ),
    "adam-bias-correction": Answers(
        partial(_steps, partial(optimizers.Adam, epsilon=0.0), dtype="float32"),
        partial(_steps, partial(_paper_adam, epsilon=TINY), dtype="float32"),
    ),
    "adam-constants": Answers(
        partial(_steps, partial(optimizers.Adam, epsilon=0.0)), partial(_steps, partial(_paper_adam, epsilon=TINY))
    ),
    "adamw-decay": Answers(
        partial(_steps, optimizers.AdamW), partial(_steps, partial(_paper_adam, weight_decay=1 / 128))
    ),
    "adam-weight-decay": Answers(
        partial(_steps, partial(optimizers.Adam, weight_decay=1 / 8, epsilon=0.0)),
        partial(_steps, partial(_paper_adam, epsilon=TINY, weight_decay=1 / 8)),
    ),
    "l2-regulariser": Answers(
        partial(_steps, partial(optimizers.SGD, 0.1), l2=1 / 128),
        partial(_steps, partial(optimizers.SGD, 0.1), l2=1 / 128),
    ),
    "sgd-learning-rate": Answers(partial(_steps, optimizers.SGD), partial(_steps, partial(optimizers.SGD, 0.01))),
    "sgd-momentum": Answers(
        partial(_momentum, partial(optimizers.SGD, momentum=0.9)),
        partial(_momentum, lambda: ClassicMomentum(training.SGD(momentum=0.9))),
    ),
    "rmsprop": Answers(
        partial(_steps, optimizers.RMSprop), partial(_steps, partial(optimizers.RMSprop, 0.001, rho=0.9, epsilon=0.0))
    ),
    "batchnorm-epsilon": _batch_norm("output", 1),
    "batchnorm-momentum": _batch_norm("moving_mean", 5),
    "batchnorm-variance": _batch_norm("moving_variance", 1, momentum=0.9),
    "batchnorm-fused": Answers(_kept_variance, _kept_variance_aligned),
    "convolution-same": Answers(_convolved, _convolved),
    "pool-same": Answers(_pooled, _pooled),
    "pool-odd": Answers(partial(_halved, "same"), partial(_halved, "valid")),
    "init-kernel": Answers(partial(_spread, "kernel"), partial(_loaded, "kernel")),
    "init-bias": Answers(partial(_spread, "bias"), partial(_loaded, "bias")),
    "dense-layout": Answers(_dense, _dense),
    "flatten-order": Answers(_dense, _dense),
    "loss-of-probabilities": Answers(partial(_loss, False), partial(_loss, True)),
    "gradient-of-probabilities": Answers(partial(_loss_gradient, False), partial(_loss_gradient, True)),
    "epoch-loss": Answers(_epoch_loss, _epoch_loss),
    "dropout-streams": Answers(partial(_dropped, 0.5), partial(_dropped, 0.0)),
    "parameter-count": Answers(partial(_n_parameters, False), partial(_n_parameters, True)),
    "tf32": Answers(
        partial(_tf32, lambda: TF32_AS_IMPORTED),
        partial(_tf32, tf.config.experimental.tensor_float_32_execution_enabled),
    ),
    "rounding": Answers(partial(_product, "float32"), partial(_product, "float64")),
}
