"""The names of causes in recurrent layers and attention, and which differences are one cause together."""

from dataclasses import replace

import numpy as np

from compare.graphs.node import Node, Recording
from compare.graphs.operators.recurrent import GATES
from compare.port.difference import Difference, shown
from compare.port.sequences import MERGES, RECURRENT, RESHAPES

ATTENTION = {
    "num_heads": "attention.heads",
    "scale": "attention.scale",
    "is_causal": "attention.mask",
    "takes": "attention.mask",
    "dropout": "dropout.rate",
    "axis": "softmax.axis",
    "empty": "attention.mask",
}
ATTRIBUTES = {
    "direction": "rnn.direction",
    "activations": "rnn.activation",
    "linear_before_reset": "rnn.reset_after",
    "recurrent_dropout": "dropout.rate",
    "output": "rnn.sequences",
}
_BETWEEN = (*MERGES, *RESHAPES, "Slice", "Transpose", "Dropout")
_REDUCTIONS = ("ReduceMean", "ReduceSum", "ReduceMax", "GlobalAveragePool", "GlobalMaxPool")


def sources(name: str, recording: Recording) -> set[str]:
    """The recurrent layers that a node takes from, with nothing but joins and moves between."""
    found, ahead, seen = set(), [name], set()
    while ahead:
        one = ahead.pop()
        node = recording.graph[one]
        if node.kind in RECURRENT:
            found.add(one)
        elif one not in seen and (node.kind in (*_BETWEEN, *_REDUCTIONS)):
            ahead += node.inputs
        seen.add(one)
    return found


def cause_of(node: Node, name: str, theirs: Node) -> str:
    """The cause that another attribute of a recurrent layer or of attention is."""
    if node.kind == "Attention":
        return ATTENTION.get(name, f"attention.{name}")
    if name == "takes":
        masks = ["mask" in (each.attributes.get("takes") or ()) for each in (node, theirs)]
        return "rnn.mask" if masks[0] != masks[1] else "rnn.state"
    return ATTRIBUTES.get(name, f"rnn.{name}")


def of_slices(left: Recording, right: Recording, node_l: Node, node_r: Node) -> Difference | None:
    """Two pairs of slices that take other steps of a sequence; None if it is something else that they take."""
    if not sources(node_l.name, left) or node_l.attributes == node_r.attributes:
        return None
    values = ["step " + _steps(node) for node in (node_l, node_r)]
    names = ("axes", "starts", "ends", "steps")
    return Difference("rnn.sequences", node_l.name, node_r.name, values[0], values[1], "attributes", names)


def _steps(node: Node) -> str:
    starts, ends = node.attributes["starts"], node.attributes["ends"]
    single = len(starts) == 1 and ends[0] == starts[0] + 1
    return str(starts[0]) if single else f"{shown(starts)} to {shown(ends)}"


def unpaired_cause(node: Node, recording: Recording) -> str | None:
    """The cause that a node without a partner is, if it is about sequences."""
    if node.kind == "Transpose" and tuple(node.attributes["perm"])[:2] == (1, 0) and len(node.shape) == 3:
        return "sequence.batch_first"
    if scales_embedding(node, recording):
        return "embedding.scale"
    if (taker := masked_by(node.name, recording)) is not None:
        return "rnn.mask" if taker.kind in RECURRENT else "attention.mask"
    if node.kind in (*RESHAPES, "Transpose") and _beside_attention(node, recording):
        return "attention.heads"
    if not sources(node.name, recording):
        return None
    if node.kind in RECURRENT:
        return "rnn.direction" if node.attributes["direction"] == "reverse" else None
    if node.kind in ("Div", "Mul") and "scalar" in node.attributes:
        return "merge.kind"
    if node.kind == "Slice" and node.attributes["steps"] == (-1,):
        return "rnn.direction"
    if node.kind in ("Slice", *RESHAPES) or (node.kind in _REDUCTIONS and not _spatial(node)):
        return "rnn.sequences"
    return None


def scales_embedding(node: Node, recording: Recording) -> bool:
    """Whether an embedding is multiplied by a number, as by the root of its width."""
    scales = node.kind in ("Mul", "Div") and "scalar" in node.attributes
    return scales and recording.graph[node.inputs[0]].kind == "Gather"


def of_constant(node: Node, recording: Recording) -> str:
    """The cause that another constant is: added to a sequence, it says where in it something stands."""
    ahead, added = [node.name], False
    while ahead:
        name = ahead.pop()
        for other in recording.graph.nodes:
            if name in other.inputs and other.kind in ("Slice", *RESHAPES, "Transpose"):
                ahead.append(other.name)
            added |= name in other.inputs and other.kind == "Add" and len(other.shape) == 3
    return "position.encoding" if added else "constant.value"


