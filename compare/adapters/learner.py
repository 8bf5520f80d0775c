"""The additional interface for a framework that trains (see adapter.py): a loss, and its gradients.

A loss is a name that both frameworks have (loss_names.py), a reference to a loss or a function, or that of the compiled
model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.adapters.references import parse
from compare.graphs.losses import LossRecord, value_and_gradient
from compare.graphs.node import Arrays, Recording


@dataclass(frozen=True)
class Parameter:
    """A weight that can be trained, by its owner's name of it; `trained`: whether its owner allows it."""

    name: str
    trained: bool


@dataclass(frozen=True)
class Gradients:
    """One differentiated call in training mode.

    `loss` is that of the data alone, `penalty` what the model adds to it. `values` and `weights` are the gradients of
    the loss by node and by "NODE/ROLE", `penalties` those of the penalty. `record` is the loss's record, if it is
    known; `axis` is that of the classes.
    """

    recording: Recording
    loss: float
    penalty: float
    values: Arrays
    weights: Arrays
    penalties: Arrays
    parameters: Mapping[str, Parameter]
    record: LossRecord | None
    axis: int
    regularisers: Mapping[str, str] = field(default_factory=dict)  # by "NODE/ROLE", as text


class Learner(Protocol):
    """A model that can be differentiated."""

    def set_loss(self, name: str, reference: str) -> tuple[str, tuple[str, ...]]:
        """Set a loss by its name, by a reference to it, or, if both are empty, that of the compiled model. Return its
        name, and the forms of targets that it may take. Raises Unreadable."""
        ...

    def set_record(self, record: LossRecord) -> tuple[str, tuple[str, ...]]:
        """Set the loss of a record, which NumPy computes. Return as set_loss does."""
        ...

    def differentiate(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str) -> Gradients:
        """Call the model in training mode and differentiate its loss. Raises Unreadable if that fails."""
        ...


def referred(text: str, called: bool = True) -> Any:
    """Return what a reference to a loss or an optimizer names. If the reference is a call, it is called. With `called`
    False, it becomes a function whose first argument is given later. Raises Unreadable."""
    from compare.adapters.loading import named

    reference = parse(text)
    if reference.path is not None:
        raise Unreadable(f"{text} is a saved model. Give FILE.py:NAME or package.module:NAME.")
    if called or not reference.called:
        return named(reference)
    found = named(replace(reference, called=False))
    return Behind(found, reference.args, dict(reference.kwargs)) if callable(found) else found


@dataclass(frozen=True)
class Behind:
    """A function of its first argument; its other arguments are fixed."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self, first: Any) -> Any:
        return self.function(first, *self.args, **self.kwargs)


def by_record(record: LossRecord, outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss of a record, and its gradient by the outputs. Raises Unreadable if targets do not fit."""
    try:
        return value_and_gradient(record, outputs, targets)
    except (ValueError, IndexError) as error:
        raise Unreadable(f"The loss cannot be computed: {error}.") from None


def inputs_of(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Return the inputs among the arrays of a request."""
    return {name.removeprefix("input/"): array for name, array in arrays.items() if name.startswith("input/")}
