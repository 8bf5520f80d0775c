"""Normal form of products whose input was flattened with its channels innermost, as in TensorFlow's layout.

In canonical layout a flattened image has its channels outermost. A user who writes `x.permute(0, 2, 3, 1).flatten(1)`
in PyTorch has a product whose columns are in TensorFlow's order: the same function, with the columns put in order.
"""

from dataclasses import replace

import numpy as np

from compare.graphs.node import Graph, Node, Recording

_PASSING = ("Identity", "Dropout")


def column_orders(recording: Recording) -> dict[str, np.ndarray]:
    """Return, by the name of each such product, the column of its weight for each canonical position."""
    return {name: order for name, (_, order) in _found(recording).items()}


def unturned_flattens(recording: Recording) -> Recording:
    """Return the recording with these columns in canonical order, after a Flatten of the image as it is."""
    found = _found(recording)
    weights, values = dict(recording.weights), dict(recording.values)
    flats: set[str] = set()
    for name, (chain, order) in found.items():
        weights[f"{name}/W"] = weights[f"{name}/W"][:, order]
        values |= {node.name: recording.values[node.name][:, order] for node in chain}
        flats.add(chain[0].name)
    nodes = []
    for node in recording.graph.nodes:
        if node.name in flats:
            turn = _image(recording, recording.graph[node.inputs[0]])
            nodes.append(replace(node, kind="Flatten", attributes={"axis": 1}, inputs=turn.inputs))
        else:
            nodes.append(node)
    return replace(recording, graph=Graph(tuple(nodes), recording.graph.outputs), values=values, weights=weights)


def _image(recording: Recording, node: Node) -> Node:
    """Return the node in front of a chain of identities."""
    while node.kind == "Identity":
        node = recording.graph[node.inputs[0]]
    return node


def _found(recording: Recording) -> dict[str, tuple[list[Node], np.ndarray]]:
    """Return each product after an image that is transposed and flattened, with the nodes in between and the order."""
    graph = recording.graph
    takers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            takers.setdefault(name, []).append(node)
    found = {}
    for flat in graph.nodes:
        if flat.kind not in ("Flatten", "Reshape") or len(flat.shape) != 2:
            continue
        turn = _image(recording, graph[flat.inputs[0]])
        rank = len(turn.shape)
        if turn.kind != "Transpose" or turn.shape[0] != flat.shape[0] or rank < 4:
            continue
        if tuple(turn.attributes["perm"]) != (0, *range(2, rank), 1):
            continue
        chain = [flat]
        while len(behind := takers.get(chain[-1].name, [])) == 1 and behind[0].kind in _PASSING:
            chain.append(behind[0])
        product = behind[0] if len(behind) == 1 and not {node.name for node in chain} & {*graph.outputs} else None
        if product is not None and product.kind == "Gemm" and product.attributes["axis"] == 1:
            places = np.arange(flat.shape[1]).reshape(turn.shape[1:])
            found[product.name] = (chain, np.moveaxis(places, -1, 0).ravel())
    return found
