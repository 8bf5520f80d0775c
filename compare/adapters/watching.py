"""Watch one call: the common part for all frameworks that are watched operation by operation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from compare.adapters.shortest import shortest_array
from compare.adapters.steps import Trace, Weight
from compare.graphs.node import Attribute


class BaseWatch(ABC):
    """A trace that fills while the network runs within `watching`."""

    def __init__(self, training: bool) -> None:
        self.training = training
        self.trace = Trace(self._source, lambda: self.path[-1] if self.path else "")
        # The weight that a tensor was read from, by the tensor's identity; the tensor is included, to keep it alive.
        self.parameters: dict[int, tuple[Weight, Any]] = {}
        self.muted = 0
        self.path: list[str] = []
        self._held: list[Any] = []
        self._strange: set[int] = set()

    @abstractmethod
    def watching(self) -> AbstractContextManager[None]:
        """Watch the calls in this context."""

    @abstractmethod
    def copied(self, tensor: Any) -> Any:
        """Return the same numbers as another tensor."""

    @abstractmethod
    def array(self, tensor: Any) -> np.ndarray:
        """Return the array of a tensor."""

    @abstractmethod
    def hold(self, variable: Any, weight: Weight) -> None:
        """Register the weight in a variable."""

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Record nothing in this context."""
        self.muted += 1
        try:
            yield
        finally:
            self.muted -= 1

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        """Name calls in this context by `path`."""
        self.path.append(path)
        try:
            yield
        finally:
            self.path.pop()

    def name(self, kind: str, weight: Weight | None = None) -> str:
        """Return the name of an operation: its weight's owner if it has one, else the part that runs now."""
        path = self.path[-1] if self.path else ""
        if weight is not None:
            owner = weight.name.rpartition(".")[0]
            return owner if owner and self.trace.free(owner) else weight.name
        return f"{path}:{kind}" if path else kind

    def own(self, output: Any) -> Any:
        """Return `output` as a separate tensor, if a step already made it."""
        if self.trace.known(output) or id(output) in self.parameters:
            with self.mute():
                return self.copied(output)
        return output

    def function(
        self, name: str, meant: tuple[str, Mapping[str, Attribute]], x: Any, call: Callable[[Any], Any], layer: str
    ) -> Any:
        """Add the step of a known function of one tensor, and return its output."""
        with self.mute():
            output = self.own(call(x))
        again = self.unwatched(call)
        self.trace.add(name, meant[0], [x], output, "same", attributes=meant[1], layer=layer, call=again)
        return output

    def unwatched(self, call: Callable[..., Any]) -> Callable[[list[Any], bool], Any]:
        """Return a function of tensors in the form in which a step repeats it, without recording it."""

        def again(tensors: list[Any], training: bool) -> Any:
            with self.mute():
                return call(*tensors)

        return again

    def clear(self) -> None:
        """Drop all tensors, once the trace is read."""
        self.trace.clear()
        self._held.clear()

    def input(self, name: str, tensor: Any, last: bool) -> None:
        """Add one of the network's inputs."""
        self.trace.add(name, "Input", [], tensor, "input", last=last)

    def fresh(self, tensor: Any) -> bool:
        """Whether a tensor depends on neither an input nor a weight."""
        return not self.trace.known(tensor) and self.weight(tensor) is None

    def weight(self, tensor: Any) -> Weight | None:
        """Return the weight that a tensor holds, if it holds one."""
        known = self.parameters.get(id(tensor))
        if known is None and not self.trace.known(tensor) and id(tensor) not in self._strange:
            if (read := self._read(tensor)) is not None:
                self.derive(tensor, read)
                return read
            self._strange.add(id(tensor))
            self._held.append(tensor)
        return known[0] if known else None

    def _read(self, tensor: Any) -> Weight | None:
        """Return the weight that a tensor was read from in a way that shows no operation."""
        return None

    def derive(self, tensor: Any, weight: Weight) -> None:
        """Note that a tensor holds a weight."""
        self.parameters[id(tensor)] = (weight, tensor)

    def _source(self, tensor: Any) -> tuple[str, Weight]:
        if (weight := self.weight(tensor)) is not None:
            return "Constant" if weight.write is None else "Parameter", weight
        array = self.array(tensor)
        if self.trace.steps and "float64" in str(self.trace.steps[0].output.tensor.dtype):
            array = shortest_array(array)
        return "Constant", Weight(self.name("Constant"), lambda: array, None)
