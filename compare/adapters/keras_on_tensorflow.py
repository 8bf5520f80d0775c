"""What Keras's models need of TensorFlow, if that is the backend."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from compare.adapters import tensorflow_arithmetic, tensorflow_layers, tensorflow_operations, tensorflow_parts
from compare.adapters.changes import Change
from compare.adapters.keras_kernels import computable
from compare.adapters.steps import Weight
from compare.adapters.tensorflow_arrays import held as array
from compare.adapters.tensorflow_arrays import put
from compare.adapters.tensorflow_watch import Watch, differentiable, exact

__all__ = [
    "BackendWatch",
    "Tape",
    "array",
    "computable",
    "dense",
    "differentiable",
    "exact",
    "exact_constants",
    "fill",
    "is_tensor",
    "tensor",
]

TABLES = (tensorflow_arithmetic, tensorflow_layers, tensorflow_parts)  # importing them registers them


class BackendWatch(Watch):
    """A watch of TensorFlow's operations, for variables of Keras's."""

    def __init__(self, training: bool) -> None:
        super().__init__(training, tensorflow_operations.add)

    def holds(self, variable: Any) -> bool:
        """Whether a variable of Keras's is known."""
        return id(variable.value.handle) in self.variables

    def know(self, variable: Any, weight: Weight) -> None:
        """Know a variable of Keras's."""
        self.hold(variable.value, weight)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor; a variable is none."""
    return isinstance(value, tf.Tensor)


def tensor(value: np.ndarray) -> Any:
    """Return a tensor of an array."""
    return tf.constant(value)


def dense(gradient: Any) -> Any:
    """Return a gradient as one tensor, if it is that of a part of a table."""
    return tf.convert_to_tensor(gradient)


def fill(variable: Any) -> Callable[[Sequence[Change], np.ndarray], None]:
    """Return what gives a variable of Keras's an array that changes are undone of."""
    return lambda changes, value: put(variable.value, changes, value)


class Tape(tf.GradientTape):  # type: ignore[misc]  # TensorFlow has no types
    """What a call in training mode is recorded on, to be differentiated."""

    def __init__(self, adapter: Any) -> None:
        super().__init__(persistent=True)

    def computed(self, function: Callable[[Any], Any], output: Any) -> Any:
        """What a function gives for the network's output, or for the network itself."""
        with self, exact_constants():  # as the factor of a regulariser
            return function(output)

    def gradient(self, target: Any, sources: list[Any]) -> list[Any]:
        """The gradient of what was computed, or of the sum of several, by each variable or tensor that the network
        made; None by those that it does not depend on."""
        own = [each.value if isinstance(each, keras.Variable) else each for each in sources]
        found: list[Any] = super().gradient(target, own)
        return found


@contextmanager
def exact_constants() -> Iterator[None]:
    """Replace the function with which optimizers turn their constants into float64 by way of float32."""
    original = tf.cast

    def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
        if isinstance(x, float) and tf.as_dtype(dtype).is_floating:
            return tf.constant(x, dtype)
        return original(x, dtype, name)

    tf.cast = cast
    try:
        yield
    finally:
        tf.cast = original
