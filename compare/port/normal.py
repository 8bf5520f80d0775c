"""Normal forms: the same meaning, written differently by two frameworks, becomes the same graph.

Every rule maps a recording to one in which every node still has its value. Rules can therefore be applied in any
number. No rule changes what the network computes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from compare.graphs.node import Graph, Node, Recording, needed
from compare.port.attention import written_out
from compare.port.commute import REDUCING, flatten_pixels, sink_transposes
from compare.port.flattened import unturned_flattens
from compare.port.masks import named_masks
from compare.port.packed import split_products
from compare.port.pads import fold_pads, trim_convolutions
from compare.port.positions import folded_constants, tables_of_positions
from compare.port.rewriting import rewired
from compare.port.sequences import taken_from_sequences

RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
Rule = Callable[[Recording], Recording]


def normal_form(recording: Recording) -> Recording:
    """Return the recording in normal form."""
    for rule in RULES:
        recording = rule(recording)
    return needed(recording)


def _drop_identities(recording: Recording) -> Recording:
    """Remove nodes that pass their input on unchanged, and casts to integers or to the type that the value has."""
    stands_for, nodes = {}, []
    for node in recording.graph.nodes:
        types = {recording.values[name].dtype for name in (node.name, *node.inputs)}
        same_type = node.kind == "Cast" and (len(types) == 1 or all(each.kind in "iu" for each in types))
        alone = node.kind == "Concat" and len(node.inputs) == 1
        alone |= node.kind == "Slice" and node.shape == recording.graph[node.inputs[0]].shape and _forward(node)
        if node.kind == "Identity" or same_type or alone:
            stands_for[node.name] = node.inputs[0]
        else:
            nodes.append(node)
    return rewired(recording, nodes, stands_for)


def _forward(node: Node) -> bool:
    return all(step > 0 for step in node.attributes["steps"])


def _simple_kinds(recording: Recording) -> Recording:
    """Give operations with two names one of them."""
    nodes = []
    for node in recording.graph.nodes:
        spatial = recording.graph[node.inputs[0]].shape[2:] if node.inputs else ()
        nodes.append(_simple(node, spatial))
    return rewired(recording, nodes, {})


def _simple(node: Node, spatial: tuple[int, ...]) -> Node:
    a = node.attributes
    if node.kind == "Resize":  # attributes of another mode have no effect
        alien = {"nearest": "cubic_coeff_a antialias", "linear": "cubic_coeff_a nearest_mode", "cubic": "nearest_mode"}
        return replace(node, attributes={name: a[name] for name in a if name not in alien[a["mode"]].split()})
    if node.kind == "Softplus":  # beyond its threshold PyTorch drops less than 3e-9
        return replace(node, attributes={"beta": a["beta"], "threshold": None})
    if node.kind == "Clip" and a["min"] == 0 and a["max"] is None:
        return replace(node, kind="Relu", attributes={})
    if node.kind == "LeakyRelu" and a["alpha"] == 0:
        return replace(node, kind="Relu", attributes={})
    if node.kind == "Celu" and a["alpha"] == 1:
        return replace(node, kind="Elu")
    if node.kind == "AveragePool" and a["kernel_shape"] == spatial and not any(a["pads"]):
        return replace(node, kind="GlobalAveragePool", attributes={"keepdims": True})
    if node.kind == "AdaptiveAveragePool" and all(n % m == 0 for n, m in zip(spatial, a["output_size"], strict=True)):
        size = tuple(n // m for n, m in zip(spatial, a["output_size"], strict=True))
        pool = {"kernel_shape": size, "strides": size, "pads": (0,) * 2 * len(size), "ceil_mode": False}
        return replace(node, kind="AveragePool", attributes={**pool, "count_include_pad": True})
    if (
        node.kind in ("ReduceMean", "ReduceMax")
        and len(node.shape) >= 2
        and a["axes"] == tuple(range(2, 2 + len(spatial)))
        and spatial
    ):
        kind = "GlobalAveragePool" if node.kind == "ReduceMean" else "GlobalMaxPool"
        return replace(node, kind=kind, attributes={"keepdims": a["keepdims"]})
    return node


def _split_global_pools(recording: Recording) -> Recording:
    """Let a global pooling keep its axes, followed by a Flatten that removes them."""
    stands_for, nodes, values = {}, [], {}
    for node in recording.graph.nodes:
        if node.kind in ("GlobalAveragePool", "GlobalMaxPool") and not node.attributes["keepdims"]:
            n_spatial = len(recording.graph[node.inputs[0]].shape) - 2
            whole = (*node.shape, *(1,) * n_spatial)
            nodes.append(replace(node, attributes={"keepdims": True}, shape=whole))
            flat = f"{node.name}:Flatten"
            nodes.append(Node(flat, "Flatten", (node.name,), {"axis": 1}, layer="", shape=node.shape))
            values[flat] = recording.values[node.name]
            values[node.name] = recording.values[node.name].reshape(whole)
            stands_for[node.name] = flat
        else:
            nodes.append(node)
    renamed = []
    for node in nodes:  # the Flatten itself takes the pooling's output
        taken = tuple(stands_for.get(name, name) for name in node.inputs)
        if node.kind == "Flatten" and node.inputs and node.name == stands_for.get(node.inputs[0]):
            taken = node.inputs
        renamed.append(replace(node, inputs=taken))
    outputs = tuple(stands_for.get(name, name) for name in recording.graph.outputs)
    return replace(recording, graph=Graph(tuple(renamed), outputs), values=recording.values | values)


def _join_reshapes(recording: Recording) -> Recording:
    """Join chains of reshapes, and remove those that change nothing."""
    by_name = recording.graph.by_name
    stands_for, nodes = {}, []
    for node in recording.graph.nodes:
        if node.kind not in RESHAPES:
            nodes.append(node)
            continue
        source = node.inputs[0]
        while by_name[source].kind in RESHAPES:
            source = by_name[source].inputs[0]
        before = by_name[source].shape
        if before == node.shape:
            stands_for[node.name] = source
            continue
        kept = len(node.shape) - 1
        if kept >= 1 and node.shape[:kept] == before[:kept]:
            joined = replace(node, kind="Flatten", inputs=(source,), attributes={"axis": kept})
        else:
            whole = bool(before) and bool(node.shape) and before[0] == node.shape[0]
            shape = (-1, *node.shape[1:]) if whole else node.shape
            joined = replace(node, kind="Reshape", inputs=(source,), attributes={"shape": shape})
        nodes.append(joined)
    return rewired(recording, nodes, stands_for)


def _join_transposes(recording: Recording) -> Recording:
    """Join two transposes in a row, and remove those that change nothing. A transpose that only moves axes of length 1
    becomes a reshape."""
    by_name: dict[str, Node] = {}
    stands_for: dict[str, str] = {}
    nodes = []
    for old in recording.graph.nodes:
        node = replace(old, inputs=tuple(stands_for.get(name, name) for name in old.inputs))
        if node.kind == "Transpose":
            perm, source = tuple(node.attributes["perm"]), by_name[node.inputs[0]]
            if source.kind == "Transpose":
                perm = tuple(source.attributes["perm"][axis] for axis in perm)
                node = replace(node, inputs=source.inputs, attributes={"perm": perm})
            if perm == tuple(range(len(perm))):
                stands_for[node.name] = node.inputs[0]
                continue
            moved = [axis for axis in perm if recording.values[node.inputs[0]].shape[axis] > 1]
            if moved == sorted(moved):
                node = replace(node, kind="Reshape", attributes={"shape": node.shape})
        nodes.append(node)
        by_name[node.name] = node
    return rewired(recording, nodes, stands_for)


def _flatten_concats(recording: Recording) -> Recording:
    """Turn nested concatenations along one axis into one of all their parts."""
    by_name: dict[str, Node] = {}
    nodes = []
    for node in recording.graph.nodes:
        parts: list[str] = []
        for name in node.inputs:
            inner = by_name[name]
            same = node.kind == inner.kind == "Concat" and inner.attributes["axis"] == node.attributes["axis"]
            parts += inner.inputs if same else (name,)
        nodes.append(replace(node, inputs=tuple(parts)))
        by_name[node.name] = nodes[-1]
    return rewired(recording, nodes, {})


def _join_swish(recording: Recording) -> Recording:
    """Turn x * sigmoid(x) into Swish."""
    by_name = recording.graph.by_name
    nodes = []
    for node in recording.graph.nodes:
        taken = [by_name[name] for name in node.inputs] if node.kind == "Mul" else []
        gates = [gate for gate in taken if gate.kind == "Sigmoid" and {gate.name, *gate.inputs} == set(node.inputs)]
        joined = replace(node, kind="Swish", inputs=gates[0].inputs, attributes={}) if gates else node
        nodes.append(joined)
    return rewired(recording, nodes, {})


def _join_clips(recording: Recording) -> Recording:
    """Turn a maximum of a minimum, or the reverse, with numbers into Clip."""
    graph = recording.graph
    uses = Counter([*graph.outputs, *(name for node in graph.nodes for name in node.inputs)])
    return rewired(recording, [_clip(node, graph, uses) or node for node in graph.nodes], {})


def _clip(node: Node, graph: Graph, uses: Counter[str]) -> Node | None:
    if node.kind not in ("Max", "Min") or len(node.inputs) != 1:
        return None
    inner = graph[node.inputs[0]]
    if {inner.kind, node.kind} != {"Max", "Min"} or len(inner.inputs) != 1 or uses[inner.name] != 1:
        return None
    bounds = {each.kind: each.attributes["scalar"] for each in (inner, node)}
    if bounds["Max"] > bounds["Min"]:
        return None
    return replace(node, kind="Clip", inputs=inner.inputs, attributes={"min": bounds["Max"], "max": bounds["Min"]})


def _reduce_unflattened(recording: Recording) -> Recording:
    """Let a reduction over the axis that a Flatten has joined reduce the original axes."""
    nodes = [_of_the_whole(node, recording.graph) or node for node in recording.graph.nodes]
    return rewired(recording, nodes, {})


def _of_the_whole(node: Node, graph: Graph) -> Node | None:
    if node.kind not in REDUCING or node.attributes.get("keepdims"):
        return None
    flat = graph[node.inputs[0]]
    if flat.kind != "Flatten" or node.attributes["axes"] != (len(flat.shape) - 1,):
        return None
    axes = tuple(range(len(flat.shape) - 1, len(graph[flat.inputs[0]].shape)))
    return replace(node, inputs=flat.inputs, attributes={**node.attributes, "axes": axes})


RULES: tuple[Rule, ...] = (
    unturned_flattens,
    folded_constants,
    tables_of_positions,
    split_products,
    _drop_identities,
    sink_transposes,
    _reduce_unflattened,
    _join_clips,
    _simple_kinds,
    _split_global_pools,
    flatten_pixels,
    _join_transposes,
    needed,
    written_out,
    named_masks,
    needed,
    taken_from_sequences,
    _join_transposes,
    _join_reshapes,
    _join_transposes,
    _join_reshapes,
    _join_swish,
    needed,
    fold_pads,
    trim_convolutions,
    _flatten_concats,
)
