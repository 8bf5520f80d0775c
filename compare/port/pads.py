"""Rules of the normal form about padding: padding next to a convolution or pooling becomes part of it."""

from dataclasses import replace

import numpy as np

from compare.graphs.node import Node, Recording
from compare.port.rewriting import rewired


def fold_pads(recording: Recording) -> Recording:
    """Merge a padding into the convolution or pooling that alone takes it."""
    by_name = recording.graph.by_name
    n_uses: dict[str, int] = {}
    for name in [*recording.graph.outputs, *(name for node in recording.graph.nodes for name in node.inputs)]:
        n_uses[name] = n_uses.get(name, 0) + 1
    nodes, folded = [], {}
    for node in recording.graph.nodes:
        pad = by_name[node.inputs[0]] if node.inputs else None
        if pad is not None and pad.kind == "Pad" and n_uses[pad.name] == 1 and (own := _padded(node, pad)) is not None:
            folded[pad.name] = pad.inputs[0]
            nodes.append(own)
        else:
            nodes.append(node)
    return rewired(recording, [node for node in nodes if node.name not in folded], folded)


def _padded(node: Node, pad: Node) -> Node | None:
    """Return `node` with the padding in front of it included; None if that is impossible."""
    pads, n = pad.attributes["pads"], len(pad.shape)
    begins, ends = pads[2:n], pads[n + 2 :]
    if any(pads[:2]) or any(pads[n : n + 2]) or min(pads, default=0) < 0:
        return None
    mode, value = pad.attributes["mode"], pad.attributes.get("value", 0.0)
    own = node.attributes.get("pads", ())
    a = dict(node.attributes)
    if node.kind == "Conv" and mode == "constant" and value == 0 and a["pad_mode"] == "constant":
        total = tuple(x + y for x, y in zip(own, (*begins, *ends), strict=True))
        return replace(node, attributes=a | {"pads": total})
    if any(own):
        return None
    if node.kind == "Conv" and mode in ("reflect", "edge", "wrap"):
        named = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)
        return replace(node, attributes=a | {"pads": (*begins, *ends), "pad_mode": named})
    if mode == "constant" and node.kind == "MaxPool":
        low = None if value is None or np.isneginf(value) else float(value)
        return replace(node, attributes=a | {"pads": (*begins, *ends), "pad_value": low})
    if mode == "constant" and value == 0 and node.kind == "AveragePool":
        return replace(node, attributes=a | {"pads": (*begins, *ends), "count_include_pad": True})
    return None


def trim_convolutions(recording: Recording) -> Recording:
    """Reduce a convolution's padding by what is cut off its output at the ends of an axis."""
    by_name = recording.graph.by_name
    takers: dict[str, int] = {}
    for name in [*recording.graph.outputs, *(name for node in recording.graph.nodes for name in node.inputs)]:
        takers[name] = takers.get(name, 0) + 1
    nodes: list[Node] = []
    trimmed: dict[str, str] = {}
    for node in recording.graph.nodes:
        conv = by_name[node.inputs[0]] if node.kind == "Slice" else None
        if conv is not None and conv.kind == "Conv" and takers[conv.name] == 1 and (own := _trimmed(node, conv)):
            nodes[nodes.index(conv)] = own
            trimmed[node.name] = conv.name
        else:
            nodes.append(node)
    values = {conv: recording.values[name] for name, conv in trimmed.items()}
    return rewired(recording, nodes, trimmed, values)


def _trimmed(cut: Node, conv: Node) -> Node | None:
    """Return the convolution with its padding reduced by what is cut off after it; None if that is not possible."""
    a, n = conv.attributes, len(conv.shape) - 2
    pads = list(a["pads"])
    spans = zip(*(cut.attributes[name] for name in ("axes", "starts", "ends", "steps")), strict=True)
    for axis, start, end, step in spans:
        length = conv.shape[axis]
        behind = length - (length if end is None else end)
        if axis < 2 or step != 1 or a["strides"][axis - 2] != 1 or a["pad_mode"] != "constant":
            return None
        pads[axis - 2] -= start
        pads[axis - 2 + n] -= behind
    return None if min(pads) < 0 else replace(conv, attributes={**a, "pads": tuple(pads)}, shape=cut.shape)
