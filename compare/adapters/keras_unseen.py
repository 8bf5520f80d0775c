"""Layers of Keras with operations that no watch sees, such as a function compiled by JAX: each becomes one step."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.adapters.keras_backend import BACKEND
from compare.adapters.keras_known import known_of, own_kind
from compare.adapters.keras_watch import KerasWatch, Known
from compare.adapters.unseen import hidden
from compare.graphs.node import Arrays

Call = Callable[[Arrays], KerasWatch]


class Unseen:
    """The layers of a model that become one step each, because some of their operations are not seen."""

    def __init__(self) -> None:
        self._layers: dict[int, Any] = {}
        self._sought: set[bool] = set()  # in evaluation, in training

    def known(self, layer: Any) -> Known | None:
        """Return how a layer is recorded, as known_of does."""
        return own_kind if id(layer) in self._layers else known_of(layer)

    def seek(self, model: Any, call: Call, inputs: Mapping[str, np.ndarray], training: bool) -> None:
        """Find those layers, once in evaluation and once in training mode. `call` makes a watched call of the model.
        Raises Unreadable if an unseen operation is outside all layers. TensorFlow's operations are all seen."""
        if BACKEND == "tensorflow" or training in self._sought:
            return
        self._sought.add(training)
        while True:
            watch, steps = hidden(call, inputs)
            if not steps:
                return
            found = {id(layer): layer for layer in (watch.around(step.within) for step in steps)}
            if id(None) in found or id(model) in found or set(found) <= set(self._layers):
                raise Unreadable(
                    "Outside of its layers, the model computes from its input by functions that are invisible on "
                    f"{BACKEND}, such as NumPy's. Use functions of keras.ops there, or put that part into a layer of "
                    "its own."
                )
            self._layers |= found
