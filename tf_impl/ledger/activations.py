"""Keras's forms of the rows about activations."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tf_impl.ledger.forms import aligned, both, own


@own("leaky-slope")
def leaky_relu_layer(x: np.ndarray) -> Any:
    return layers.LeakyReLU()(x)


@aligned("leaky-slope")
def leaky_relu_layer_with_slope(x: np.ndarray) -> Any:
    return layers.LeakyReLU(negative_slope=0.125)(x)


@own("leaky-function")
def leaky_relu(x: np.ndarray) -> Any:
    return keras.activations.leaky_relu(x)


@aligned("leaky-function")
def leaky_relu_with_slope(x: np.ndarray) -> Any:
    return keras.activations.leaky_relu(x, negative_slope=0.125)


@own("prelu-shape")
def slopes_of_prelu() -> Any:
    layer = layers.PReLU()
    layer.build((None, 8, 8, 4))
    return layer.count_params()


@aligned("prelu-shape")
def slopes_of_prelu_by_channel() -> Any:
    layer = layers.PReLU(shared_axes=[1, 2])
    layer.build((None, 8, 8, 4))
    return layer.count_params()


@own("prelu-initial")
def new_prelu(x: np.ndarray) -> Any:
    return layers.PReLU()(x)


@aligned("prelu-initial")
def new_prelu_with_slope(x: np.ndarray) -> Any:
    return layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))(x)


@both("gelu-form")
@own("gelu-constant")
def gelu(x: np.ndarray) -> Any:
    return keras.activations.gelu(x)


@aligned("gelu-constant")
def gelu_by_erf(x: np.ndarray) -> Any:
    return x / 2 * (1 + ops.erf(x / np.sqrt(2)))


@both("gelu-tanh")
def gelu_by_tanh(x: np.ndarray) -> Any:
    return keras.activations.gelu(x, approximate=True)


@both("softplus-threshold")
def softplus(x: np.ndarray) -> Any:
    return keras.activations.softplus(x)


@both("hard-sigmoid")
def hard_sigmoid(x: np.ndarray) -> Any:
    return keras.activations.hard_sigmoid(x)


@both("activations-alike")
def activations(x: np.ndarray) -> Any:
    names = "elu", "celu", "selu", "silu", "hard_swish", "mish", "softsign", "softplus", "relu6"
    return ops.stack([keras.activations.get(name)(x) for name in names])


@both("softmax-axis")
def softmax(x: np.ndarray) -> Any:
    return layers.Softmax()(x)


@both("glu-axis")
def gated(x: np.ndarray) -> Any:
    return keras.activations.glu(x)
