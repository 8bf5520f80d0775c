"""Differences between the graphs themselves: layers without a partner, in another order, or connected otherwise."""

from collections.abc import Iterator

from compare.graphs.node import Node, Recording
from compare.port.align import Alignment
from compare.port.difference import Difference, by_constant, near_input, spoken, where
from compare.port.sequence_causes import mask_cause, unpaired_cause

COMMUTATIVE = ("Add", "Mul", "Max", "Min")


def unpaired(left: Recording, right: Recording, alignment: Alignment, training: bool) -> Iterator[Difference]:
    rights = [right.graph[name] for name in alignment.right_only]
    for name in alignment.left_only:
        node = left.graph[name]
        if node.kind in ("Input", "Constant", "Parameter"):
            continue
        masked = next((r for r in rights if _is_masked_mean(node, r)), None)
        if masked is not None:
            rights.remove(masked)
            yield Difference("rnn.mask", name, masked.name, "of all steps", "of those that are no padding", "kind")
            continue
        twin = next((r for r in rights if r.kind == node.kind and _alike(node, left, r, right)), None)
        if twin is not None and node.kind not in ("Dropout", "Transpose", "Slice", "Cast"):
            rights.remove(twin)
            yield Difference("layer.order", name, twin.name, where(node), where(twin), "move")
            continue
        yield Difference(_unpaired_cause(node, left, training), name, None, spoken(node), "none", "insert")
    for node in rights:
        if node.kind not in ("Input", "Constant", "Parameter"):
            yield Difference(_unpaired_cause(node, right, training), None, node.name, "none", spoken(node), "bypass")


def _is_masked_mean(mean: Node, other: Node) -> bool:
    """Whether one is the mean of a sequence, and the other a mean under one of Keras's masks."""
    steps = mean.kind == "ReduceMean" and mean.attributes["axes"] == (1,) and len(other.inputs) == 1
    return steps and other.kind == "keras:GlobalAveragePooling1D" and mean.shape == other.shape


def _alike(a: Node, left: Recording, b: Node, right: Recording) -> bool:
    shapes = [
        [rec.weights[f"{node.name}/{role}"].shape for role in node.roles] for node, rec in ((a, left), (b, right))
    ]
    return shapes[0] == shapes[1] and (bool(shapes[0]) or a.attributes == b.attributes)


def _unpaired_cause(node: Node, recording: Recording, training: bool) -> str:
    if (cause := unpaired_cause(node, recording)) is not None:
        return cause
    if node.kind in ("Softmax", "LogSoftmax"):
        return "softmax.present"
    if node.kind == "Dropout":
        return "dropout.in_evaluation" if node.attributes.get("active") and not training else "layer.missing"
    if node.kind == "Cast":
        return "precision"
    if by_constant(node, recording) and near_input(node, recording):
        return "input.scale"
    if (node.kind == "Slice" and -1 in node.attributes["steps"]) or node.kind.endswith(
        (":flip", "Reverse", "ReverseV2")
    ):
        return "channels.order"
    if node.kind == "Transpose":
        takers = [other.kind for other in recording.graph.nodes if node.name in other.inputs]
        return "flatten.order" if set(takers) & {"Flatten", "Reshape"} else "channels.order"
    if node.kind == "Pad":
        return "padding.amount"
    return "layer.missing"


def wiring(left: Recording, right: Recording, alignment: Alignment) -> Iterator[Difference]:
    """Yield pairs whose inputs are not each other's partners; nodes without a partner are skipped."""
    to_right, to_left = alignment.to_right, alignment.to_left

    def through(name: str, recording: Recording, partners: dict[str, str]) -> str:
        while name not in partners and recording.graph[name].inputs:
            name = recording.graph[name].inputs[0]
        return name

    for name_l, name_r in alignment.pairs:
        node_l, node_r = left.graph[name_l], right.graph[name_r]
        mine = [to_right.get(through(name, left, to_right), "") for name in node_l.inputs]
        theirs = [through(name, right, to_left) for name in node_r.inputs]
        if node_l.kind in COMMUTATIVE or not (mine and theirs):
            mine, theirs = sorted(mine), sorted(theirs)
        if mine != theirs and len(mine) == len(theirs):
            cause = "channels.order" if node_l.kind == "Concat" and sorted(mine) == sorted(theirs) else "layer.order"
            cause = mask_cause(node_l, mine, theirs) or cause
            values = [f"takes {', '.join(node.inputs)}" for node in (node_l, node_r)]
            yield Difference(cause, name_l, name_r, values[0], values[1], "wiring")
