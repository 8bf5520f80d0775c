"""The functions of Keras's backends as steps: a table of what calls are, and "keras:NAME" for all others."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from compare.adapters.changes import Change, Permuted, Reshaped
from compare.adapters.shortest import shortest
from compare.adapters.steps import Weight
from compare.adapters.watching import BaseWatch
from compare.graphs.node import Attribute

# Functions of functions, whose parts are recorded, and functions without a value of the network.
NOT_WATCHED = {
    "convert_to_numpy", "is_tensor", "shape", "compute_output_spec", "cond", "vectorized_map", "map", "scan",
    "associative_scan", "switch", "while_loop", "fori_loop", "random_seed_dtype", "custom_gradient", "remat",
    "device_scope", "get_device", "to_torch_dtype", "ndim", "size", "vectorize", "should_shard_at_init",
    "zeros_like", "ones_like", "empty_like", "full_like", "zeros", "ones", "empty", "full",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Called:
    """One call of a function: its name ("keras:add", or "torch:relu" if it is the framework's own), its arguments, the
    tensors among them, and one of its results, by number."""

    name: str
    original: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    made: Any
    output: Any
    number: int
    given: list[Any]

    @property
    def base(self) -> str:
        """The function's own name, if it is Keras's."""
        return self.name.removeprefix("keras:") if self.name.startswith("keras:") else ""

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments by name, with defaults. Those of operators are args_0, args_1."""
        try:
            bound = inspect.signature(self.original).bind(*self.args, **self.kwargs)
        except (TypeError, ValueError):
            return {f"args_{place}": each for place, each in enumerate(self.args)} | dict(self.kwargs)
        bound.apply_defaults()
        return bound.arguments

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument."""
        return self.arguments.get(name, default)

    @property
    def rank(self) -> int:
        """The number of axes of the first tensor."""
        return len(self.given[0].shape)


@dataclass(frozen=True)
class Meaning:
    """What a call is: its step, with the tensors that are data."""

    kind: str
    inputs: Sequence[Any]
    rule: str = "same"
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)
    last: bool = False


Reader = Callable[[BaseWatch, Called], Meaning | None]
READERS: dict[str, Reader] = {}

_ELEMENTWISE = {
    "cos", "sin", "tan", "arccos", "arcsin", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "sign",
    "floor", "ceil", "round", "expm1", "log1p", "log2", "log10", "erfc", "isnan", "isinf", "isfinite", "logical_not",
    "logical_and", "logical_or", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "where",
    "floor_divide", "mod", "arctan2",
}  # fmt: skip


def reader(*names: str) -> Callable[[Reader], Reader]:
    """Register a function that reads calls of these names."""

    def register(function: Reader) -> Reader:
        READERS.update(dict.fromkeys(names, function))
        return function

    return register


def read(watch: BaseWatch, call: Called) -> Meaning | None:
    """Return what a call is; None if its reader has added all its steps."""
    if call.base in READERS and isinstance(meant := READERS[call.base](watch, call), Meaning | None):
        return meant
    unique = list({id(each): each for each in call.given}.values())
    plain = {name: value for name, value in call.arguments.items() if isinstance(value, bool | int | float | str)}
    rule = "same" if call.base in _ELEMENTWISE else "opaque"
    return Meaning(call.name + (f".{call.number}" if call.number else ""), unique, rule, plain)


def reordered(call: Called) -> Sequence[Change] | None:
    """Return how a call changes the layout of its only tensor; None if it does anything else."""
    before, after = (tuple(int(size) for size in each.shape) for each in (call.given[0], call.output))
    if call.base in ("convert_to_tensor", "copy", "stop_gradient", "cast"):
        return ()
    if call.base in ("reshape", "expand_dims", "squeeze", "ravel"):
        return (Reshaped(before, after),)
    if call.base in ("transpose", "swapaxes", "moveaxis"):
        return (Permuted(order_of(call)),)
    return None


def order_of(call: Called) -> tuple[int, ...]:
    """Return the axis of a transpose's tensor for each axis of its result."""
    places = np.empty(tuple(range(1, call.rank + 1)), np.int8)  # sizes that distinguish the axes
    function: Any = {"transpose": np.transpose, "swapaxes": np.swapaxes, "moveaxis": np.moveaxis}[call.base]
    rest = list(call.arguments.values())[1:]
    return tuple(size - 1 for size in function(places, *rest).shape)


def is_scalar(watch: BaseWatch, value: Any) -> bool:
    """Whether an argument is a number in the code."""
    if isinstance(value, bool | int | float | np.number):
        return True
    return hasattr(value, "shape") and len(value.shape) == 0 and watch.fresh(value)


def scalar(value: Any) -> float:
    """Return the number of an argument as its author wrote it."""
    return shortest(ops.convert_to_numpy(value) if hasattr(value, "shape") else value)
