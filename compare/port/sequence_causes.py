"""Name causes in recurrent layers and attention, and group the differences that have one cause."""

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
# Causes that can be consequences of another one.
FOLLOWING = {"rnn.sequences", "rnn.direction", "rnn.bias"}
FOLLOWING |= {"flatten.order", "channels.order", "layer.missing", "layer.order", "concat.axis"}
_BETWEEN = (*MERGES, *RESHAPES, "Slice", "Transpose", "Dropout")
_REDUCTIONS = ("ReduceMean", "ReduceSum", "ReduceMax", "GlobalAveragePool", "GlobalMaxPool")


def sources(name: str, recording: Recording) -> set[str]:
    """Return the recurrent layers that a node takes from, through joins and moves only."""
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
    """Return the cause for another attribute of a recurrent layer or of attention."""
    if node.kind == "Attention":
        return ATTENTION.get(name, f"attention.{name}")
    if name == "takes":
        masks = ["mask" in (each.attributes.get("takes") or ()) for each in (node, theirs)]
        return "rnn.mask" if masks[0] != masks[1] else "rnn.state"
    return ATTRIBUTES.get(name, f"rnn.{name}")


def of_slices(left: Recording, right: Recording, node_l: Node, node_r: Node) -> Difference | None:
    """Return the difference of two slices: other steps of a sequence, or another part. None if they take the same."""
    if node_l.attributes == node_r.attributes:
        return None
    values = ["step " + _steps(node) for node in (node_l, node_r)]
    names = ("axes", "starts", "ends", "steps")
    steps = bool(sources(node_l.name, left)) or (_one_step(node_l) and _one_step(node_r))
    if not steps:
        values = [", ".join(f"{name} {shown(node.attributes[name])}" for name in names) for node in (node_l, node_r)]
    cause = "rnn.sequences" if steps else "slice.place"
    return Difference(cause, node_l.name, node_r.name, values[0], values[1], "attributes", names)


def _one_step(node: Node) -> bool:
    """Whether a slice takes one step of a sequence, such as a token for the class."""
    starts, ends = node.attributes["starts"], node.attributes["ends"]
    return len(node.shape) == 3 and len(starts) == 1 and ends[0] == starts[0] + 1


def _steps(node: Node) -> str:
    starts, ends = node.attributes["starts"], node.attributes["ends"]
    single = len(starts) == 1 and ends[0] == starts[0] + 1
    return str(starts[0]) if single else f"{shown(starts)} to {shown(ends)}"


def unpaired_cause(node: Node, recording: Recording) -> str | None:
    """Return the cause for a node without a partner, if it concerns sequences."""
    if node.kind == "Transpose" and tuple(node.attributes["perm"])[:2] == (1, 0) and len(node.shape) == 3:
        taken = [recording.graph[name] for name in sources(node.name, recording)]
        turned = [_turned(recording.graph[each.inputs[0]], recording) for each in taken]
        return "sequence.batch_first" if not taken or any(turned) else "rnn.sequences"
    if scales_embedding(node, recording):
        return "embedding.scale"
    if _masks_scores(node, recording):
        return "attention.mask"
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


def _masks_scores(node: Node, recording: Recording) -> bool:
    """Whether it fills scores that a softmax should leave out, or says which ones."""
    takers = [other for other in recording.graph.nodes if node.name in other.inputs]
    if node.kind.endswith(":masked_fill"):
        return any(taker.kind == "Softmax" for taker in takers)
    fills = [taker.kind.endswith(":masked_fill") and _masks_scores(taker, recording) for taker in takers]
    return bool(fills) and all(fills)


def _turned(node: Node, recording: Recording) -> bool:
    """Whether time and batch were exchanged by this node or earlier."""
    while node.kind in (*_BETWEEN, *RECURRENT):
        if node.kind == "Transpose" and tuple(node.attributes["perm"])[:2] == (1, 0):
            return True
        node = recording.graph[node.inputs[0]]
    return False


def scales_embedding(node: Node, recording: Recording) -> bool:
    """Whether an embedding is multiplied by a number, such as the root of its width."""
    scales = node.kind in ("Mul", "Div") and "scalar" in node.attributes
    return scales and recording.graph[node.inputs[0]].kind == "Gather"


