"""Normal forms of positions: a table looked up at 0, 1, 2 ... is a parameter, like one that is added directly."""

from dataclasses import replace

import numpy as np

from compare.graphs.node import Graph, Node, Recording
from compare.port.sequences import RESHAPES

MOVES = ("Slice", "Transpose", "Identity", *RESHAPES)


def folded_constants(recording: Recording) -> Recording:
    """Turn operations that only move a constant into constants."""
    nodes: list[Node] = []
    constant: set[str] = set()
    weights = dict(recording.weights)
    for node in recording.graph.nodes:
        made = node
        if node.kind == "Constant":
            constant.add(node.name)
        elif node.kind in MOVES and constant.issuperset(node.inputs):
            constant.add(node.name)
            made = replace(node, kind="Constant", inputs=(), attributes={}, roles=("value",))
            weights[f"{node.name}/value"] = recording.values[node.name]
        nodes.append(made)
    return replace(recording, graph=Graph(tuple(nodes), recording.graph.outputs), weights=weights)


def tables_of_positions(recording: Recording) -> Recording:
    """Replace a look-up of a table's first rows, for all examples alike and to be added, by the rows themselves."""
    nodes: list[Node] = []
    values, weights = dict(recording.values), dict(recording.weights)
    renamed = {}
    for node in recording.graph.nodes:
        if not _is_table(node, recording):
            nodes.append(node)
            continue
        table = weights.pop(f"{node.name}/W")
        weights[f"{node.name}/value"] = table
        length = node.shape[-2]
        nodes.append(replace(node, kind="Parameter", inputs=(), attributes={}, roles=("value",), shape=table.shape))
        values[node.name] = table
        if length < len(table):
            cut = {"axes": (0,), "starts": (0,), "ends": (length,), "steps": (1,)}
            rows = Node(f"{node.name}:rows", "Slice", (node.name,), cut, layer=node.layer, shape=table[:length].shape)
            nodes.append(rows)
            values[rows.name] = table[:length]
            renamed[node.name] = rows.name
    fixed = {node.name for node in nodes if node.kind in ("Parameter", "Constant") or node.name in renamed.values()}
    for node in list(nodes):  # with a new first axis it is added like the rows
        takers = [other.kind for other in nodes if node.name in other.inputs]
        first = node.kind == "Unsqueeze" and node.attributes["axes"] == (0,) and node.inputs[0] in fixed
        if first and takers and set(takers) == {"Add"} and node.name not in recording.graph.outputs:
            nodes.remove(node)
            renamed[node.name] = renamed.get(node.inputs[0], node.inputs[0])
    wired = [
        node if node.name in renamed.values() else replace(node, inputs=tuple(renamed.get(x, x) for x in node.inputs))
        for node in nodes
    ]
    return replace(recording, graph=Graph(tuple(wired), recording.graph.outputs), values=values, weights=weights)


def _is_table(node: Node, recording: Recording) -> bool:
    if node.kind != "Gather" or node.roles != ("W",) or node.name in recording.graph.outputs or len(node.inputs) != 1:
        return False
    index = recording.graph[node.inputs[0]]
    places = recording.values[index.name]
    takers = [other.kind for other in recording.graph.nodes if node.name in other.inputs]
    if index.kind != "Constant" or places.ndim not in (1, 2) or not set(takers) <= {"Add", "Unsqueeze"}:
        return False
    return bool(np.array_equal(places, np.broadcast_to(np.arange(places.shape[-1]), places.shape)))
