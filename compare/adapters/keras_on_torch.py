"""PyTorch as Keras's backend: tensors and arrays, and what a user's code calls of PyTorch itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import torch
from torch.overrides import TorchFunctionMode

_OPERATORS = {
    "add": ("add", False), "__add__": ("add", False), "__radd__": ("add", False), "sub": ("subtract", False),
    "__sub__": ("subtract", False), "rsub": ("subtract", True), "__rsub__": ("subtract", True),
    "mul": ("multiply", False), "__mul__": ("multiply", False), "__rmul__": ("multiply", False),
    "div": ("divide", False), "__truediv__": ("divide", False), "__rtruediv__": ("divide", True),
    "__rdiv__": ("divide", True), "pow": ("power", False), "__pow__": ("power", False), "__rpow__": ("power", True),
    "matmul": ("matmul", False), "__matmul__": ("matmul", False), "__rmatmul__": ("matmul", True),
    "neg": ("negative", False), "__neg__": ("negative", False), "__getitem__": ("getitem", False),
    "abs": ("absolute", False), "relu": ("relu", False), "tanh": ("tanh", False), "sigmoid": ("sigmoid", False),
    "exp": ("exp", False), "sqrt": ("sqrt", False), "square": ("square", False),
}  # fmt: skip


class _Mode(TorchFunctionMode):
    def __init__(self, called: Callable[..., Any]) -> None:
        super().__init__()
        self._called = called

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, swapped = _OPERATORS.get(getattr(func, "__name__", ""), ("", False))
        kwargs = kwargs or {}
        if not name or kwargs:
            return self._called(f"torch:{getattr(func, '__name__', 'function')}", func, *args, **kwargs)
        if swapped:
            return self._called(f"keras:{name}", lambda a, b: func(b, a), args[1], args[0])
        return self._called(f"keras:{name}", func, *args)


@contextmanager
def framework_watched(called: Callable[..., Any]) -> Iterator[None]:
    """Have `called` do what is called of PyTorch, by its name."""
    with _Mode(called):
        yield


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, torch.Tensor)


def tensor(value: np.ndarray) -> Any:
    """Return a tensor of an array."""
    return keras.ops.convert_to_tensor(np.array(value))


def array(value: Any) -> np.ndarray:
    """Return the array of a tensor; of a parameter, which changes in its place, a copy."""
    found: np.ndarray = value.detach().cpu().numpy()
    return found.copy() if isinstance(value, torch.nn.Parameter) else found


def copied(value: Any) -> Any:
    """Return the same numbers as another tensor."""
    return value.clone()
