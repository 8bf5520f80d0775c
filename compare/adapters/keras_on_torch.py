"""PyTorch as Keras's backend: tensors and arrays, and a user's direct calls of PyTorch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from compare.adapters import torch_exact

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

_IN_PLACE = ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__ipow__", "__imatmul__")


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
    """Pass direct calls of PyTorch to `called`, by name."""
    torch_exact.mend()
    with _Mode(called):
        yield


def functions_compiled(allowed: bool) -> AbstractContextManager[Any]:
    """Return an empty context: functions compiled by `torch.compile` are watched as they are."""
    return nullcontext()


def changes_in_place(name: str, kwargs: Mapping[str, Any]) -> bool:
    """Whether a function changes its first tensor, or one that it is given for its result."""
    base = name.partition(":")[2]
    own = base.endswith("_") and not base.endswith("__")
    return own or base in _IN_PLACE or kwargs.get("out") is not None or kwargs.get("inplace") is True


def shares_memory(a: Any, b: Any) -> bool:
    """Whether two tensors share memory, such as a part and its whole."""
    return bool(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())


def is_traced(value: Any) -> bool:
    """Whether a tensor represents another one while a function is transformed, as by `torch.vmap`."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(value))


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, torch.Tensor)


def tensor(value: np.ndarray) -> Any:
    """Return an array as a tensor."""
    return keras.ops.convert_to_tensor(np.array(value))


def array(value: Any) -> np.ndarray:
    """Return the array of a tensor; for a parameter, which can change in place, a copy."""
    found: np.ndarray = value.detach().cpu().numpy()
    return found.copy() if isinstance(value, torch.nn.Parameter) else found


def copied(value: Any) -> Any:
    """Return the same numbers as another tensor."""
    return value.clone()


def unrecorded() -> Any:
    """Keep nothing for gradients in this context."""
    return torch.no_grad()


class Tape:
    """A record of a call in training mode, for differentiation."""

    def __init__(self, adapter: Any) -> None:
        pass

    @contextmanager
    def recording(self, inputs: Iterable[Any]) -> Iterator[None]:
        """Make calls in this context differentiable by `inputs` and variables."""
        for each in inputs:
            if each.is_floating_point():
                each.requires_grad_()
        with torch.enable_grad():
            yield

    def computed(self, function: Callable[[Any], Any], output: Any) -> Any:
        """Return a function's result for the network's output, or for the network itself."""
        with torch.enable_grad():
            return function(output)

    def gradient(self, target: Any, sources: list[Any]) -> list[Any]:
        """Return the gradient of one or the sum of several results by each of the given variables or tensors;
        None if there is no dependence."""
        whole: Any = sum(target) if isinstance(target, list) else target
        own = [each.value if isinstance(each, keras.Variable) else each for each in sources]
        by = [each for each in own if each.requires_grad]
        if not whole.requires_grad:
            return [None] * len(own)
        found = iter(torch.autograd.grad(whole, by, allow_unused=True, retain_graph=True))
        return [next(found) if each.requires_grad else None for each in own]
