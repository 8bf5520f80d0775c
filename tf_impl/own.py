"""Build and describe the user's own networks, from `keras.py` in their folder."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from shared import own_code
from shared.description import Description, Layer, Parameter
from shared.models import Code, ModelSpec
from shared.own_code import CodeError
from tf_impl import weights as layout
from tf_impl.layers import OWN_LAYERS
from tf_impl.models import MODELS
from tf_lowlevel_impl.on_device import CPU, count_flops

FILE = "keras.py"
NORMS: dict[str, Any] = {"norm": layers.BatchNormalization}
N_IMAGES = 2


def network_of(spec: ModelSpec) -> Callable[..., keras.Model]:
    """Return a function that builds the network specified by `spec`."""
    return own_code.chosen(spec, FILE, MODELS)


def own_layers(spec: ModelSpec) -> dict[str, Any]:
    """Return the arguments that give the network Keras's own layers, if the matched form uses others."""
    if spec.code is None:
        return dict(OWN_LAYERS.get(spec.name, {}))
    return own_code.accepted(network_of(spec), NORMS)


def describe(
    code: Code, input_shape: tuple[int, ...] | None, counted: bool = True, tokens: bool = False
) -> Description:
    """Build the network, call it on images of the shape that it declares, and describe it. Raise CodeError.

    FLOPs are counted if `counted`. `input_shape` and `tokens` are not needed.
    """
    build = own_code.builder(code, FILE)
    keras.config.set_dtype_policy("float32")  # this process's last network may have set another
    with tf.device(CPU):
        model, again = build(), build()
        if not isinstance(model, keras.Model) or not model.built or len(model.inputs) != 1:
            raise CodeError(
                f"{FILE} has to give a Keras model that begins with keras.Input((height, width, channels)), and gives "
                f"{type(model).__name__}."
            )
        if unnamed := [one.name for one, other in zip(_own(model), _own(again), strict=True) if one.name != other.name]:
            raise CodeError(f'its layer {unnamed[0]} has no name of its own. Give every layer one: name="conv1".')
        stated = tuple(model.inputs[0].shape[1:])
        if not 1 <= len(stated) <= 3 or not all(isinstance(size, int) for size in stated):
            raise CodeError(
                f"its keras.Input is {stated}, and has to be (height, width, channels); (length, size) of a sequence; "
                "or (length,) of a vector or of tokens, all of them numbers."
            )
        tokens = "int" in str(model.inputs[0].dtype)
        given = tf.int64 if tokens else tf.float32
        model(tf.zeros((N_IMAGES, *stated), given), training=True)
        evaluated = partial(model, training=False)
        flops = count_flops(evaluated, tf.TensorSpec((1, *stated), given)) if counted else None
    trainable = {id(variable) for variable in model.trainable_variables}
    dropping = [layer for layer in model.layers if isinstance(layer, layers.Dropout)]
    return Description(
        input_shape=stated,
        layers=tuple(Layer(layer.name, tuple(layer.output.shape[1:])) for layer in _own(model)),
        parameters=tuple(
            Parameter(name, tuple(variable.shape), id(variable) in trainable)
            for name, variable in layout.by_name(model.weights).items()
        ),
        dropout=own_code.dropout_of(build, len(dropping)),
        flops=flops,
        tokens=tokens,
    )


def _own(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
