"""Read and write TensorFlow's tensors and variables without copying them: a kernel can be a gigabyte."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters.changes import Change, fill, undo

LARGE_BYTES = 32 << 20
ALIGNED = 64  # alignment of a tensor's memory


def held(tensor: Any) -> np.ndarray:
    """Return the present content of a tensor or variable, as a read-only view. The view does not change: TensorFlow
    replaces a buffer that is still in use instead of writing to it."""
    value = tensor.read_value() if hasattr(tensor, "read_value") else tensor
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError):  # texts and some 16-bit numbers have no NumPy buffer
        return np.asarray(value.numpy())


def put(variable: Any, changes: Sequence[Change], array: np.ndarray) -> None:
    """Give a variable of TensorFlow's the value from which `changes` make `array`. A large one is copied once, into
    memory that then belongs to the variable.

    Assigning in slices would copy less, but every later reading of the variable would then be a copy.
    """
    dtype, shape = np.dtype(variable.dtype.as_numpy_dtype), tuple(variable.shape)
    n_bytes = array.size * dtype.itemsize
    if n_bytes <= LARGE_BYTES or dtype not in (np.float32, np.float64) or prod(shape) != array.size:
        variable.assign(undo(changes, array))
        return
    memory = np.empty(n_bytes + ALIGNED, np.uint8)
    start = -memory.ctypes.data % ALIGNED
    own = memory[start : start + n_bytes].view(dtype).reshape(shape)
    fill(own, changes, array)
    variable.assign(tf.experimental.dlpack.from_dlpack(own.__dlpack__()))
