"""Watch one call of a Keras model: known layers as one step or a few, the content of all others by operations."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
from keras import tree
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.keras_tensor import any_symbolic_tensors
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask
from keras.src.ops.operation import Operation
from keras.src.utils.naming import to_snake_case

from compare.adapters.keras_activations import kind_of
from compare.adapters.keras_backend import BackendWatch, is_tensor, weight_of
from compare.adapters.keras_dot import watched
from compare.adapters.steps import Weight
from compare.graphs.node import Attribute

Original = Callable[..., Any]


@dataclass(frozen=True)
class Description:
    """A known layer's step, without its inputs and outputs."""

    kind: str
    rule: str = "same"
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)
    last: bool = False


@dataclass(frozen=True)
class Call:
    """One call of a layer: its name, its tensors, its output, and whether it runs in training mode."""

    layer: Any
    path: str
    inputs: list[Any]
    output: Any
    training: bool
    masked: bool


class KerasWatch(BackendWatch):
    """A watch that knows Keras's layers. `describe` returns the step of a known layer."""

    def __init__(self, training: bool, describe: "Describe") -> None:
        super().__init__(training)
        self._describe = describe
        self._parents: list[Any] = []
        self._resolved: dict[int, dict[str, Any]] = {}
        self._layers: dict[str, Any] = {}  # layers that are not steps themselves, by their paths

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls in this context."""
        with ExitStack() as stack:
            stack.enter_context(super().watching())
            stack.enter_context(replaced(keras.layers.Layer, "__call__", self._layer_call))
            stack.enter_context(replaced(keras.layers.Layer, "_maybe_build", self._build))
            stack.enter_context(replaced(Operation, "__call__", self._operation_call))
            stack.enter_context(replaced(keras.src.backend.nn, "dot_product_attention", partial(watched, self)))
            for name in _FUNCTIONS:
                stack.enter_context(replaced(keras.src.backend.nn, name, self._function))
            yield

    def run(self, model: Any, arguments: Any, path: str = "") -> Any:
        """Call the model itself, whose name is not part of its layers' names."""
        with self._within(model, path):
            return model(arguments, training=self.training)

    @contextmanager
    def _within(self, layer: Any, path: str) -> Iterator[None]:
        """Name calls in this context after a layer that is not a step itself."""
        self._parents.append(layer)
        self._layers[path] = layer
        try:
            with self.inside(path):
                yield
        finally:
            self._parents.pop()

    def _own_variables(self, layer: Any, path: str) -> None:
        """Register the variables that a layer owns itself, by the attribute that holds them or by their own names."""
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            name = _attribute(layer, variable) or variable.name
            if not self.holds(variable):
                self.know(variable, weight_of(variable, f"{path}.{name}" if path else name))

    def _build(self, original: Original, layer: Any, *args: Any, **kwargs: Any) -> Any:
        with self.mute():
            return original(layer, *args, **kwargs)

    def _operation_call(self, original: Original, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(operation, keras.layers.Layer):
            self._resolved[id(operation)] = kwargs
            if not self.muted and self._parents and operation is self._parents[-1]:
                self._own_variables(operation, self.path[-1])  # it is built by now
        elif not self.muted and not any_symbolic_tensors(args, kwargs):
            with self.inside(self._path(operation)):
                return original(operation, *args, **kwargs)
        return original(operation, *args, **kwargs)

    def _function(self, original: Original, *args: Any, **kwargs: Any) -> Any:
        """Record one of Keras's own activation functions, called by a user."""
        name = original.__name__
        if self.muted or not args or not is_tensor(args[0]) or not self.trace.known(args[0]):
            return original(*args, **kwargs)
        bound = inspect.signature(original).bind(*args, **kwargs)
        bound.apply_defaults()
        meant = kind_of(name, bound.arguments)
        if meant is None:
            return original(*args, **kwargs)
        return self.function(self.name(meant[0]), meant, args[0], lambda x: original(x, *args[1:], **kwargs), name)

    def function(
        self, name: str, meant: tuple[str, Mapping[str, Attribute]], x: Any, call: Callable[[Any], Any], layer: str
    ) -> Any:
        """Add the step of a known function of one tensor, and return its output, with the mask that Keras passes on."""
        output = super().function(name, meant, x, call, layer)
        if (mask := get_keras_mask(x)) is not None and get_keras_mask(output) is None:
            set_keras_mask(output, mask)
        return output

    def _layer_call(self, original: Original, layer: Any, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs) or (self._parents and layer is self._parents[0] and not self.muted):
            return original(layer, *args, **kwargs)
        if isinstance(layer, _DROPPING) and type(layer).call.__module__.startswith("keras."):
            x = args[0] if args else kwargs["inputs"]
            return x if self.muted else self._dropout(layer, x, kwargs.get("training"))
        if self.muted:
            return original(layer, *args, **kwargs)
        path = self._path(layer)
        known = self._describe(layer)
        if known is not None:
            return known(self, path, layer, original, args, kwargs)
        with self._within(layer, path):
            output = original(layer, *args, **kwargs)
            for each in tree.flatten(output):
                if is_tensor(each) and self.fresh(each):
                    self.trace.value(each)  # a constant of this layer
            return output

    def around(self, path: str) -> Any:
        """Return the innermost layer around a path that is not a step itself; None if there is none."""
        while path and path not in self._layers:
            path = path.rpartition(".")[0]
        return self._layers.get(path)

    def _dropout(self, layer: Any, x: Any, training: bool | None) -> Any:
        """Record a layer that drops or adds noise in training: it passes everything on; its rate is an attribute."""
        if training is None:
            context = get_global_attribute("current_call_ctx")
            training = self.training if context is None else context.get_value("training", self.training)
        if isinstance(layer, keras.layers.GaussianNoise):
            meant: tuple[str, dict[str, Attribute]] = (
                "keras:GaussianNoise",
                {"stddev": float(layer.stddev), "active": bool(training)},
            )
        else:
            meant = ("Dropout", {"ratio": float(layer.rate), "active": bool(training)})
        x = keras.ops.convert_to_tensor(x)
        return self.function(self._path(layer), meant, x, lambda value: value, type(layer).__name__)

    def own(self, output: Any) -> Any:
        """Return `output` as a separate tensor, with Keras's mask."""
        made = super().own(output)
        if made is not output and (mask := get_keras_mask(output)) is not None:
            set_keras_mask(made, mask)
        return made

    def resolved(self, layer: Any) -> dict[str, Any]:
        """Return the keyword arguments that Keras gave the last call of a layer."""
        return self._resolved.get(id(layer), {})

    def _path(self, part: Any) -> str:
        """Return the name of a layer or operation: its owner's name for it, after the names of those around it."""
        path = self.path[-1] if self.path else ""
        name = self._name(part)
        return f"{path}.{name}" if path else name

    def _name(self, part: Any) -> str:
        """Return the name that the author chose, else the owner's attribute for it, else Keras's automatic name."""
        if not self._parents or not _automatic(part):
            return str(part.name)
        owner = self._parents[-1]
        if isinstance(owner, keras.Sequential) or type(owner).__name__ == "Functional":
            return str(part.name)
        return _attribute(owner, part) or str(part.name)


Known = Callable[[KerasWatch, str, Any, Original, tuple[Any, ...], dict[str, Any]], Any]
Describe = Callable[[Any], Known | None]

_DROPPING = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.AlphaDropout,
)
_FUNCTIONS = (
    "relu", "relu6", "sigmoid", "sparse_sigmoid", "tanh", "tanh_shrink", "softplus", "softsign", "soft_shrink",
    "sparse_plus", "silu", "squareplus", "log_sigmoid", "leaky_relu", "hard_sigmoid", "hard_silu", "elu", "selu",
    "gelu", "celu", "hard_tanh", "hard_shrink", "threshold", "softmax", "log_softmax", "sparsemax",
)  # fmt: skip


@contextmanager
def replaced(owner: Any, name: str, replacement: Callable[..., Any]) -> Iterator[None]:
    """Replace a function by `replacement`, which takes the original first."""
    original = getattr(owner, name)

    def called(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    called.__name__ = name
    called.__wrapped__ = original  # type: ignore[attr-defined]  # for inspect.signature
    setattr(owner, name, called)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _automatic(part: Any) -> bool:
    """Whether Keras gave the name: the class's name in lower case, and a number."""
    return re.fullmatch(rf"{re.escape(to_snake_case(type(part).__name__))}(_\d+)?", part.name) is not None


def _attribute(owner: Any, part: Any) -> str | None:
    """Return the attribute that holds `part`: "conv", or "blocks.0" in a list, or "heads.left" in a dictionary."""
    held = vars(owner)
    for name, value in (held | held.get("_modules", {})).items():  # with PyTorch a layer is also a module
        if name.startswith("_"):
            continue
        if value is part:
            return str(name)
        if isinstance(value, list | tuple):
            for place, each in enumerate(value):
                if each is part:
                    return f"{name}.{place}"
        elif isinstance(value, dict):
            for key, each in value.items():
                if each is part:
                    return f"{name}.{key}"
    return None
