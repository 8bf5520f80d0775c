"""Find what a watch does not see: a "constant" that depends on the input is not one.

A tensor that no watched operation made is a constant in the code, or comes from the input through an unwatched
operation: a compiled function, one imported under its own name, or NumPy's. Two calls distinguish them. For other
inputs, a constant is the same.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from compare.adapters.steps import Step, Trace
from compare.adapters.watching import BaseWatch
from compare.graphs.node import Arrays
from shared import randomness

Watch = TypeVar("Watch", bound=BaseWatch)


def hidden(call: Callable[[Arrays], Watch], inputs: Mapping[str, np.ndarray]) -> tuple[Watch, list[Step]]:
    """Return the watch of a call, and its steps with a number that depends on the input in an unseen way. Random
    numbers are excluded, because they change with every call."""
    watch = call(dict(inputs))
    found = _changed_steps(watch.trace, call(other_inputs(inputs)).trace)
    random = _changed_steps(watch.trace, call(dict(inputs)).trace) if found else {}
    return watch, [step for name, step in found.items() if name not in random]


def other_inputs(inputs: Mapping[str, np.ndarray]) -> Arrays:
    """Return other numbers of the same shapes, types and signs, and within the same range."""
    found = {}
    for name, array in inputs.items():
        found[name] = array
        if array.size and array.dtype.kind == "f":
            factors = 0.5 + randomness.uniform(array.size, f"other {name}", 0).reshape(array.shape) / 2
            found[name] = (array * factors).astype(array.dtype)
        elif array.size and array.dtype.kind in "iu":
            found[name] = array.max() + array.min() - array
    return found


def _changed_steps(first: Trace, second: Trace) -> dict[str, Step]:
    """Return the steps of `first` with another number in `second`, a call of the same network, by name: constants, and
    steps with a number among their attributes."""
    others = {step.name: step for step in second.steps}
    return {step.name: step for step in first.steps if step.name in others and not _alike(step, others[step.name])}


def _alike(one: Step, other: Step) -> bool:
    if one.kind != other.kind:
        return True  # another path through the code: unknown
    if one.kind == "Constant":
        return _equal(one.weights["value"].read(), other.weights["value"].read())
    return all(_equal(value, other.attributes.get(name)) for name, value in one.attributes.items())


def _equal(a: object, b: object) -> bool:
    one, other = np.asarray(a), np.asarray(b)
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
