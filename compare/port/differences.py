"""List every difference between two aligned networks. Each is a hypothesis, not yet a cause.

A difference names the cause that it may turn out to be (docs/port-a-model.md). It also says how to change the right
network to match the left one.
"""

from collections.abc import Iterator

import numpy as np

from compare.graphs.node import Node, Recording
from compare.port import sequence_causes
from compare.port.align import FAMILIES, Alignment
from compare.port.difference import Difference, near_input, shown, spoken
from compare.port.measure import distance
from compare.port.sequences import RECURRENT
from compare.port.unpaired import unpaired, wiring
from compare.port.weights import Transfer

CONSTANTS = 1e-12  # largest distance of two constants that count as equal
ACTIVATIONS, POOLS, NORMALIZATIONS, REDUCTIONS = FAMILIES[0], FAMILIES[1], FAMILIES[2], FAMILIES[-1]

# The cause, by kind and attribute.
_BY_ATTRIBUTE = {
    ("Conv", "strides"): "conv.stride",
    ("Conv", "dilations"): "conv.dilation",
    ("Conv", "group"): "conv.groups",
    ("Conv", "pad_mode"): "padding.mode",
    ("ConvTranspose", "strides"): "conv.stride",
    ("ConvTranspose", "dilations"): "conv.dilation",
    ("ConvTranspose", "group"): "conv.groups",
    ("ConvTranspose", "output_padding"): "deconv.output_padding",
    ("BatchNormalization", "epsilon"): "batch_norm.epsilon",
    ("BatchNormalization", "momentum"): "batch_norm.momentum",
    ("BatchNormalization", "unbiased"): "batch_norm.variance",
    ("BatchNormalization", "axis"): "batch_norm.axis",
    ("BatchNormalization", "training_mode"): "batch_norm.mode",
    ("LayerNormalization", "epsilon"): "layer_norm.epsilon",
    ("LayerNormalization", "axes"): "layer_norm.axes",
    ("RMSNormalization", "epsilon"): "layer_norm.epsilon",
    ("RMSNormalization", "axes"): "layer_norm.axes",
    ("LpNormalization", "axes"): "layer_norm.axes",
    ("GroupNormalization", "epsilon"): "group_norm.epsilon",
    ("GroupNormalization", "num_groups"): "group_norm.groups",
    ("Gelu", "approximate"): "activation.approximation",
    ("Softmax", "axis"): "softmax.axis",
    ("LogSoftmax", "axis"): "softmax.axis",
    ("Dropout", "ratio"): "dropout.rate",
    ("Dropout", "active"): "dropout.in_evaluation",
    ("Concat", "axis"): "concat.axis",
    ("Resize", "coordinate_transformation_mode"): "resize.corners",
    ("Resize", "antialias"): "resize.antialias",
    ("Resize", "mode"): "resize.mode",
    ("Resize", "nearest_mode"): "resize.mode",
    ("Resize", "cubic_coeff_a"): "resize.mode",
    ("Resize", "sizes"): "resize.size",
    ("DepthToSpace", "mode"): "channels.order",
    ("SpaceToDepth", "mode"): "channels.order",
    ("Gather", "padding_idx"): "embedding.padding",
    ("NotEqual", "scalar"): "attention.mask",
    ("NotEqual", "negated"): "attention.mask",
    ("Flatten", "axis"): "flatten.order",
    ("Reshape", "shape"): "flatten.order",
    ("Transpose", "perm"): "channels.order",
    ("Pad", "mode"): "padding.mode",
    ("Pad", "value"): "padding.mode",
    ("MaxPool", "pad_value"): "padding.mode",
}
_OF_POOLS = {"kernel_shape": "pool.size", "strides": "pool.size", "dilations": "pool.size", "ceil_mode": "pool.ceil"}
_OF_POOLS |= {"count_include_pad": "pool.include_pad", "output_size": "pool.size", "keepdims": "pool.size"}


_OF_RESIZE = ("sizes", "mode", "coordinate_transformation_mode", "antialias", "nearest_mode", "cubic_coeff_a")


