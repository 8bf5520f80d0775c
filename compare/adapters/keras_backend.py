"""Keras's tensors and variables, whatever backend it computes with (KERAS_BACKEND): TensorFlow's, PyTorch's or JAX's.

PyTorch's and JAX's modules have the names of TensorFlow's; only the backend that runs is imported.
"""

from typing import TYPE_CHECKING, Any

import keras

from compare.adapters.steps import Weight

BACKEND = keras.backend.backend()

if TYPE_CHECKING or BACKEND == "tensorflow":
    from compare.adapters.keras_on_tensorflow import (
        BackendWatch,
        Tape,
        array,
        computable,
        dense,
        differentiable,
        exact,
        exact_constants,
        fill,
        is_tensor,
        tensor,
    )
else:
    from compare.adapters.keras_elsewhere import (
        BackendWatch,
        Tape,
        array,
        computable,
        dense,
        differentiable,
        exact,
        exact_constants,
        fill,
        is_tensor,
        tensor,
    )

__all__ = [
    "BACKEND",
    "BackendWatch",
    "Tape",
    "array",
    "computable",
    "dense",
    "differentiable",
    "exact",
    "exact_constants",
    "is_tensor",
    "is_variable",
    "tensor",
    "weight_of",
]


def is_variable(value: Any) -> bool:
    """Whether a value is a variable of Keras's, or of its backend's that is not read as a tensor."""
    return isinstance(value, keras.Variable) or (BACKEND == "tensorflow" and hasattr(value, "read_value"))


def weight_of(variable: Any, name: str) -> Weight:
    """Return the weight in one of Keras's variables."""
    return Weight(name, lambda: array(variable.value), variable.assign, fill=fill(variable))
