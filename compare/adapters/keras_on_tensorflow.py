"""TensorFlow as Keras's backend."""

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
        """Whether a variable of Keras's is registered."""
        return id(variable.value.handle) in self.variables

    def know(self, variable: Any, weight: Weight) -> None:
        """Register a variable of Keras's."""
        self.hold(variable.value, weight)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor; a variable is not."""
    return isinstance(value, tf.Tensor)


def tensor(value: np.ndarray) -> Any:
    """Return an array as a tensor."""
    return tf.constant(value)


def dense(gradient: Any) -> Any:
    """Return a gradient as one tensor, even if it is for a part of a table."""
    return tf.convert_to_tensor(gradient)


def fill(variable: Any) -> Callable[[Sequence[Change], np.ndarray], None]:
    """Return a function that gives a variable of Keras's an array, after undoing the changes."""
    return lambda changes, value: put(variable.value, changes, value)


class Tape(tf.GradientTape):  # type: ignore[misc]  # TensorFlow has no types
    """A record of a call in training mode, for differentiation."""

    def __init__(self, adapter: Any) -> None:
        super().__init__(persistent=True)

    def computed(self, function: Callable[[Any], Any], output: Any) -> Any:
        """Return a function's result for the network's output, or for the network itself."""
        with self, exact_constants():  # such as the factor of a regulariser
            return function(output)

    def gradient(self, target: Any, sources: list[Any]) -> list[Any]:
        """Return the gradient of one or the sum of several results by each of the given variables or tensors;
        None if there is no dependence."""
        own = [each.value if isinstance(each, keras.Variable) else each for each in sources]
        found: list[Any] = super().gradient(target, own)
        return found


@contextmanager
def exact_constants() -> Iterator[None]:
    """Replace the function with which optimizers convert their constants to float64 through float32."""
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
