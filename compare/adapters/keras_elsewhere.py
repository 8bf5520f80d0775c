"""Watch Keras's models with PyTorch or JAX as the backend: the functions of Keras's backend, and the framework's own
between them."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import tree
from keras.src.backend.common import dtypes

from compare.adapters import keras_arithmetic
from compare.adapters.changes import Change, apply
from compare.adapters.keras_operations import NOT_WATCHED, Called, Meaning, read, reordered
from compare.adapters.steps import Weight
from compare.adapters.watching import BaseWatch

if TYPE_CHECKING or keras.backend.backend() == "torch":
    from compare.adapters import keras_on_torch as framework
    from compare.adapters.keras_on_torch import Tape, array, is_tensor, tensor
else:
    from compare.adapters import keras_on_jax as framework
    from compare.adapters.keras_on_jax import Tape, array, is_tensor, tensor


dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # for saved models, too (loading.py)
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
TABLES = (keras_arithmetic,)  # importing it registers it
_MODULES = ("core", "numpy", "nn", "math", "linalg", "image")


class BackendWatch(BaseWatch):
    """A watch of the functions that Keras's operations consist of, and of the framework's own."""

    def __init__(self, training: bool) -> None:
        super().__init__(training)
        self._known: dict[int, tuple[Any, Weight]] = {}  # by the variable's identity

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls in this context."""
        backend: Any = keras.src.backend
        with ExitStack() as stack:
            for module in (getattr(backend, name) for name in _MODULES):
                for name in list(vars(module)):
                    function: Any = getattr(module, name)
                    own = inspect.isfunction(function) and function.__module__ == module.__name__
                    if own and not name.startswith("_") and name not in NOT_WATCHED:
                        watched = partial(self._function_called, f"keras:{name}", function)
                        stack.callback(setattr, module, name, function)
                        setattr(module, name, _like(function, watched))
                        if getattr(backend, name, None) is function:
                            stack.callback(setattr, backend, name, function)
                            setattr(backend, name, _like(function, watched))
            dropout = backend.random.dropout
            stack.callback(setattr, backend.random, "dropout", dropout)
            backend.random.dropout = partial(self._dropped, dropout)
            stack.enter_context(framework.framework_watched(self._function_called))
            stack.enter_context(framework.functions_compiled(False))  # otherwise nothing within them would be seen
            yield

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Record nothing in this context. Compiled functions run unchanged."""
        with super().mute(), framework.functions_compiled(True):
            yield

    def copied(self, tensor: Any) -> Any:
        """Return the same numbers as another tensor."""
        return framework.copied(tensor)

    def array(self, tensor: Any) -> np.ndarray:
        """Return the array of a tensor."""
        return array(tensor)

    def hold(self, variable: Any, weight: Weight) -> None:
        """Register the weight in a variable."""
        self._known[id(variable)] = variable, weight
        self.derive(variable.value, weight)

    def holds(self, variable: Any) -> bool:
        """Whether a variable of Keras's is registered."""
        return id(variable) in self._known

    def know(self, variable: Any, weight: Weight) -> None:
        """Register a variable of Keras's."""
        self.hold(variable, weight)

    def _function_called(self, name: str, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Record a function of tensors; `name` is "keras:" or the framework's, and the function's."""
        if self.muted:
            return original(*args, **kwargs)
        if framework.changes_in_place(name, kwargs):
            return self._changed_in_place(name, original, args, kwargs)
        args, kwargs = tree.map_structure(_value, (args, kwargs))
        given = [each for each in tree.flatten((args, kwargs)) if is_tensor(each)]
        if all(map(self.fresh, given)) or any(map(framework.is_traced, given)):
            return original(*args, **kwargs)
        with self.mute():
            output = original(*args, **kwargs)
            made = tree.map_structure(lambda each: self._owned(each, given), output)
        parts = [each for each in tree.flatten(made) if is_tensor(each)]
        self._held += [*given, *parts]
        for number, part in enumerate(parts):
            if not self.trace.known(part) and id(part) not in self.parameters:
                self._add(Called(name, original, args, kwargs, made, part, number, given))
        return made

    def _changed_in_place(self, name: str, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Record a function that changes one of its tensors, as a step from the old content to the new one. Other
        tensors in the same memory are no longer known."""
        place = kwargs.get("out", args[0] if args else None)
        given = [each for each in tree.flatten((args, kwargs)) if is_tensor(each)]
        if not is_tensor(place) or all(map(self.fresh, given)):
            return original(*args, **kwargs)
        with self.mute():
            before = framework.copied(place)
            for each in [value.tensor for value in self.trace.values.values()]:
                if framework.shares_memory(each, place):
                    self.trace.keep(each, before if each is place else framework.copied(each))
            output = original(*args, **kwargs)
            inputs = [before, *(each for each in given if each is not place)]

            def again(tensors: list[Any], training: bool) -> Any:
                new = dict(
                    zip(map(id, [place, *inputs[1:]]), [framework.copied(tensors[0]), *tensors[1:]], strict=True)
                )
                args_again, kwargs_again = tree.map_structure(lambda each: new.get(id(each), each), (args, kwargs))
                with self.mute():
                    original(*args_again, **kwargs_again)
                return new[id(place)]

            self._held += [before, *given]
            self.trace.add(self.name(name.rpartition(":")[2]), name, inputs, place, "opaque", layer=name, call=again)
        return output

    def _owned(self, made: Any, given: list[Any]) -> Any:
        """Return a function's result, as a separate tensor if it is one of its arguments."""
        return self.own(made) if is_tensor(made) and any(made is each for each in given) else made

    def _add(self, call: Called) -> None:
        with self.mute():
            if self._derived(call):
                return
            meant = read(self, call)
            if meant is not None:
                self._put(call, meant)

    def _derived(self, call: Called) -> bool:
        """Note a call that only changes the layout of a weight. Return whether this call does."""
        if len(call.given) != 1 or (weight := self.weight(call.given[0])) is None:
            return False
        changes = reordered(call)
        if changes is not None:
            self.derive(call.output, weight.then(*changes))
        return changes is not None

    def _put(self, call: Called, meant: Meaning) -> None:
        def again(tensors: list[Any], training: bool) -> Any:
            others = {id(before): after for before, after in zip(meant.inputs, tensors, strict=True)}
            for each in call.given:  # its weights as they are now
                held = None if id(each) in others else self.weight(each)
                if held is not None:
                    others[id(each)] = tensor(np.array(apply(held.changes, held.read())))
            args, kwargs = tree.map_structure(lambda each: others.get(id(each), each), (call.args, call.kwargs))
            with self.mute():
                made = call.original(*args, **kwargs)
            return [each for each in tree.flatten(made) if is_tensor(each)][call.number]

        self.trace.add(
            self.name(meant.kind.rpartition(":")[2], next(iter(meant.weights.values()), None)),
            meant.kind,
            meant.inputs,
            call.output,
            meant.rule,
            attributes=meant.attributes,
            weights=meant.weights,
            layer=call.name.replace("keras:", "keras.ops."),
            last=meant.last,
            call=again,
        )

    def _dropped(self, original: Callable[..., Any], x: Any, rate: float, *args: Any, **kwargs: Any) -> Any:
        """Record dropout in a user's code: it passes everything on, and its rate is an attribute."""
        if self.muted or not self.training:
            return original(x, rate, *args, **kwargs)
        meant = ("Dropout", {"ratio": float(rate), "active": True})
        return self.function(self.name("Dropout"), meant, x, lambda value: value, "dropout")


def _like(function: Any, watched: Callable[..., Any]) -> Callable[..., Any]:
    """Return `watched` with the name and the signature of a function."""

    def called(*args: Any, **kwargs: Any) -> Any:
        return watched(*args, **kwargs)

    called.__name__, called.__module__ = function.__name__, function.__module__
    called.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect.signature
    return called


def _value(each: Any) -> Any:
    return each.value if isinstance(each, keras.Variable) else each


def computable(layer: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return Keras's call of a layer unchanged: both frameworks compute all layers on any machine."""
    return original


def exact() -> Any:
    """Do nothing: both frameworks compute with constants in the precision of their tensors."""
    return nullcontext()


def differentiable(tape: Any, inputs: Iterable[Any]) -> Any:
    """Make calls in this context differentiable by `inputs` and variables, if there is a tape."""
    return framework.unrecorded() if tape is None else tape.recording(inputs)


def exact_constants() -> Any:
    """Do nothing: both frameworks take constants in the precision of their tensors."""
    return nullcontext()


def dense(gradient: Any) -> Any:
    """Return the gradient unchanged: both frameworks give dense ones."""
    return gradient


def fill(variable: Any) -> Callable[[Sequence[Change], np.ndarray], None] | None:
    """Return None: nothing is faster than the variable's own assignment."""
    return None