def differences(
    left: Recording, right: Recording, alignment: Alignment, moved: Transfer, training: bool = False
) -> list[Difference]:
    """Return every difference between two aligned networks, in the order of the left one. Both were called in
    evaluation or in training mode."""
    found = [d for name_l, name_r in alignment.pairs for d in _of_pair(left, right, name_l, name_r)]
    found += _of_weights(left, right, alignment, moved)
    found += unpaired(left, right, alignment, training)
    found += wiring(left, right, alignment)
    found = sequence_causes.together(found, left, right)
    place = {node.name: k for k, node in enumerate(left.graph.nodes)}
    to_left = alignment.to_left
    order = {name: place.get(to_left.get(name, ""), -1) for name in (n.name for n in right.graph.nodes)}
    last = -1
    for node in right.graph.nodes:  # an unpaired node follows the nodes before it
        last = order[node.name] = max(order[node.name], last) if order[node.name] < 0 else order[node.name]
    return sorted(found, key=lambda d: place[d.left] if d.left is not None else order[d.right or ""])


def _of_pair(left: Recording, right: Recording, name_l: str, name_r: str) -> Iterator[Difference]:
    node_l, node_r = left.graph[name_l], right.graph[name_r]
    if {node_l.kind, node_r.kind} <= {"Parameter", "Constant"}:
        return
    if node_l.kind != node_r.kind:
        yield _of_kinds(left, node_l, node_r)
        return
    if ":" in node_l.kind:
        return  # unknown kinds are compared by their values alone
    if node_l.kind == "Slice" and (slices := sequence_causes.of_slices(left, right, node_l, node_r)):
        yield slices
        return
    a, b = node_l.attributes, node_r.attributes
    names = [name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name)]
    pads = tuple(name for name in names if name in ("pads", "output_padding"))
    if pads:
        yield _of_pads(left, right, node_l, node_r, pads)
    if node_l.kind == "Resize" and names:  # one of these attributes implies the others
        cause = next((_BY_ATTRIBUTE["Resize", name] for name in _OF_RESIZE if name in names), "resize.mode")
        values = [", ".join(shown(each[name]) for name in names if name in each) for each in (a, b)]
        yield Difference(cause, name_l, name_r, values[0], values[1], "attributes", tuple(names))
        return
    for name in names:
        if name not in pads and name != "scalar_first":
            recurrent = node_l.kind in (*RECURRENT, "Attention")
            cause = sequence_causes.cause_of(node_l, name, node_r) if recurrent else _cause_of(node_l, name, left)
            yield Difference(cause, name_l, name_r, shown(a.get(name)), shown(b.get(name)), "attributes", (name,))


def _cause_of(node: Node, name: str, left: Recording) -> str:
    if node.kind in POOLS and name in _OF_POOLS:
        return _OF_POOLS[name]
    if node.kind in ACTIVATIONS and (node.kind, name) not in _BY_ATTRIBUTE:
        return "activation.slope" if node.kind != "Clip" else "activation.kind"
    if name == "scalar":
        if sequence_causes.scales_embedding(node, left):
            return "embedding.scale"
        return "input.scale" if near_input(node, left) else "scale.value"
    return _BY_ATTRIBUTE.get((node.kind, name), f"{node.kind.lower()}.{name}")


def _of_kinds(left: Recording, node_l: Node, node_r: Node) -> Difference:
    cause = "layer.kind"
    if "scalar" in node_l.attributes and "scalar" in node_r.attributes and near_input(node_l, left):
        cause = "input.scale"
    elif node_l.kind in ACTIVATIONS and node_r.kind in ACTIVATIONS:
        cause = "activation.kind"
    elif any(node_l.kind in some and node_r.kind in some for some in (POOLS, REDUCTIONS)):
        cause = "pool.kind"
    elif node_l.kind in NORMALIZATIONS and node_r.kind in NORMALIZATIONS:
        cause = "norm.kind"
    elif {node_l.kind, node_r.kind} <= set(FAMILIES[3]):
        cause = "merge.kind"
    elif {node_l.kind, node_r.kind} <= set(RECURRENT):
        cause = "rnn.kind"
    elif {node_l.kind, node_r.kind} <= {"Flatten", "Reshape"}:
        cause = "flatten.order"
    return Difference(cause, node_l.name, node_r.name, spoken(node_l), spoken(node_r), "kind")


