"""Watch a training function of the user's own while it runs for a few steps: `--fit FILE.py:train`.

The function takes the model and trains it in any way. The watcher records the batches that the model is called with,
the targets, the loss, the optimizer and its rates. The function ends after the requested number of steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.learner import referred
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays
from compare.rpc import port_messages as messages
from compare.rpc import wire

KEEPS = "gradients are not set to 0 between steps, so they add up over all steps"
FORM = "a function that takes the model and trains it, as def train(model): ..."


class Enough(BaseException):
    """The requested number of steps is reached; not an Exception, which a training function may catch."""


@dataclass
class SeenStep:
    """One step: the inputs by name, the targets in canonical layout, the outputs, and the gradient of the loss by them.
    Also the loss without what the model adds, and that addition (`penalty`)."""

    inputs: Arrays
    output: np.ndarray
    targets: np.ndarray | None = None
    slope: np.ndarray | None = None
    loss: float | None = None
    penalty: float = 0.0


@dataclass
class SeenFit:
    """Everything that was recorded. `optimizer` is the framework's own object, `rates` its learning rate in every step.
    `clipped` is how gradients were clipped outside of it, and the threshold. `data` says how batches are made, as far
    as that is known: "shuffle", "drop_last", "batch_size", "examples"."""

    steps: list[SeenStep] = field(default_factory=list)
    record: LossRecord | None = None
    axis: int = 1
    optimizer: Any = None
    rates: list[float] = field(default_factory=list)
    clipped: tuple[str, float] = ("", 0.0)
    data: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)


class Watcher(Protocol):
    """A watcher of training functions of one model."""

    seen: SeenFit  # of the last function

    def watch(self, train: Callable[[], Any], n: int) -> SeenFit:
        """Run `train` until it has taken `n` steps or ends, and record it. Afterwards the model is as it was at the
        first batch. Raises Unreadable if it was not trained."""
        ...

    @property
    def model(self) -> Any:
        """The argument of a training function."""
        ...


def fitted(watcher: Watcher, request: messages.Fit) -> tuple[messages.FunctionFitted, wire.Arrays]:
    """Carry out the request, and return the answer with its arrays. Raises Unreadable."""
    train = referred(request.reference, called=False)
    if not callable(train):
        raise Unreadable(f"{request.reference} is not a training function but {type(train).__name__}: give {FORM}.")
    model = watcher.model
    seen = watcher.watch(lambda: _run(train, model), request.steps)
    steps = [step for step in seen.steps if step.loss is not None][: request.steps]
    if not steps:
        raise Unreadable(
            f"{request.reference} trained nothing visible: it must call the model that it is given, and "
            f"differentiate a loss of the result. Give {FORM}."
        )
    if any(step.targets is None for step in steps):
        raise Unreadable(
            f"The targets of {request.reference} were not seen: the loss must get them as an array whose first "
            "axis is the examples."
        )
    arrays: Arrays = {}
    for number, step in enumerate(steps):
        arrays |= {f"x/{number}/{name}": array for name, array in step.inputs.items()}
        arrays |= {f"y/{number}": np.asarray(step.targets), f"output/{number}": step.output}
        if step.slope is not None:
            arrays[f"slope/{number}"] = step.slope
    answer = messages.FunctionFitted(
        losses=tuple(float(step.loss or 0.0) for step in steps),
        penalties=tuple(step.penalty for step in steps),
        record=None if seen.record is None else seen.record.body(),
        axis=seen.axis,
        optimizer="" if seen.optimizer is None else type(seen.optimizer).__name__,
        data=seen.data,
        notes=tuple(seen.notes),
    )
    return answer, arrays


def _run(train: Callable[..., Any], model: Any) -> None:
    try:
        with users_own():
            train(model)
    except Enough:
        return


def plain_targets(targets: np.ndarray) -> np.ndarray:
    """Return targets in a comparable form: one-hot rows as their classes, and (N, 1) classes as (N,)."""
    if targets.dtype == bool:
        targets = targets.astype(np.int64)
    rows = targets.ndim == 2 and targets.shape[1] > 1
    if rows and bool(((targets == 0) | (targets == 1)).all()) and bool((targets.sum(1) == 1).all()):
        classes: np.ndarray = targets.argmax(1).astype(np.int64)
        return classes
    if targets.dtype.kind in "iu":
        whole: np.ndarray = targets.astype(np.int64)
        return whole[:, 0] if whole.ndim == 2 and whole.shape[1] == 1 else whole
    return targets.astype(np.float64)


def input_names(stated: Mapping[str, Any] | None, n: int) -> list[str]:
    """Return the names of inputs: those that the model states, or their positions."""
    if stated and len(stated) == n:
        return list(stated)
    return [f"input{place or ''}" for place in range(n)]
