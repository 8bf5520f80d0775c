"""One call of a network as its framework made it: every operation with the framework's own tensors and axes.

An adapter writes a Trace while it watches; layouts.py makes the canonical recording of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from compare.adapters.changes import Change, apply, undo
from compare.graphs.node import Attribute

# The effect of a step on the layout of its inputs (layouts.py explains each).
RULES = (
    "input",
    "parameter",
    "spatial",
    "same",
    "product",
    "reduce",
    "squeeze",
    "unsqueeze",
    "reshape",
    "transpose",
    "concat",
    "native",
    "opaque",
)


@dataclass(frozen=True)
class Weight:
    """One weight: its owner's name of it, how to read and write the variable, how its array becomes the canonical one.

    `write` is None for a weight that cannot be set, such as a constant in the code.
    """

    name: str
    read: Callable[[], np.ndarray]
    write: Callable[[np.ndarray], None] | None
    changes: tuple[Change, ...] = ()
    fill: Callable[[Sequence[Change], np.ndarray], None] | None = None  # `write`, before undoing changes

    def then(self, *changes: Change) -> "Weight":
        """Return this weight with more changes after its own."""
        return replace(self, changes=(*self.changes, *changes))

    def set(self, array: np.ndarray) -> None:
        """Write the canonical array of a weight that can be set."""
        assert self.write is not None
        if self.fill is not None:
            self.fill(self.changes, array)
        else:
            self.write(undo(self.changes, array))

    def changed(self, array: np.ndarray) -> np.ndarray:
        """Return the canonical array of one in the framework's variable, as a view if possible."""
        return apply(self.changes, array)


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the framework. It is kept alive, which keeps its identity unique."""

    number: int
    tensor: Any
    shape: tuple[int, ...]

    def drop(self) -> None:
        """Drop the tensor, once its identity is no longer looked up."""
        object.__setattr__(self, "tensor", None)


@dataclass(eq=False)
class Step:
    """One operation of the call, with the framework's axes.

    `call` repeats it: from its inputs' tensors and whether it is in training mode, to the output's tensor. `within` is
    the path of the part of the network that ran.
    """

    name: str
    kind: str
    inputs: tuple[Value, ...]
    output: Value
    rule: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)
    layer: str = ""
    last: bool = False  # for a spatial step: whether its channels are last
    call: Callable[[list[Any], bool], Any] | None = None
    within: str = ""


class Trace:
    """The steps of one call, in order, and the values by the identity of their tensors."""

    def __init__(self, source: Callable[[Any], tuple[str, Weight]], within: Callable[[], str]) -> None:
        """`source` returns whether a tensor that no step made is a "Parameter" or "Constant", and its array. `within`
        returns the part of the network that runs."""
        self.steps: list[Step] = []
        self.values: dict[int, Value] = {}
        self.outputs: tuple[Value, ...] = ()
        self._source, self._within = source, within
        self._names: dict[str, int] = {}
        self._n_values = 0

    def known(self, tensor: Any) -> bool:
        """Return whether a step made this tensor."""
        return id(tensor) in self.values

    def name(self, wanted: str) -> str:
        """Return `wanted`, with the suffix ":2" and so on if it is taken."""
        number = self._names[wanted] = self._names.get(wanted, 0) + 1
        return wanted if number == 1 else f"{wanted}:{number}"

    def free(self, name: str) -> bool:
        """Return whether no step has this name."""
        return name not in self._names

    def new(self, tensor: Any) -> Value:
        """Return a new value for a tensor that a step has just made."""
        self._n_values += 1
        value = Value(self._n_values, tensor, tuple(int(size) for size in tensor.shape))
        self.values[id(tensor)] = value
        return value

    def clear(self) -> None:
        """Forget all steps and values. Their calls refer back here, and gigabytes would otherwise wait for the garbage
        collector."""
        self.steps, self.values, self.outputs = [], {}, ()

    def keep(self, tensor: Any, copy: Any) -> None:
        """Keep a step's output in `copy`, because its tensor is about to be changed in place."""
        value = self.values.pop(id(tensor))
        object.__setattr__(value, "tensor", copy)
        self.values[id(copy)] = value

    def value(self, tensor: Any) -> Value:
        """Return the value of a tensor; one that no step made becomes a constant."""
        if not self.known(tensor):
            kind, weight = self._source(tensor)
            self.add(weight.name, kind, [], tensor, "parameter", weights={"value": weight})
        return self.values[id(tensor)]

    def add(self, wanted: str, kind: str, inputs: Sequence[Any], output: Any, rule: str, **more: Any) -> Step:
        """Add a step with its input and output tensors. `more`: other fields of Step."""
        taken = tuple(self.value(tensor) for tensor in inputs)
        step = Step(self.name(wanted), kind, taken, self.new(output), rule, within=self._within(), **more)
        self.steps.append(step)
        return step
