"""Keras's and TensorFlow's forms of the rows about arithmetic, gradients at kinks, precision and counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, ops, optimizers
from tensorflow.python.framework.config import is_op_determinism_enabled

from tf_impl.ledger.forms import aligned, both, own

TF32_AS_IMPORTED = tf.config.experimental.tensor_float_32_execution_enabled()  # before anything states it


@own("rounding")
def product_in_float32(a: np.ndarray, b: np.ndarray) -> Any:
    return ops.matmul(a.astype("float32"), b.astype("float32"))


@aligned("rounding")
def product(a: np.ndarray, b: np.ndarray) -> Any:
    return ops.matmul(a, b)


@own("tf32")
def tf32_as_imported() -> Any:
    return np.full(2, float(TF32_AS_IMPORTED))


@aligned("tf32")
def tf32_off() -> Any:
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return np.full(2, float(tf.config.experimental.tensor_float_32_execution_enabled()))


@both("float-default")
def bytes_cast(image: np.ndarray) -> Any:
    scaled = image.astype("uint8") / 255
    return np.array(layers.ReLU()(scaled).dtype.size)


@both("loss-scaling")
def scaled() -> Any:
    return optimizers.LossScaleOptimizer(optimizers.SGD()).scale_loss(1.0)


@own("parameter-count")
def parameters() -> Any:
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    return np.array(layer.count_params())


@aligned("parameter-count")
def trainable_parameters() -> Any:
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    return np.array(sum(ops.size(weight) for weight in layer.trainable_weights))


@both("median")
def median(x: np.ndarray) -> Any:
    return ops.median(x)


@own("integer-division")
def divided(a: np.ndarray, b: np.ndarray) -> Any:
    return tf.constant(a.astype("int64")) / tf.constant(b.astype("int64"))


@aligned("integer-division")
def divided_as_floats(a: np.ndarray, b: np.ndarray) -> Any:
    return tf.cast(a.astype("int64"), tf.float32) / tf.cast(b.astype("int64"), tf.float32)


@own("integer-sum")
def total(x: np.ndarray) -> Any:
    return tf.reduce_sum(x.astype("uint8"))


@aligned("integer-sum")
def total_of_keras(x: np.ndarray) -> Any:
    return ops.sum(x.astype("uint8"))


@both("floor-division")
def quotients(x: np.ndarray) -> Any:
    return ops.concatenate([tf.constant(x) // 2, tf.constant(x) % 3])


@both("rounding-of-halves")
def rounded(x: np.ndarray) -> Any:
    return ops.round(x)


@both("argmax-ties")
def largest(x: np.ndarray) -> Any:
    return ops.argmax(x, axis=-1)


@own("argmax-nan")
def largest_root(x: np.ndarray) -> Any:
    return ops.argmax(ops.sqrt(x))


@aligned("argmax-nan")
def largest_root_or_nan(x: np.ndarray) -> Any:
    roots = ops.sqrt(x)
    return ops.argmax(ops.where(ops.isnan(roots), np.inf, roots))


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> Any:
    """The gradient of the sum of the function's outputs."""
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)


@both("gradient-kinks")
def kinks(x: np.ndarray, ties: np.ndarray) -> Any:
    functions = (ops.relu, ops.relu6, ops.abs, ops.elu, ops.hard_swish)
    pool = gradient(layers.MaxPooling2D(2), ties)
    return ops.concatenate([gradient(function, x) for function in functions] + [ops.ravel(pool)])


@both("gradient-of-clip")
def clip_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.clip(values, 0.0, 1.0), x)


@own("gradient-of-maximum")
def maximum_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.maximum(values, 0.0), x)


@aligned("gradient-of-maximum")
def relu_gradient(x: np.ndarray) -> Any:
    return gradient(ops.relu, x)


@own("gradient-of-norm")
def norm_gradient(x: np.ndarray) -> Any:
    return gradient(lambda vectors: ops.norm(vectors, axis=-1), x)


def norm(vectors: Any) -> Any:
    squares = ops.sum(vectors * vectors, axis=-1)
    return ops.where(squares > 0, ops.sqrt(ops.where(squares > 0, squares, 1.0)), 0.0)


@aligned("gradient-of-norm")
def safe_norm_gradient(x: np.ndarray) -> Any:
    return gradient(norm, x)


@own("gradient-of-deviation")
def deviation_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.std(values, axis=-1), x)


@aligned("gradient-of-deviation")
def safe_deviation_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.sqrt(ops.var(values, axis=-1) + 1e-12), x)


@own("gradient-of-where")
def where_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.where(values > 0, ops.sqrt(values), 0.0), x)


@aligned("gradient-of-where")
def safe_where_gradient(x: np.ndarray) -> Any:
    return gradient(lambda values: ops.where(values > 0, ops.sqrt(ops.where(values > 0, values, 1.0)), 0.0), x)


@both("determinism")
def deterministic() -> Any:
    return np.array(is_op_determinism_enabled())
