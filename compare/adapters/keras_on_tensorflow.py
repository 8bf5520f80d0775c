"""What Keras's models need of TensorFlow, if that is the backend."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters import tensorflow_arithmetic, tensorflow_layers, tensorflow_operations, tensorflow_parts
from compare.adapters.changes import Change
from compare.adapters.keras_kernels import computable
from compare.adapters.steps import Weight
from compare.adapters.tensorflow_arrays import held as array
from compare.adapters.tensorflow_arrays import put
from compare.adapters.tensorflow_watch import Watch, differentiable, exact

__all__ = ["BackendWatch", "array", "computable", "differentiable", "exact", "fill", "is_tensor", "tensor"]

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


def fill(variable: Any) -> Callable[[Sequence[Change], np.ndarray], None]:
    """Return what gives a variable of Keras's an array that changes are undone of."""
    return lambda changes, value: put(variable.value, changes, value)
