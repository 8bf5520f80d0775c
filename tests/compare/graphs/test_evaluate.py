"""Whole graphs in the reference evaluator."""

import numpy as np
import pytest

from compare.graphs.evaluate import NoReference, evaluate, evaluate_node
from compare.graphs.node import Graph, Node

X = np.array([[[[1.0, -2], [3, -4]]]])
GRAPH = Graph(
    (
        Node("x", "Input"),
        Node("conv", "Conv", ("x",), roles=("W", "B")),
        Node("relu", "Relu", ("conv",)),
        Node("sum", "Add", ("relu", "x")),
        Node("flat", "Flatten", ("sum",), {"axis": 1}),
    ),
    ("flat", "relu"),
)
WEIGHTS = {"conv/W": np.full((1, 1, 1, 1), 2.0), "conv/B": np.ones(1)}


def test_every_value_by_its_node() -> None:
    values = evaluate(GRAPH, {"x": X}, WEIGHTS)
    assert list(values) == ["x", "conv", "relu", "sum", "flat"]
    assert values["conv"].ravel().tolist() == [3, -3, 7, -7]
    assert values["flat"].tolist() == [[4, -2, 10, -4]]


def test_only_outputs_are_kept_if_nothing_else_is_wanted() -> None:
    everything, kept = evaluate(GRAPH, {"x": X}, WEIGHTS), evaluate(GRAPH, {"x": X}, WEIGHTS, keep=False)
    assert list(kept) == ["flat", "relu"]
    assert all(np.array_equal(everything[name], value) for name, value in kept.items())


def test_values_do_not_outlive_their_last_use() -> None:
    """At most two values of a chain are alive at the same time."""
    chain = Graph(
        (Node("x", "Input"), *(Node(f"n{k}", "own:next", (f"n{k - 1}" if k else "x",)) for k in range(5))), ("n4",)
    )
    alive: list[int] = []

    class Counted(np.ndarray):
        number = 0

        def __del__(self) -> None:
            Counted.number -= 1

    def fallback(_node: Node, _inputs: list[np.ndarray]) -> np.ndarray:
        Counted.number += 1
        alive.append(Counted.number)
        return np.zeros(1).view(Counted)

    evaluate(chain, {"x": np.zeros(1)}, {}, fallback, keep=False)
    assert max(alive) == 2


def test_a_kind_without_a_reference_falls_back() -> None:
    graph = Graph((Node("x", "Input"), Node("own", "torch:cumsum", ("x",)), Node("end", "Neg", ("own",))), ("end",))
    with pytest.raises(NoReference, match="own: there is no reference for torch:cumsum"):
        evaluate(graph, {"x": X}, {})
    asked = []

    def fallback(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
        asked.append(node.name)
        return inputs[0].cumsum(-1)

    assert evaluate(graph, {"x": X}, {}, fallback)["end"].ravel().tolist() == [-1, 1, -3, 1]
    assert asked == ["own"]


def test_parameters_and_constants_are_weights() -> None:
    graph = Graph((Node("p", "Parameter", roles=("value",)), Node("end", "Mul", ("p",), {"scalar": 3.0})), ("end",))
    assert evaluate(graph, {}, {"p/value": np.array([2.0])})["end"].tolist() == [6]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="there is no value for the input x"):
        evaluate(GRAPH, {}, WEIGHTS)
    with pytest.raises(ValueError, match=r"conv \(Conv\) lacks 'W'"):
        evaluate_node(GRAPH["conv"], [X], {})
