"""Build and describe the user's own networks, from `tf_lowlevel.py` in their folder."""

from collections.abc import Callable, Iterable

import tensorflow as tf

from shared import own_code
from shared.description import Description, Layer, Parameter
from shared.models import Code, ModelSpec
from shared.own_code import CodeError
from tf_lowlevel_impl.layers import Dropout
from tf_lowlevel_impl.models import MODELS
from tf_lowlevel_impl.on_device import CPU, count_flops

FILE = "tf_lowlevel.py"
N_IMAGES = 2


def network_of(spec: ModelSpec) -> Callable[..., tf.Module]:
    """Return a function that builds the network specified by `spec`."""
    return own_code.chosen(spec, FILE, MODELS)


def describe(
    code: Code, input_shape: tuple[int, ...] | None, counted: bool = True, tokens: bool = False
) -> Description:
    """Build the network, call it and describe it. Raise CodeError.

    Its input is images of `input_shape` (height, width, channels), vectors, sequences or `tokens`. FLOPs are counted if
    `counted`.
    """
    if input_shape is None:
        raise CodeError(
            f"{FILE} does not state the sizes of its input. Give them (height, width, channels): python -m compare "
            "contract DIR --input 40x40x3"
        )
    build = own_code.builder(code, FILE)
    layers: list[Layer] = []

    def tap(name: str, output: tf.Tensor) -> tf.Tensor:
        layers.append(Layer(name, tuple(output.shape[1:])))
        return output

    with tf.device(CPU):
        module = build(tf.float32)
        if not isinstance(module, tf.Module) or not callable(module):
            raise CodeError(f"{FILE} gives no tf.Module that can be called but {type(module).__name__}.")
        own_code.needs_argument(module.__call__, "training", "tap")
        given = tf.int64 if tokens else tf.float32
        images = tf.zeros((N_IMAGES, *input_shape), given)
        module(images, training=True)
        logits = module(images, tap=tap)
        flops = count_flops(module, tf.TensorSpec((1, *input_shape), given)) if counted else None
    if not layers or layers[-1].output_shape != tuple(logits.shape[1:]):
        raise CodeError("the last layer that `tap` gets has to be what `__call__` returns, the logits.")
    dropping = [part for part in module.submodules if isinstance(part, Dropout)]
    return Description(
        input_shape=input_shape,
        layers=tuple(layers),
        parameters=tuple(_parameters(module)),
        dropout=own_code.dropout_of(build, len(dropping)),
        flops=flops,
        tokens=tokens,
    )


def _parameters(module: tf.Module) -> Iterable[Parameter]:
    """Yield the variables, named by the attributes that lead to them: `module.conv1.kernel` is `conv1/kernel`."""
    found = module._flatten(predicate=lambda part: isinstance(part, tf.Variable), with_path=True)
    for path, variable in found:
        *layer, part = map(str, path)
        yield Parameter(f"{'.'.join(layer)}/{part}", tuple(variable.shape), variable.trainable)
