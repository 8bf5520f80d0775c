"""Read and write TensorFlow's tensors and variables without a copy of them: a kernel can be a gigabyte."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters.changes import Change, fill, undo

LARGE_BYTES = 32 << 20
ALIGNED = 64  # where a tensor's memory has to begin


def held(tensor: Any) -> np.ndarray:
    """Return what a tensor or variable holds now, as a view that cannot be written. It stays as it is: TensorFlow puts
    another buffer in place of one that something still reads."""
    value = tensor.read_value() if hasattr(tensor, "read_value") else tensor
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError):  # texts and some 16-bit numbers have no buffer of NumPy's
        return np.asarray(value.numpy())


def put(variable: Any, changes: Sequence[Change], array: np.ndarray) -> None:
    """Give a variable of TensorFlow's the value that `changes` make `array` of. A large one is copied once, into memory
    that is the variable's then.

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
