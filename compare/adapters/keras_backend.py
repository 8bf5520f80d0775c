"""Keras's tensors and variables with any backend (KERAS_BACKEND): TensorFlow's, PyTorch's or JAX's.

The modules for PyTorch and JAX export the names of TensorFlow's; only the running backend is imported.
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
    """Whether a value is a variable of Keras's or its backend's, unless it can be read as a tensor."""
    return isinstance(value, keras.Variable) or (BACKEND == "tensorflow" and hasattr(value, "read_value"))


def weight_of(variable: Any, name: str) -> Weight:
    """Return the weight in one of Keras's variables."""
    return Weight(name, lambda: array(variable.value), variable.assign, fill=fill(variable))
