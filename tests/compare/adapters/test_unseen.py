"""Values that only look constant are found by a second call with other inputs."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from compare.adapters.steps import Trace, Weight
from compare.adapters.unseen import hidden, other_inputs
from compare.graphs.node import Arrays


def a_call(given: Arrays) -> Any:
    """Return a call that hides a maximum and a factor, and has a real constant and a random number."""
    x = given["x"]
    sources = {"max": x.max(keepdims=True), "seven": np.full(1, 7.0), "drawn": np.random.default_rng().random(1)}

    def source(tensor: np.ndarray) -> tuple[str, Weight]:
        name = next(name for name, each in sources.items() if each is tensor)
        return "Constant", Weight(name, lambda: tensor, None)

    trace = Trace(source, lambda: "part")
    trace.add("x", "Input", [], x, "input")
    made = x
    for name, each in sources.items():
        made, before = made + each, made
        trace.add(f"add {name}", "Add", [before, each], made, "same")
    trace.add("times", "Mul", [made], made * 2.0, "same", attributes={"scalar": float(x.min())})
    trace.add("twice", "Mul", [made], made * 2.0, "same", attributes={"scalar": 2.0})
    return SimpleNamespace(trace=trace)


def test_a_number_that_changes_with_the_input_is_no_constant() -> None:
    _, steps = hidden(a_call, {"x": np.linspace(-1, 1, 6).reshape(2, 3)})
    assert [(step.name, step.within) for step in steps] == [("max", "part"), ("times", "part")]


def test_other_inputs_are_other_numbers_of_the_same_kind() -> None:
    inputs = {
        "x": np.linspace(-1, 1, 6).reshape(2, 3),
        "ids": np.array([[0, 1, 2], [3, 1, 1]]),
        "none": np.zeros((2, 0)),
    }
    others = other_inputs(inputs)
    assert np.array_equal(np.sign(others["x"]), np.sign(inputs["x"]))
    assert not np.isclose(others["x"], inputs["x"]).any()
    assert others["ids"].tolist() == [[3, 2, 1], [0, 2, 2]]
    assert {name: each.dtype for name, each in others.items()} == {name: each.dtype for name, each in inputs.items()}
