"""One call of a network as its framework did it: every operation with the framework's own tensors and axes.

An adapter writes a Trace while it watches; layouts.py makes the canonical recording of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from compare.adapters.changes import Change, apply, undo
from compare.graphs.node import Attribute

# What a step does to the layout of its inputs (layouts.py holds what each means).
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

    `write` is None for what cannot be set, as a constant in the code.
    """

    name: str
    read: Callable[[], np.ndarray]
    write: Callable[[np.ndarray], None] | None
    changes: tuple[Change, ...] = ()
    fill: Callable[[Sequence[Change], np.ndarray], None] | None = None  # `write` of what changes are undone of

    def then(self, *changes: Change) -> "Weight":
        """Return this weight with more changes behind those it has."""
        return replace(self, changes=(*self.changes, *changes))

    def set(self, array: np.ndarray) -> None:
        """Write the canonical array of a weight that can be set."""
        assert self.write is not None
        if self.fill is not None:
            self.fill(self.changes, array)
        else:
            self.write(undo(self.changes, array))

    def changed(self, array: np.ndarray) -> np.ndarray:
        """Return the canonical array of one that the framework's variable can hold: a view of it if that can be."""
        return apply(self.changes, array)


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the framework. Held, so that its identity stays its own."""

    number: int
    tensor: Any
    shape: tuple[int, ...]

    def drop(self) -> None:
        """Let go of the tensor, once nothing is looked up by its identity any more."""
        object.__setattr__(self, "tensor", None)


@dataclass(eq=False)
class Step:
    """One operation of the call, with the framework's axes.

    `call` does it again: the tensors of its inputs and whether in training mode, to the output's tensor. `within` is
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
    last: bool = False  # of a spatial step: whether its channels are last
    call: Callable[[list[Any], bool], Any] | None = None
    within: str = ""


class Trace:
    """The steps of one call, in order, and the values by the identity of their tensors."""

    def __init__(self, source: Callable[[Any], tuple[str, Weight]], within: Callable[[], str]) -> None:
        """`source` says what a tensor is that no step made: "Parameter" or "Constant", and its array. `within` says
        which part of the network runs."""
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
        """Return `wanted`, with ":2" and so on behind it if it is taken."""
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
        """Forget all steps and values, which lead back here by their calls: else gigabytes wait for the garbage
        collector."""
        self.steps, self.values, self.outputs = [], {}, ()

    def keep(self, tensor: Any, copy: Any) -> None:
        """Keep what a step made in `copy`, since its tensor is about to be changed in place."""
        value = self.values.pop(id(tensor))
        object.__setattr__(value, "tensor", copy)
        self.values[id(copy)] = value

    def value(self, tensor: Any) -> Value:
        """Return the value of a tensor; one that no step made is a constant from here on."""
        if not self.known(tensor):
            kind, weight = self._source(tensor)
            self.add(weight.name, kind, [], tensor, "parameter", weights={"value": weight})
        return self.values[id(tensor)]

    def add(self, wanted: str, kind: str, inputs: Sequence[Any], output: Any, rule: str, **more: Any) -> Step:
        """Add a step with the tensors that it took and made. `more`: other fields of Step."""
        taken = tuple(self.value(tensor) for tensor in inputs)
        step = Step(self.name(wanted), kind, taken, self.new(output), rule, within=self._within(), **more)
        self.steps.append(step)
        return step
