"""What an adapter of a framework that trains can do besides (adapter.py): a loss, and gradients of it.

A loss is a name that both frameworks have (loss_names.py), a reference to a loss or a function, or what the model was
compiled with.
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
    """A weight that can be trained, by its owner's name of it; `trained`: whether its owner lets it be."""

    name: str
    trained: bool


@dataclass(frozen=True)
class Gradients:
    """One call in training mode, differentiated.

    `loss` is that of the data alone, `penalty` what the model adds to it. `values` and `weights` have the gradients of
    the loss by node and by "NODE/ROLE", `penalties` those of what is added. `record` is what the loss is, if that is
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
    regularisers: Mapping[str, str] = field(default_factory=dict)  # of "NODE/ROLE", as they are written


class Learner(Protocol):
    """One model that can be differentiated."""

    def set_loss(self, name: str, reference: str) -> tuple[str, tuple[str, ...]]:
        """Take a loss by its name, by a reference to it, or, if both are empty, that of the compiled model. Return
        what it is called, and the forms of targets that it may take. Raises Unreadable."""
        ...

    def set_record(self, record: LossRecord) -> tuple[str, tuple[str, ...]]:
        """Take the loss that a record describes, which NumPy computes. Return as set_loss does."""
        ...

    def differentiate(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str) -> Gradients:
        """Call the model in training mode and differentiate its loss. Raises Unreadable if it cannot be."""
        ...


def referred(text: str, called: bool = True) -> Any:
    """What a reference to a loss or an optimizer names: called, if the reference is a call. With `called` False, what a
    call names comes with its arguments behind those that it is given later. Raises Unreadable."""
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
    """A function of what is given first; its other arguments are known."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self, first: Any) -> Any:
        return self.function(first, *self.args, **self.kwargs)


def by_record(record: LossRecord, outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss that a record describes, and its gradient by the outputs. Raises Unreadable if targets do not fit."""
    try:
        return value_and_gradient(record, outputs, targets)
    except (ValueError, IndexError) as error:
        raise Unreadable(f"The loss cannot be computed: {error}.") from None


def inputs_of(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """The inputs among the arrays of a request."""
    return {name.removeprefix("input/"): array for name, array in arrays.items() if name.startswith("input/")}
