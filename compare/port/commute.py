"""Normal forms that move reshapes and transposes out of the way of what computes.

A convolution of one pixel is a product: squeeze-and-excitation is written with either. A normalisation over the last
axis after a transpose is a normalisation over the axis that was moved there.
"""

from dataclasses import replace
from math import prod

from compare.graphs.node import Arrays, Node, Recording
from compare.port.difference import ARITHMETIC

UNARY = {
    *("Relu", "LeakyRelu", "Elu", "Celu", "Selu", "Gelu", "Swish", "Sigmoid", "Tanh", "Softplus", "Softsign", "Clip"),
    *("HardSigmoid", "HardSwish", "Mish", "LogSigmoid", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Square", "Dropout"),
}
ONE_AXIS = {"Gemm", "Softmax", "LogSoftmax", "BatchNormalization"}
REDUCING = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"}


def flatten_pixels(recording: Recording) -> Recording:
    """Turn convolutions of (N, C, 1, 1) by a kernel of 1, and activations after them, into products of (N, C)."""
    graph, values, weights = recording.graph, dict(recording.values), dict(recording.weights)
    flat: set[str] = set()  # nodes that are (N, C) by now
    nodes: list[Node] = []
    made: dict[tuple[str, str], str] = {}

    def as_flat(name: str) -> str:
        if name in flat:
            return name
        return other(name, "Flatten", {"axis": 1}, values[name].shape[:2])

    def as_image(name: str) -> str:
        if name not in flat:
            return name
        shape = graph[name].shape
        return other(name, "Reshape", {"shape": (-1, *shape[1:])}, shape)

    def other(name: str, kind: str, attributes: dict[str, object], shape: tuple[int, ...]) -> str:
        if (name, kind) not in made:
            made[name, kind] = new = f"{name}:{kind} of pixels"
            nodes.append(Node(new, kind, (name,), attributes, shape=shape))
            values[new] = values[name].reshape(shape)
        return made[name, kind]

    for node in graph.nodes:
        pixel = _is_pixel(node.shape) and len(node.inputs) == 1 and _is_pixel(graph[node.inputs[0]].shape)
        if pixel and node.kind == "Conv" and _of_one(node, recording):
            weights |= {f"{node.name}/W": weights[f"{node.name}/W"].reshape(weights[f"{node.name}/W"].shape[:2])}
            changed = replace(node, kind="Gemm", attributes={"axis": 1})
        elif pixel and node.kind in UNARY and node.inputs[0] in flat:
            changed = node
        else:
            nodes.append(replace(node, inputs=tuple(as_image(name) for name in node.inputs)))
            continue
        nodes.append(replace(changed, inputs=(as_flat(node.inputs[0]),), shape=node.shape[:2]))
        values[node.name] = values[node.name].reshape(node.shape[:2])
        flat.add(node.name)
    outputs = tuple(as_image(name) for name in graph.outputs)
    return replace(recording, graph=replace(graph, nodes=tuple(nodes), outputs=outputs), values=values, weights=weights)


def _is_pixel(shape: tuple[int, ...]) -> bool:
    return len(shape) > 2 and all(size == 1 for size in shape[2:])


def _of_one(node: Node, recording: Recording) -> bool:
    kernel = recording.weights[f"{node.name}/W"].shape if "W" in node.roles else ()
    return _is_pixel(kernel) and node.attributes.get("group", 1) == 1 and not any(node.attributes["pads"])


def sink_transposes(recording: Recording) -> Recording:
    """Move transposes behind nodes that treat one axis separately, or none; a mean over axes removes the transpose."""
    graph = recording.graph
    uses: dict[str, int] = {}
    for name in (*graph.outputs, *(name for node in graph.nodes for name in node.inputs)):
        uses[name] = uses.get(name, 0) + 1
    values: Arrays = dict(recording.values)
    weights: Arrays = dict(recording.weights)
    by_name: dict[str, Node] = {}
    stands_for: dict[str, str] = {}
    for old in graph.nodes:
        node = replace(old, inputs=tuple(stands_for.get(name, name) for name in old.inputs))
        scaled = _scaled(node, by_name, uses, recording)
        first = next((name for name in node.inputs if by_name[name].kind == "Transpose"), "") if scaled else ""
        turn = by_name.get(first or node.inputs[0]) if len(node.inputs) == 1 or scaled else None
        if turn is None or turn.kind != "Transpose" or uses[turn.name] != 1:
            by_name[node.name] = node
            continue
        perm = tuple(turn.attributes["perm"])
        moved: Node | None
        if scaled:
            moved = node
        elif node.kind in ("Flatten", "Reshape"):
            moved, perm = _reshaped(node, perm, values[turn.inputs[0]].shape)
        else:
            moved = _behind(node, perm)
        if moved is None:
            by_name[node.name] = node
            continue
        taken = tuple(turn.inputs[0] if name == turn.name else name for name in node.inputs)
        moved = replace(moved, inputs=taken)
        for key, array in scaled.items():
            name = key.rpartition("/")[0]
            by_name[name] = replace(by_name[name], shape=array.shape)
            values[name] = weights[key] = array
        if node.kind in REDUCING:
            by_name[node.name] = moved  # the remaining axes are in order: nothing has to be transposed
            del by_name[turn.name]
            continue
        back = tuple(perm.index(axis) for axis in range(len(perm)))
        values[node.name] = values[node.name].transpose(back)
        by_name[node.name] = replace(moved, shape=values[node.name].shape)
        del by_name[turn.name]
        by_name[turn.name] = replace(turn, inputs=(node.name,), attributes={"perm": perm}, shape=old.shape)
        values[turn.name] = recording.values[node.name]
        stands_for[node.name] = turn.name
        uses[turn.name], uses[node.name] = uses[node.name], 1
    outputs = tuple(stands_for.get(name, name) for name in graph.outputs)
    graph = replace(graph, nodes=tuple(by_name.values()), outputs=outputs)
    return replace(recording, graph=graph, values=values, weights=weights)


def _scaled(node: Node, by_name: dict[str, Node], uses: dict[str, int], recording: Recording) -> Arrays:
    """Return the parameter that a transposed value is combined with, in the order before the transpose. Return {} if
    there is no such parameter, or if it would have to be transposed itself."""
    taken = [by_name[name] for name in node.inputs]
    if node.kind not in ARITHMETIC or sorted(each.kind == "Transpose" for each in taken) != [False, True]:
        return {}
    own, turn = sorted(taken, key=lambda each: each.kind == "Transpose")
    if own.kind not in ("Parameter", "Constant") or uses[own.name] != 1 or turn.shape != node.shape:
        return {}
    array, rank = recording.weights[f"{own.name}/value"], len(node.shape)
    if array.ndim > rank:
        return {}
    perm = tuple(turn.attributes["perm"])
    full = (1,) * (rank - array.ndim) + array.shape
    before = tuple(full[perm.index(axis)] for axis in range(rank))
    if [size for size in before if size > 1] != [size for size in full if size > 1]:
        return {}
    return {f"{own.name}/value": array.reshape(before)}


def _reshaped(node: Node, perm: tuple[int, ...], before: tuple[int, ...]) -> tuple[Node | None, tuple[int, ...]]:
    """Return a reshape moved in front of the transpose before it, and the permutation of the transpose after it. Return
    None if the reshape joins axes that are not neighbours there. `before` is the shape in front of both."""
    turned = [axis for axis in perm if before[axis] > 1]
    wide = sorted(turned)
    places = [place for place, size in enumerate(node.shape) if size > 1]
    blocks: list[tuple[list[int], list[int]]] = []
    while turned and places:
        axes, made = [turned.pop(0)], [places.pop(0)]
        while (many := prod(before[axis] for axis in axes)) != (few := prod(node.shape[place] for place in made)):
            rest, taken = (turned, axes) if many < few else (places, made)
            if not rest:
                return None, perm
            taken.append(rest.pop(0))
        start = wide.index(axes[0])
        if axes != wide[start : start + len(axes)]:
            return None, perm
        blocks.append((axes, made))
    order = [place for _, made in sorted(blocks) for place in made]
    order += [place for place, size in enumerate(node.shape) if size == 1]
    if turned or places or order[:1] != [0] or before[0] != node.shape[0]:
        return None, perm
    shape = tuple(node.shape[place] for place in order)
    moved = replace(node, kind="Reshape", attributes={"shape": (-1, *shape[1:])})
    return moved, tuple(order.index(place) for place in range(len(order)))


def _behind(node: Node, perm: tuple[int, ...]) -> Node | None:
    """Return a node moved in front of the transpose before it; None if it cannot stand there."""
    a = dict(node.attributes)
    if node.kind in UNARY:
        return node
    if node.kind in ONE_AXIS:
        return replace(node, attributes=a | {"axis": perm[a["axis"]]})
    if node.kind in ("LayerNormalization", "RMSNormalization", "LpNormalization") and len(a["axes"]) == 1:
        return replace(node, attributes=a | {"axes": (perm[a["axes"][0]],)})
    if node.kind in REDUCING:
        kept = [perm[axis] for axis in range(len(perm)) if axis not in a["axes"]]
        if not a.get("keepdims") and kept == sorted(kept):
            return replace(node, attributes=a | {"axes": tuple(sorted(perm[axis] for axis in a["axes"]))})
    return None