def _of_pads(left: Recording, right: Recording, node_l: Node, node_r: Node, names: tuple[str, ...]) -> Difference:
    used = [effective_pads(node, recording) for node, recording in ((node_l, left), (node_r, right))]
    totals = [tuple(a + b for a, b in zip(*both, strict=True)) for both in used]
    cause = "padding.side" if totals[0] == totals[1] else "padding.amount"
    if cause == "padding.amount" and node_l.kind == "ConvTranspose" and max(node_l.attributes["strides"]) > 1:
        cause = "deconv.output_padding"
    values = [", ".join(f"({b},{e})" for b, e in zip(*stated_pads(node), strict=True)) for node in (node_l, node_r)]
    return Difference(cause, node_l.name, node_r.name, values[0], values[1], "attributes", names)


def stated_pads(node: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the padding before and after each spatial axis; for a transposed convolution, what is cut off."""
    pads = node.attributes["pads"]
    n = len(pads) // 2
    begins, ends = tuple(pads[:n]), tuple(pads[n:])
    extra = node.attributes.get("output_padding") or (0,) * n
    return begins, tuple(end - more for end, more in zip(ends, extra, strict=True))


def effective_pads(node: Node, recording: Recording) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return `stated_pads`, without padding at an axis's end that no window reaches because of the stride."""
    begins, ends = stated_pads(node)
    if node.kind not in ("Conv", "MaxPool", "AveragePool"):
        return begins, ends
    kernel = node.attributes.get("kernel_shape") or recording.weights[f"{node.name}/W"].shape[2:]
    before, after = recording.graph[node.inputs[0]].shape[2:], node.shape[2:]
    strides = node.attributes["strides"]
    dilations = node.attributes.get("dilations") or (1,) * len(kernel)
    windows = zip(after, strides, dilations, kernel, before, begins, ends, strict=True)
    return begins, tuple(min(e, (o - 1) * s + d * (k - 1) + 1 - n - b) for o, s, d, k, n, b, e in windows)


def _of_weights(left: Recording, right: Recording, alignment: Alignment, moved: Transfer) -> Iterator[Difference]:
    to_right, to_left = alignment.to_right, alignment.to_left
    unlike = {at for pair in alignment.pairs if left.graph[pair[0]].kind != right.graph[pair[1]].kind for at in pair}
    for at in moved.left_only:
        name, _, role = at.rpartition("/")
        if name not in unlike:
            cause = _missing(left.graph[name], role)
            yield Difference(cause, name, to_right[name], "has one", "none", "weights", (role,))
    for at in moved.right_only:
        name, _, role = at.rpartition("/")
        if name not in unlike:
            cause = _missing(right.graph[name], role)
            yield Difference(cause, to_left[name], name, "none", "has one", "weights", (role,))
    for name_l, name_r, role in moved.unfit:
        shapes = [shown(rec.weights[f"{name}/{role}"].shape) for rec, name in ((left, name_l), (right, name_r))]
        if left.graph[name_l].kind == right.graph[name_r].kind:
            yield Difference("weights.shape", name_l, name_r, shapes[0], shapes[1], "weights", (role,))
    unfit = {(name_r, role) for _, name_r, role in moved.unfit}
    for name_l, name_r in alignment.pairs:
        for role in right.graph[name_r].roles:
            at_l, at_r = f"{name_l}/{role}", f"{name_r}/{role}"
            if at_l not in left.weights or (name_r, role) in unfit:
                continue
            a, b = left.weights[at_l], right.weights[at_r]
            if right.graph[name_r].kind == "Constant":
                if distance(b, a) > CONSTANTS:
                    cause = sequence_causes.of_constant(right.graph[name_r], right)
                    yield Difference(cause, name_l, name_r, "values of its own", "others", "weights", (role,))
                continue
            if a is not b and not np.array_equal(a.reshape(-1).astype(b.dtype, copy=False), b.reshape(-1)):
                cause = "weights.layout" if _rearranged(a, b) else "weights.value"
                cause = sequence_causes.of_weights(left.graph[name_l], role, a, b) or cause
                yield Difference(cause, name_l, name_r, f"{role} of its own", f"another {role}", "weights", (role,))


def _missing(node: Node, role: str) -> str:
    bias = "rnn.bias" if node.kind in RECURRENT else "bias.missing"
    return {"B": bias, "RB": bias, "scale": "scale.missing"}.get(role, "weights.missing")


def _rearranged(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether both hold the same values in different orders."""
    return a.size == b.size and np.array_equal(np.sort(a, axis=None), np.sort(b, axis=None).astype(a.dtype))
