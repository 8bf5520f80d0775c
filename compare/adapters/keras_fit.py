"""Watch a training function of Keras's or raw TensorFlow's: `model.fit`, or a loop over a tf.GradientTape.

It runs eagerly, and its model computes in float64, in which it was built here.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from compare.adapters import keras_losses, keras_optimizers
from compare.adapters.adapter import Unreadable
from compare.adapters.fitting import Enough, SeenFit, SeenStep, input_names, plain_targets
from compare.adapters.keras_watch import replaced
from compare.graphs.node import Arrays

OF_TENSORFLOW = (
    "sparse_softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sigmoid_cross_entropy_with_logits",
)
WEIGHTED = "its loss has example weights (sample_weight), which are not modelled"


class KerasWatcher:
    """See fitting.Watcher."""

    def __init__(self, adapter: Any) -> None:
        self.adapter, self.seen = adapter, SeenFit()

    @property
    def model(self) -> Any:
        """See Watcher.model."""
        return self.adapter.model

    def watch(self, train: Callable[[], Any], n: int) -> SeenFit:
        """See Watcher.watch."""
        loop = _Loop(self.adapter, n)
        try:
            with loop.watching():
                train()
        finally:
            loop.back()
        self.seen = loop.seen
        return self.seen


class _Loop:
    """One run of a training function."""

    def __init__(self, adapter: Any, n: int) -> None:
        self.adapter, self.model, self.n, self.seen = adapter, adapter.model, n, SeenFit()
        self.tapes = 0  # tapes that record at present
        self.output: Any = None
        self.weights: dict[int, float] = {}  # weights of the classes
        self._before = self._state()

    def _state(self) -> list[tuple[Any, np.ndarray]]:
        return [(each, np.array(each)) for each in getattr(self.model, "variables", ())]

    def back(self) -> None:
        """Restore the weights that the model had at the first batch."""
        for variable, value in self._before:
            variable.assign(value)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls in this context, eagerly."""
        kind = keras.layers.Layer if isinstance(self.model, keras.layers.Layer) else type(self.model)
        with ExitStack() as stack:
            stack.callback(tf.config.run_functions_eagerly, tf.config.functions_run_eagerly())
            tf.config.run_functions_eagerly(True)
            watched: list[tuple[Any, str, Callable[..., Any]]] = [
                (kind, "__call__", self.called),
                (tf.GradientTape, "__enter__", self.entered),
                (tf.GradientTape, "__exit__", self.left),
                (tf.GradientTape, "gradient", self.differentiated),
                (keras.losses.Loss, "__call__", self.of_keras),
                (keras.Model, "fit", self.fit),
                (keras.optimizers.Optimizer, "apply", self.applied),
                *((tf.nn, name, self.of_tensorflow) for name in OF_TENSORFLOW),
            ]
            for owner, name, replacement in watched:
                stack.enter_context(replaced(owner, name, replacement))
            yield

    def entered(self, original: Any, tape: Any) -> Any:
        """Note that a tape begins to record."""
        self.tapes += 1
        return original(tape)

    def left(self, original: Any, tape: Any, *args: Any) -> Any:
        """Note that a tape stops recording."""
        self.tapes -= 1
        return original(tape, *args)

    def fit(self, original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Read from model.fit's arguments how batches are made."""
        named = dict(zip(("x", "y", "batch_size"), args, strict=False)) | kwargs
        x = tree.flatten(named.get("x"))
        if x and isinstance(x[0], np.ndarray | tf.Tensor):
            n = len(x[0]) - int(len(x[0]) * float(named.get("validation_split") or 0.0))
            self.seen.data = {"drop_last": "False", "shuffle": str(bool(named.get("shuffle", True)))}
            self.seen.data |= {"batch_size": str(named.get("batch_size") or 32), "examples": str(n)}
        return original(model, *args, **kwargs)

    def called(self, original: Any, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """Note a call of the model, which counts if a tape records it."""
        if layer is not self.model or not self.tapes:
            return original(layer, *args, **kwargs)
        if len(self.seen.steps) >= self.n and self.seen.steps[-1].loss is not None:
            raise Enough
        first = not self.seen.steps
        if first and getattr(layer, "built", True):
            self._before = self._state()
        inputs = self._inputs(args[0] if args else next(iter(kwargs.values())))
        output = original(layer, *args, **kwargs)
        if first and len(self._before) < len(self._state()):
            self._before = self._state()  # this call built it
        self.output = tree.flatten(output)[0]
        self.seen.steps.append(SeenStep(inputs, self._canonical("", _array(self.output))))
        return output

    def _inputs(self, given: Any) -> Arrays:
        """Return the inputs by name, in canonical layout."""
        stated = self.adapter.stated_inputs()
        arrays = list(given.values()) if isinstance(given, Mapping) else tree.flatten(given)
        names = list(given) if isinstance(given, Mapping) else input_names(stated, len(arrays))
        return {name: self._canonical(name, _array(each)) for name, each in zip(names, arrays, strict=True)}

    def _canonical(self, name: str, native: np.ndarray) -> np.ndarray:
        """Return an array as the adapter takes it."""
        if native.ndim < 3:
            return native
        moved = np.ascontiguousarray(np.moveaxis(native, -1, 1))
        if not name:  # an output
            return moved if native.ndim > 3 else native
        stated = self.adapter.stated_inputs() or {}
        shape = stated.get(name) or (next(iter(stated.values())) if len(stated) == 1 else None)
        fits = [each.shape[1:] == shape for each in (native, moved)]
        if fits[0] != fits[1]:  # otherwise it may be as wide as it is long, or of any size
            return moved if fits[1] else native
        return moved if self.adapter.is_moved(name, moved) else native

    def targeted(self, targets: Any, outputs: Any, loss: Any = None) -> None:
        """Note the arguments of a loss."""
        step = self.seen.steps[-1] if self.seen.steps else None
        if step is None or not self.tapes or targets is None:
            return
        taken = _array(targets)
        if step.targets is None and taken.ndim and len(taken) == len(step.output):
            step.targets = plain_targets(self._canonical("", taken))
            if loss is not None and outputs is self.output:
                loss = getattr(loss, "fn", None) if type(loss).__name__ == "LossFunctionWrapper" else loss
                self.seen.record = keras_losses.record_of(loss, 1, hasattr(outputs, "_keras_logits"))

    def of_keras(self, original: Any, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Note a call of one of Keras's losses."""
        self.targeted(y_true, y_pred, loss)
        if self.tapes and sample_weight is not None and self.seen.steps:
            self._weigh(_array(sample_weight))
        return original(loss, y_true, y_pred, sample_weight)

    def _weigh(self, weights: np.ndarray) -> None:
        """Note weights of examples, which may be those of their classes."""
        step, record = self.seen.steps[-1], self.seen.record
        classes = step.targets
        by_class = classes is not None and classes.dtype.kind in "iu" and classes.shape == weights.shape
        if record is None or record.kind != "cross_entropy" or classes is None or not by_class:
            self.seen.note(WEIGHTED)
            return
        for one, weight in zip(classes.tolist(), weights.tolist(), strict=True):
            if self.weights.setdefault(one, weight) != weight:
                self.seen.note(WEIGHTED)
                return
        whole = tuple(self.weights.get(one, 1.0) for one in range(step.output.shape[1]))
        self.seen.record = replace(record, weights=whole, reduction="batch_mean")

    def of_tensorflow(self, original: Any, labels: Any = None, logits: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Note a call of one of TensorFlow's losses."""
        self.targeted(labels, logits)
        return original(labels, logits, *args, **kwargs)

    def differentiated(self, original: Any, tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        """Note the gradients that a loop takes, and that of its loss by the outputs."""
        if self.output is None or not self.seen.steps or self.seen.steps[-1].loss is not None:
            return original(tape, target, sources, *args, **kwargs)
        flat = tree.flatten(sources)
        found = original(tape, target, [*flat, self.output], *args, **kwargs)
        step = self.seen.steps[-1]
        penalty = sum(float(tf.convert_to_tensor(each)) for each in getattr(self.model, "losses", None) or ())
        loss = tf.add_n([tf.convert_to_tensor(each) for each in tree.flatten(target)])
        if loss.shape.rank:
            raise Unreadable(f"The loss is an array of shape {tuple(loss.shape)}, and it must be one number.")
        step.loss, step.penalty = float(loss) - penalty, penalty
        if found[-1] is not None:
            step.slope = self._canonical("", _array(found[-1]))
        return tree.pack_sequence_as(sources, found[:-1])

    def applied(self, original: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Note a step of one of Keras's optimizers."""
        if not self.seen.steps or self.seen.optimizer not in (None, optimizer):
            return original(optimizer, *args, **kwargs)
        self.seen.optimizer = optimizer
        self.seen.rates.append(keras_optimizers.rate_of(optimizer))
        with keras_optimizers.exact_constants():
            done = original(optimizer, *args, **kwargs)
        if len(self.seen.rates) >= self.n:
            raise Enough
        return done


def _array(tensor: Any) -> np.ndarray:
    made = np.array(tensor)
    return made.astype(np.float64) if made.dtype.kind == "f" else made
