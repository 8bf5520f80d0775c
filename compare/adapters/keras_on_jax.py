"""JAX as Keras's backend: arrays, and what a user's code calls of JAX itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

_ARRAY = type(jnp.zeros(()))
_OPERATORS = {
    "__add__": ("add", False), "__radd__": ("add", True), "__sub__": ("subtract", False),
    "__rsub__": ("subtract", True), "__mul__": ("multiply", False), "__rmul__": ("multiply", True),
    "__truediv__": ("divide", False), "__rtruediv__": ("divide", True), "__pow__": ("power", False),
    "__rpow__": ("power", True), "__matmul__": ("matmul", False), "__rmatmul__": ("matmul", True),
    "__neg__": ("negative", False), "__abs__": ("absolute", False), "__getitem__": ("getitem", False),
}  # fmt: skip

# Functions of jax.numpy and jax.nn that Keras has by the same name, with the same arguments.
_SHARED = {
    "relu", "sigmoid", "silu", "softplus", "tanh", "exp", "log", "sqrt", "square", "abs", "absolute", "negative",
    "reciprocal", "sin", "cos", "add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "matmul",
    "where", "mean", "sum", "max", "min", "reshape", "concatenate", "expand_dims",
}  # fmt: skip


@contextmanager
def framework_watched(called: Callable[..., Any]) -> Iterator[None]:
    """Have `called` do what is called of JAX's arrays by operators, by the operation's name."""

    def replaced(name: str, swapped: bool, original: Any) -> Callable[..., Any]:
        def call(a: Any, *more: Any) -> Any:
            if isinstance(a, jax.core.Tracer):
                return original(a, *more)
            if swapped:
                return called(f"keras:{name}", lambda x, y: original(y, x), more[0], a)
            return called(f"keras:{name}", original, a, *more)

        return call

    with ExitStack() as stack:
        for operator, (name, swapped) in _OPERATORS.items():
            original = getattr(_ARRAY, operator)
            stack.callback(setattr, _ARRAY, operator, original)
            setattr(_ARRAY, operator, replaced(name, swapped, original))
        for module in (jnp, jax.nn):
            for name, function in list(vars(module).items()):
                if callable(function) and not isinstance(function, type) and not name.startswith("_"):
                    stack.callback(setattr, module, name, function)
                    label = "keras" if name in _SHARED else "jax"
                    setattr(module, name, _watched(called, f"{label}:{name}", function))
        yield


def _watched(called: Callable[..., Any], name: str, function: Any) -> Callable[..., Any]:
    return partial(called, name, function)


def functions_compiled(allowed: bool) -> AbstractContextManager[Any]:
    """Functions that a user compiled by `jax.jit` run compiled inside, or function by function."""
    found: AbstractContextManager[Any] = jax.disable_jit(not allowed)
    return found


def changes_in_place(name: str, kwargs: Mapping[str, Any]) -> bool:
    """JAX's arrays do not change."""
    return False


def shares_memory(a: Any, b: Any) -> bool:
    """JAX's arrays are each in memory of their own."""
    return False


def is_traced(value: Any) -> bool:
    """Whether a value stands for an array while a function is transformed, as by `jax.jit`."""
    return isinstance(value, jax.core.Tracer)


def is_tensor(value: Any) -> bool:
    """Whether a value is an array of JAX's, or what stands for one while a function is differentiated."""
    return isinstance(value, jax.Array)


def tensor(value: np.ndarray) -> Any:
    """Return an array of JAX's."""
    return jnp.asarray(np.array(value))


def array(value: Any) -> np.ndarray:
    """Return NumPy's array of one of JAX's, which cannot be written."""
    return np.asarray(value)


def copied(value: Any) -> Any:
    """Return the same numbers as another array."""
    return jnp.array(value, copy=True)


def unrecorded() -> Any:
    """JAX keeps nothing for gradients."""
    return nullcontext()


class Tape:
    """What a call in training mode is differentiated by: JAX calls the model again, as a function of its variables.
    There are no gradients by what is inside: step by step, JAX takes minutes for them."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._inputs: list[Any] = []
        self._functions: dict[int, tuple[Callable[[Any], Any], Any]] = {}

    @contextmanager
    def recording(self, inputs: Iterable[Any]) -> Iterator[None]:
        """What runs inside is called for `inputs`."""
        self._inputs = list(inputs)
        yield

    def computed(self, function: Callable[[Any], Any], output: Any) -> Any:
        """What a function gives for the network's output, or for the network itself."""
        value = function(output)
        self._functions[id(value)] = function, value
        return value

    def gradient(self, target: Any, sources: list[Any]) -> list[Any]:
        """The gradient of what was computed, or of the sum of several, by each variable; None by tensors, and by
        variables that are not trained."""
        noted = [self._functions[id(each)] for each in (target if isinstance(target, list) else [target])]
        functions = [function for function, _ in noted]
        variables = {id(each): each for each in sources if isinstance(each, keras.Variable) and each.trainable}
        if not variables:
            return [None] * len(sources)

        def whole(values: list[Any]) -> Any:
            mapping = list(zip(variables.values(), values, strict=True))
            with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
                output = self._adapter.called_again(self._inputs)
                return sum(function(output) for function in functions)

        found = dict(zip(variables, jax.grad(whole)([each.value for each in variables.values()]), strict=True))
        return [found.get(id(each)) for each in sources]
