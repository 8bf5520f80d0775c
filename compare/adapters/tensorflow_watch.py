"""Watch one eager call: every TensorFlow operation becomes a step of a trace."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from compare.adapters.shortest import shortest
from compare.adapters.steps import Weight
from compare.adapters.tensorflow_arrays import held
from compare.adapters.watching import BaseWatch
from compare.graphs.node import Attribute


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation that TensorFlow ran. `given`: its attributes in the form that TensorFlow takes."""

    kind: str
    inputs: list[Any]
    attributes: Mapping[str, Any]
    outputs: list[Any]
    given: tuple[Any, ...]

    def text(self, name: str) -> str:
        """Return a text attribute."""
        value = self.attributes[name]
        return value.decode() if isinstance(value, bytes) else str(value)

    def constant(self, place: int) -> Any:
        """Return the value of an input that is known without the network's inputs, as a NumPy array."""
        return self.inputs[place].numpy()


class Watch(BaseWatch):
    """A watch of TensorFlow's eager operations."""

    def __init__(self, training: bool, add: Callable[["Watch", Operation], None]) -> None:
        """`add` makes steps of an operation."""
        super().__init__(training)
        self._add = add
        # The weight in every variable, by its handle's identity. An adapter fills it before the call.
        self.variables: dict[int, Weight] = {}
        self.held_variables: list[tuple[Any, Weight]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls in this context. Users' tf.functions run eagerly, or their content would not be seen."""
        eager = tf.config.functions_run_eagerly()
        with ExitStack() as stack:
            stack.callback(tf.config.run_functions_eagerly, eager)
            tf.config.run_functions_eagerly(True)
            op_callbacks.add_op_callback(self._seen)
            stack.callback(op_callbacks.remove_op_callback, self._seen)
            stack.enter_context(exact(self))
            if self.training:
                stack.enter_context(_nothing_dropped(self))
            yield

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Record nothing in this context. Compiled functions run unchanged."""
        eager = tf.config.functions_run_eagerly()
        self.muted += 1
        tf.config.run_functions_eagerly(False)
        try:
            yield
        finally:
            self.muted -= 1
            tf.config.run_functions_eagerly(eager)

    def copied(self, tensor: Any) -> Any:
        """Return the same numbers as another tensor."""
        return tf.identity(tensor)

    def array(self, tensor: Any) -> np.ndarray:
        """Return the array of a tensor."""
        return np.asarray(tensor.numpy())

    def _read(self, tensor: Any) -> Weight | None:
        """Return the weight whose memory a tensor shares: TensorFlow's fast path reads variables without a visible
        operation."""
        shape = tuple(tensor.shape) if tensor.dtype in (tf.float32, tf.float64) else None
        for variable, weight in self.held_variables:
            same = tuple(variable.shape) == shape and variable.dtype == tensor.dtype and 0 not in variable.shape
            if same and _address(tensor) == _address(variable.read_value()):
                return weight
        return None

    def hold(self, variable: Any, weight: Weight) -> None:
        """Register a variable of TensorFlow's."""
        self.variables[id(variable.handle)] = weight
        self.held_variables.append((variable, weight))

    def _seen(
        self,
        kind: str | bytes,
        inputs: Sequence[Any],
        attributes: tuple[Any, ...],
        outputs: Sequence[Any],
        *_: Any,
        **__: Any,
    ) -> None:
        """Receive TensorFlow's call after every eager operation."""
        if self.muted or not tf.executing_eagerly():
            return
        # The identity of a tensor is unique only as long as it lives.
        self._held += [*inputs, *outputs]
        self.muted += 1
        try:
            name = kind.decode() if isinstance(kind, bytes) else kind
            pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
            given = tuple(part for pair in pairs.items() if pair[1] is not None for part in pair)
            self._add(self, Operation(name, list(inputs), pairs, list(outputs), given))
        finally:
            self.muted -= 1


@contextmanager
def exact(watch: Watch | None = None) -> Iterator[None]:
    """Replace functions whose constants TensorFlow keeps in float32, in any precision, by exact ones, which `watch`
    records."""

    def leaky(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
        meant = ("LeakyRelu", {"alpha": shortest(alpha)})
        return _one(features, meant, lambda x: tf.where(x > 0, x, tf.constant(alpha, x.dtype) * x), "tf.nn.leaky_relu")

    def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
        def formula(x: Any) -> Any:
            half, cubed, root = (tf.constant(value, x.dtype) for value in (0.5, 0.044715, sqrt(2 / pi)))
            if approximate:
                return half * x * (1 + tf.tanh(root * (x + cubed * x * x * x)))
            return half * x * (1 + tf.math.erf(x / tf.constant(sqrt(2), x.dtype)))

        return _one(features, ("Gelu", {"approximate": "tanh" if approximate else "none"}), formula, "tf.nn.gelu")

    def _one(x: Any, meant: tuple[str, Mapping[str, Attribute]], call: Callable[[Any], Any], layer: str) -> Any:
        x = tf.convert_to_tensor(x)
        return call(x) if watch is None or watch.muted else watch.function(watch.name(meant[0]), meant, x, call, layer)

    with ExitStack() as stack:
        for function, name in ((leaky, "leaky_relu"), (gelu, "gelu")):
            stack.callback(setattr, tf.nn, name, getattr(tf.nn, name))
            setattr(tf.nn, name, function)
        yield


@contextmanager
def differentiable(tape: Any, inputs: Iterable[Any]) -> Iterator[None]:
    """Make calls in this context differentiable by `inputs` and variables, if there is a tape."""
    if tape is None:
        yield
        return
    with tape:
        for each in inputs:
            if each.dtype.is_floating:
                tape.watch(each)
        yield


@contextmanager
def _nothing_dropped(watch: Watch) -> Iterator[None]:
    """Replace TensorFlow's own dropout functions by ones that record and pass on."""

    def passed_on(x: Any, rate: Any = 0.5, *_: Any, **__: Any) -> Any:
        if watch.muted:
            return x
        return watch_dropout(watch, x, float(rate), "dropout")

    with ExitStack() as stack:
        for place, name in (
            (tf.nn, "dropout"),
            (tf.nn.experimental, "stateless_dropout"),
            (tf.nn.experimental, "general_dropout"),
        ):
            stack.callback(setattr, place, name, getattr(place, name))
            setattr(place, name, passed_on)
        yield


def watch_dropout(watch: Watch, x: Any, rate: float, layer: str, name: str | None = None) -> Any:
    """Record a dropout that drops nothing, and return its output."""
    x = tf.convert_to_tensor(x)
    output = watch.own(x)
    watch.trace.add(
        name or watch.name("Dropout"),
        "Dropout",
        [x],
        output,
        "same",
        attributes={"ratio": rate, "active": watch.training},
        layer=layer,
        call=lambda tensors, training: tensors[0],
    )
    return output


def _address(tensor: Any) -> int:
    """Return where a tensor is in memory."""
    return int(held(tensor).ctypes.data)


def array(tensor: Any) -> np.ndarray:
    """Return the array of a tensor, which cannot be written."""
    return held(tensor)
