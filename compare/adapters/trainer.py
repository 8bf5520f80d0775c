"""The additional interface for a framework that trains (see learner.py): the steps of an optimizer.

An optimizer is a name that both frameworks have (graphs/optimizers.py), a reference to one or to a function that makes
one, or that of the compiled model. Requests about it are answered here, in the worker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from compare.adapters.fitting import SeenFit
from compare.adapters.learner import inputs_of
from compare.graphs.node import Arrays
from compare.graphs.optimizers import OptimizerRecord
from compare.rpc import port_messages as messages
from compare.rpc import wire
from compare.rpc.messages import Answer


@dataclass(frozen=True)
class Optimized:
    """The result of an optimizer for given gradients: the parameters by "NODE/ROLE" after its steps, its name, its
    record if that is known, and the parameters that it has. `copies`: for a parameter that is a sum, how many of its
    parts are trained, by element."""

    label: str
    record: OptimizerRecord | None
    after: Arrays
    held: tuple[str, ...]
    copies: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Stepped:
    """One step of training: the loss with what the model adds to it, and weights by "NODE/ROLE" after it."""

    loss: float
    after: Arrays


class Trainer(Protocol):
    """A model that can be trained."""

    seen: SeenFit | None  # of its training function, whose optimizer has the name SEEN

    def optimize(
        self, name: str, reference: str, gradients: Mapping[str, np.ndarray], steps: int, scale: float
    ) -> Optimized:
        """Give a new optimizer `steps` times gradients by "NODE/ROLE" of the last call (graphs.optimizers.gradient_at).
        The model is restored afterwards. Raises Unreadable."""
        ...

    def begin(self, name: str, reference: str) -> None:
        """Make a new optimizer for the following steps, and note the state of the model. Raises Unreadable."""
        ...

    def step(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str, wanted: Sequence[str]) -> Stepped:
        """Take one step of training as a user does: the loss, its gradients, and the optimizer. Nothing is dropped.
        Return the weights `wanted`. Raises Unreadable."""
        ...

    def end(self) -> None:
        """Restore the state that the model had at `begin`."""
        ...


def answered(
    trainer: Trainer, request: messages.Optimize | messages.TrainStep, arrays: wire.Arrays
) -> tuple[Answer, wire.Arrays]:
    """Carry out the request, and return the answer with its arrays. The model is restored even after a failure."""
    match request:
        case messages.Optimize(name=name, reference=reference, steps=steps, scale=scale):
            made = trainer.optimize(name, reference, arrays, steps, scale)
            record = None if made.record is None else made.record.body()
            sent = {f"after/{key}": array for key, array in made.after.items()}
            sent |= {f"copies/{key}": array for key, array in made.copies.items()}
            return messages.Optimized(label=made.label, record=record, held=made.held), sent
        case messages.TrainStep(name=name, reference=reference, first=first, last=last, form=form, wanted=wanted):
            if first:
                trainer.begin(name, reference)
            try:
                done = trainer.step(inputs_of(arrays), arrays["targets"], form, wanted)
            except BaseException:
                trainer.end()
                raise
            if last:
                trainer.end()
            return messages.Stepped(loss=done.loss), dict(done.after)