def mask_cause(node: Node, mine: list[str], theirs: list[str]) -> str | None:
    """The cause that other inputs are, if it is only masks that a layer takes from elsewhere."""
    main = {"Attention": 3}.get(node.kind, 1)
    if node.kind not in (*RECURRENT, "Attention") or mine[:main] != theirs[:main]:
        return None
    return "attention.mask" if node.kind == "Attention" else "rnn.mask"


def masked_by(name: str, recording: Recording) -> Node | None:
    """A layer that a node is a mask of; None if something else takes it, too."""
    found, ahead, seen = None, [name], {name}
    while ahead:
        one = ahead.pop()
        takers = [node for node in recording.graph.nodes if one in node.inputs]
        if not takers or one in recording.graph.outputs:
            return None
        for taker in takers:
            main = {"Attention": 3}.get(taker.kind, 1)
            if taker.kind in (*RECURRENT, "Attention"):
                if one in taker.inputs[:main]:
                    return None
                found = taker
            elif taker.name not in seen:
                seen.add(taker.name)
                ahead.append(taker.name)
    return found


def _beside_attention(node: Node, recording: Recording) -> bool:
    """Whether nothing but moves stands between an attention and this, on either side."""
    moves = (*RESHAPES, "Transpose")
    before = recording.graph[node.inputs[0]]
    while before.kind in moves:
        before = recording.graph[before.inputs[0]]
    if before.kind == "Attention":
        return True
    ahead = [node.name]
    while ahead:
        name = ahead.pop()
        for other in recording.graph.nodes:
            if name in other.inputs:
                if other.kind == "Attention":
                    return True
                ahead += [other.name] if other.kind in moves else []
    return False


def _spatial(node: Node) -> bool:
    return len(node.shape) > 3


def of_weights(node: Node, role: str, a: np.ndarray, b: np.ndarray) -> str | None:
    """The cause that another weight of a recurrent layer is; None for any other layer."""
    if node.kind not in RECURRENT or a.shape != b.shape:
        return None
    n = GATES[node.kind]
    blocks = [np.split(array, n) for array in (a, b)] if role != "RB" else [[a], [b]]
    used = {next((k for k, block in enumerate(blocks[1]) if np.array_equal(block, mine)), -1) for mine in blocks[0]}
    if -1 not in used and len(used) == n > 1:
        return "rnn.gates"
    return "rnn.bias" if role in ("B", "RB") else None


def together(found: list[Difference], left: Recording, right: Recording) -> list[Difference]:
    """The differences, of which those that follow from another are named as it: a layer that runs backwards ends at
    another step, one with another order of axes is taken from along another one, and so on."""
    heads = {d.right for d in found if d.cause == "attention.heads"}
    found = [
        replace(d, cause="attention.heads") if d.cause == "attention.scale" and d.right in heads else d for d in found
    ]
    roots: dict[str, str] = {}
    ways = any(d.cause == "rnn.direction" and None in (d.left, d.right) for d in found)
    if ways:  # a direction that only one side has: whatever is taken of it is missing, too
        alone = [d for d in found if d.cause == "rnn.sequences" and None in (d.left, d.right)]
        found = [replace(d, cause="rnn.direction") if d in alone else d for d in found]
    for d in found:
        for name, recording in ((d.left, left), (d.right, right)):
            if name is None or recording.graph[name].kind not in (*RECURRENT, "Transpose"):
                continue
            if d.cause in ("rnn.direction", "rnn.reset_after", "rnn.sequences"):
                roots[_key(name, recording)] = d.cause
            if d.cause == "sequence.batch_first":
                takers = [node.name for node in recording.graph.nodes if name in node.inputs]
                for each in (*takers, *sources(name, recording)):
                    roots[_key(each, recording)] = d.cause
    if not roots:
        return found
    return [replace(d, cause=_root(d, roots, left, right) or d.cause) for d in found]


def _root(d: Difference, roots: dict[str, str], left: Recording, right: Recording) -> str | None:
    follows = ("rnn.sequences", "flatten.order", "channels.order", "rnn.bias", "layer.missing", "rnn.direction")
    for name, recording in ((d.left, left), (d.right, right)):
        if name is None or d.cause not in follows:
            continue
        found = {roots.get(_key(each, recording)) for each in sources(name, recording)} - {None}
        if d.cause == "rnn.bias":
            found &= {"rnn.reset_after"}
        if d.cause != "rnn.bias":
            found.discard("rnn.reset_after")
        if found - {"rnn.sequences"} or (found and d.cause == "flatten.order"):
            return min(each for each in found if each)
    return None


def _key(name: str, recording: Recording) -> str:
    return f"{id(recording)}:{name}"
