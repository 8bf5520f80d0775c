"""JAX as Keras's backend: arrays, and a user's direct calls of JAX."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from compare.adapters.steps import Step

_ARRAY = type(jnp.zeros(()))
_OPERATORS = {
    "__add__": ("add", False), "__radd__": ("add", True), "__sub__": ("subtract", False),
    "__rsub__": ("subtract", True), "__mul__": ("multiply", False), "__rmul__": ("multiply", True),
    "__truediv__": ("divide", False), "__rtruediv__": ("divide", True), "__pow__": ("power", False),
    "__rpow__": ("power", True), "__matmul__": ("matmul", False), "__rmatmul__": ("matmul", True),
    "__neg__": ("negative", False), "__abs__": ("absolute", False), "__getitem__": ("getitem", False),
}  # fmt: skip

# Functions of jax.numpy and jax.nn that Keras has under the same name, with the same arguments.
_SHARED = {
    "relu", "sigmoid", "silu", "softplus", "tanh", "exp", "log", "sqrt", "square", "abs", "absolute", "negative",
    "reciprocal", "sin", "cos", "add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "matmul",
    "where", "mean", "sum", "max", "min", "reshape", "concatenate", "expand_dims",
}  # fmt: skip


@contextmanager
def framework_watched(called: Callable[..., Any]) -> Iterator[None]:
    """Pass operations on JAX's arrays by operators or JAX's functions to `called`, by the operation's name."""

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
    """Choose whether functions compiled by `jax.jit` run compiled in this context, or function by function."""
    found: AbstractContextManager[Any] = jax.disable_jit(not allowed)
    return found


def changes_in_place(name: str, kwargs: Mapping[str, Any]) -> bool:
    """Return False: JAX's arrays do not change."""
    return False


def shares_memory(a: Any, b: Any) -> bool:
    """Return False: each of JAX's arrays has its own memory."""
    return False


def is_traced(value: Any) -> bool:
    """Whether a value represents an array while a function is transformed, as by `jax.jit`."""
    return isinstance(value, jax.core.Tracer)


def is_tensor(value: Any) -> bool:
    """Whether a value is an array of JAX's, or represents one while a function is differentiated."""
    return isinstance(value, jax.Array)


def tensor(value: np.ndarray) -> Any:
    """Return an array of JAX's."""
    return jnp.asarray(np.array(value))


def array(value: Any) -> np.ndarray:
    """Return one of JAX's arrays as NumPy's, which is read-only."""
    return np.asarray(value)


def copied(value: Any) -> Any:
    """Return the same numbers as another array."""
    return jnp.array(value, copy=True)


def unrecorded() -> Any:
    """Return an empty context: JAX keeps nothing for gradients."""
    return nullcontext()


class Tape:
    """The means to differentiate a call in training mode. By its variables, JAX calls the model again, as a function of
    them. By inner values, it goes back through the steps of the watched call and differentiates each alone."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._inputs: list[Any] = []
        self._functions: dict[int, tuple[Callable[[Any], Any], Any, Any]] = {}

    @contextmanager
    def recording(self, inputs: Iterable[Any]) -> Iterator[None]:
        """Note the `inputs` of the call in this context."""
        self._inputs = list(inputs)
        yield

    def computed(self, function: Callable[[Any], Any], output: Any) -> Any:
        """Return a function's result for the network's output, or for the network itself."""
        value = function(output)
        self._functions[id(value)] = function, output, value
        return value

    def gradient(self, target: Any, sources: list[Any]) -> list[Any]:
        """Return the gradient of one or the sum of several results by each of the given variables or tensors.
        It is None if there is no dependence, and for variables that are not trained."""
        noted = [self._functions[id(each)] for each in (target if isinstance(target, list) else [target])]
        functions, output = [function for function, _, _ in noted], noted[0][1]
        if all(isinstance(each, keras.Variable) for each in sources):
            found = self._by_variables(functions, [each for each in sources if each.trainable])
        else:
            found = self._by_values(functions, output)
        return [found.get(id(each)) for each in sources]

    def _by_variables(self, functions: list[Callable[[Any], Any]], variables: list[Any]) -> dict[int, Any]:
        def whole(values: list[Any]) -> Any:
            mapping = list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
                output = self._adapter.called_again(self._inputs)
                return sum(function(output) for function in functions)

        found = jax.jit(jax.grad(whole))([each.value for each in variables]) if variables else []
        return dict(zip(map(id, variables), found, strict=True))

    def _by_values(self, functions: list[Callable[[Any], Any]], output: Any) -> dict[int, Any]:
        """Return the gradient by every tensor of the recorded call that it depends on, by the tensor's identity."""
        steps = list({id(step): step for step in self._adapter.recorded()[0].step_of.values()}.values())
        values = {value.number: value for step in steps for value in (*step.inputs, step.output)}
        last = next(number for number, value in values.items() if value.tensor is output)

        def back(tensors: dict[int, Any]) -> dict[int, Any]:
            slopes = {last: jax.grad(lambda made: sum(function(made) for function in functions))(tensors[last])}
            for step in reversed(steps):
                if step.call is None or step.output.number not in slopes:
                    continue
                places = [k for k, value in enumerate(step.inputs) if _is_real(value.tensor)]
                taken = [tensors[value.number] for value in step.inputs]
                _, pull = jax.vjp(partial(_again, step, taken, places), *(taken[k] for k in places))
                for k, slope in zip(places, pull(slopes[step.output.number]), strict=True):
                    number = step.inputs[k].number
                    slopes[number] = slopes[number] + slope if number in slopes else slope
            return slopes

        found = jax.jit(back)({number: value.tensor for number, value in values.items()})
        return {id(values[number].tensor): slope for number, slope in found.items() if np.any(slope)}


def _is_real(value: Any) -> bool:
    return bool(jnp.issubdtype(value.dtype, jnp.floating))


def _again(step: Step, taken: list[Any], places: list[int], *given: Any) -> Any:
    """Return the output of a step in training mode, for other tensors at some places of its inputs; variables stay."""
    others = list(taken)
    for place, value in zip(places, given, strict=True):
        others[place] = value
    assert step.call is not None
    with keras.StatelessScope():
        return step.call(others, True)