def of_constant(node: Node, recording: Recording) -> str:
    """Return the cause for another constant: if it is added to a sequence, it encodes positions."""
    ahead, added = [node.name], False
    while ahead:
        name = ahead.pop()
        for other in recording.graph.nodes:
            if name in other.inputs and other.kind in ("Slice", *RESHAPES, "Transpose"):
                ahead.append(other.name)
            added |= name in other.inputs and other.kind == "Add" and len(other.shape) == 3
    return "position.encoding" if added else "constant.value"


def mask_cause(node: Node, mine: list[str], theirs: list[str]) -> str | None:
    """Return the cause for other inputs if a layer only takes its masks from elsewhere."""
    main = {"Attention": 3}.get(node.kind, 1)
    if node.kind not in (*RECURRENT, "Attention") or mine[:main] != theirs[:main]:
        return None
    return "attention.mask" if node.kind == "Attention" else "rnn.mask"


def masked_by(name: str, recording: Recording) -> Node | None:
    """Return a layer that a node is a mask of; None if anything else takes it."""
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
    """Whether only moves stand between an attention and this node, on either side."""
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
    """Return the cause for another weight of a recurrent layer; None for any other layer."""
    if node.kind not in RECURRENT or a.shape != b.shape:
        return None
    n = GATES[node.kind]
    blocks = [np.split(array, n) for array in (a, b)] if role != "RB" else [[a], [b]]
    used = {next((k for k, block in enumerate(blocks[1]) if np.array_equal(block, mine)), -1) for mine in blocks[0]}
    if -1 not in used and len(used) == n > 1:
        return "rnn.gates"
    return "rnn.bias" if role in ("B", "RB") else None


def together(found: list[Difference], left: Recording, right: Recording) -> list[Difference]:
    """Return the differences, with consequences renamed to their causes. For example, a layer that runs backwards ends
    at another step, and other axes change where a step is taken."""
    heads = {d.right for d in found if d.cause == "attention.heads"}
    found = [
        replace(d, cause="attention.heads") if d.cause == "attention.scale" and d.right in heads else d for d in found
    ]
    sides = left, right
    roots: dict[tuple[int, str], str] = {}  # by the side and the name of a recurrent layer
    ways = any(d.cause == "rnn.direction" and None in (d.left, d.right) for d in found)
    if ways:  # if only one side has a direction, whatever is taken of it is missing, too
        alone = [d for d in found if d.cause == "rnn.sequences" and None in (d.left, d.right)]
        found = [replace(d, cause="rnn.direction") if d in alone else d for d in found]
    first = ("rnn.direction", "rnn.reset_after", "sequence.batch_first")
    for d in sorted(found, key=lambda d: d.cause in first):  # later entries overwrite earlier ones
        for side, name in enumerate((d.left, d.right)):
            if name is None or d.cause not in (*first, "rnn.sequences"):
                continue
            recording = sides[side]
            takers: set[str] = set()
            if d.cause == "sequence.batch_first":
                takers = {node.name for node in recording.graph.nodes if name in node.inputs}
            if d.cause in ("sequence.batch_first", "rnn.sequences"):
                takers |= sources(name, recording)
            if recording.graph[name].kind in RECURRENT:
                takers.add(name)
            roots |= {(side, each): d.cause for each in takers}
    if not roots:
        return found
    return [replace(d, cause=_root(d, roots, sides) or d.cause) for d in found]


def _root(d: Difference, roots: dict[tuple[int, str], str], sides: tuple[Recording, Recording]) -> str | None:
    """Return the cause in a recurrent layer that explains a difference after it, if there is one."""
    if d.cause not in FOLLOWING:
        return None
    for side, name in enumerate((d.left, d.right)):
        if name is None:
            continue
        recording = sides[side]
        names = (name, *(recording.graph[name].inputs if d.change == "wiring" else ()))
        taken = {each for one in names for each in sources(one, recording)}
        found = {roots.get((side, each)) for each in taken} - {None}
        if d.cause == "rnn.bias":
            found &= {"rnn.reset_after"}
        else:
            found.discard("rnn.reset_after")
        of_what = d.cause in ("flatten.order", "layer.order") or (d.cause == "concat.axis" and _of_other_rank(d, sides))
        if found - {"rnn.sequences"} or (found and of_what):
            return min(each for each in found if each)
    return None


def _of_other_rank(d: Difference, sides: tuple[Recording, Recording]) -> bool:
    """Whether one side joins states (N, H) and the other sequences (N, T, H), whose axes do not correspond."""
    ranks = {len(side.graph[name].shape) for side, name in zip(sides, (d.left, d.right), strict=True) if name}
    return len(ranks) > 1
