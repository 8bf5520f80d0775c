"""The reference evaluator: it runs a graph in NumPy, which allows changing one thing while the rest stays.

It computes in the type of its inputs and weights; in float64 it agrees with the frameworks to about 1e-15. Kinds and
attributes: docs/port.md.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from compare.graphs.node import Arrays, Graph, Node
from compare.graphs.operators import OPERATORS, NoReference
from compare.graphs.operators.normalization import statistics

__all__ = ["NoReference", "evaluate", "evaluate_node", "statistics"]

Fallback = Callable[[Node, list[np.ndarray]], np.ndarray]


def evaluate_node(node: Node, inputs: Sequence[np.ndarray], weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the output of `node` for `inputs`, with `weights` by role. It can be a view of an input.

    Raises NoReference for an unknown kind or attribute value. Raises ValueError, with the node's name, if inputs,
    weights and attributes do not fit each other.
    """
    if (operator := OPERATORS.get(node.kind)) is None:
        raise NoReference(f"{node.name}: there is no reference for {node.kind}")
    try:
        with np.errstate(all="ignore"):
            return operator(node, inputs, weights)
    except KeyError as error:
        raise ValueError(f"{node.name} ({node.kind}) lacks {error}") from error
    except (ValueError, IndexError) as error:
        raise ValueError(f"{node.name} ({node.kind}): {error}") from error


def evaluate(
    graph: Graph,
    inputs: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
    fallback: Fallback | None = None,
    keep: bool = True,
    see: Callable[[str, np.ndarray], None] | None = None,
) -> Arrays:
    """Return the value of every node by its name; without `keep` only those of the outputs, to save memory. `see` is
    called once for every node, with its name and value.

    `inputs` are by the names of the nodes of kind Input, `weights` by "NODE/ROLE". `fallback` computes a node without a
    reference; without it NoReference is raised. Raises ValueError as `evaluate_node` does.
    """
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    values: Arrays = {}
    for node in graph.nodes:
        if node.kind == "Input":
            if node.name not in inputs:
                raise ValueError(f"there is no value for the input {node.name}")
            values[node.name] = inputs[node.name]
            if see is not None:
                see(node.name, values[node.name])
            continue
        given = [values[name] for name in node.inputs]
        own = {role: weights[f"{node.name}/{role}"] for role in node.roles if f"{node.name}/{role}" in weights}
        try:
            values[node.name] = evaluate_node(node, given, own)
        except NoReference:
            if fallback is None:
                raise
            values[node.name] = fallback(node, given)
        if see is not None:
            see(node.name, values[node.name])
        if not keep:
            del given
            for name in node.inputs:
                uses[name] -= 1
                if not uses[name] and name not in graph.outputs:
                    values.pop(name, None)
    return values if keep else {name: values[name] for name in graph.outputs}
