"""Normal forms of attention: written out by hand it is one node, and a mask is named by what it is made from."""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np

from compare.graphs.evaluate import evaluate_node
from compare.graphs.node import Attribute, Graph, Node, Recording
from compare.graphs.operators.attention import kept
from compare.port.sequences import RECURRENT, RESHAPES

MASKED = -1e4  # a score below this is one that a mask took away
LONGEST = 8  # operations between a product and its softmax
_SCALING = ("Mul", "Div")
_MOVES = (*RESHAPES, "Transpose", "Identity")


def written_out(recording: Recording) -> Recording:
    """Products with a softmax between them as one Attention each."""
    work = _Work(recording)
    for node in recording.graph.nodes:
        if node.kind == "Softmax" and len(node.shape) in (3, 4):
            work.fuse(node)
    return work.result()


def named_masks(recording: Recording) -> Recording:
    """Masks by what they are made from: no place takes from a later one, or some integer of the input is padding."""
    if not any(node.kind in ("Attention", *RECURRENT) for node in recording.graph.nodes):
        return recording
    work = _Work(recording)
    for node in list(work.nodes):
        if node.kind in ("Constant", "Mask") and len(node.shape) == 2 and not work.values[node.name].all():
            for source, number, negated in work.padding(work.values[node.name] != 0):
                work.stand_for(node.name, work.not_equal(source, number, negated))
                break
    for node in list(work.nodes):
        if node.kind == "Attention":
            work.name_mask(node)
        elif node.kind in RECURRENT and (node.attributes.get("takes") or ())[:1] == ("mask",):
            work.drop_empty_mask(node)
    return work.result()


class _Work:
    """A recording while its attention is rewritten."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.nodes = list(recording.graph.nodes)
        self.values = dict(recording.values)
        self.outputs = list(recording.graph.outputs)

    @property
    def by_name(self) -> dict[str, Node]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def result(self) -> Recording:
        """The recording as it is now."""
        return replace(self.recording, graph=Graph(tuple(self.nodes), tuple(self.outputs)), values=self.values)

    def uses(self, name: str) -> list[Node]:
        """What takes a node's output."""
        return [node for node in self.nodes if name in node.inputs]

    def alone(self, name: str) -> Node | None:
        """The one node that takes a node's output; None if there are more, or if it is the network's."""
        takers = self.uses(name)
        return takers[0] if len(takers) == 1 and name not in self.outputs else None

    def stand_for(self, name: str, other: str) -> None:
        """Let everything take another node in place of one."""
        self.nodes = [
            replace(node, inputs=tuple(other if each == name else each for each in node.inputs)) for node in self.nodes
        ]
        self.outputs = [other if each == name else each for each in self.outputs]

    def put(self, node: Node, inputs_first: bool = True) -> Node:
        """Add a node in front of what takes it, with its value."""
        value = np.asarray(evaluate_node(node, [self.values[name] for name in node.inputs], {}))
        self.values[node.name] = value
        made = replace(node, shape=tuple(value.shape))
        place = max(k for k, other in enumerate(self.nodes) if other.name in node.inputs) + 1
        self.nodes.insert(place, made)
        return made

    def padding(self, keep: np.ndarray) -> Iterator[tuple[str, int, bool]]:
        """The inputs of integers of which `keep` (N, T) says where they are not some number, and this number; or where
        they are it."""
        for node in self.nodes:
            ids = self.values[node.name]
            if node.kind != "Input" or ids.dtype.kind not in "iu" or ids.shape != keep.shape:
                continue
            for negated, some in ((False, set(ids[~keep].tolist()) or {0}), (True, set(ids[keep].tolist()))):
                for number in sorted(some):
                    if np.array_equal((ids == number) if negated else (ids != number), keep):
                        yield node.name, int(number), negated

    def not_equal(self, source: str, number: int, negated: bool) -> str:
        """The node that says where an input is not a number."""
        name = f"{source}:mask" + (f" of {number}" if number else "") + (" alone" if negated else "")
        if name not in self.by_name:
            attributes = {"scalar": number, "negated": negated}
            self.put(Node(name, "NotEqual", (source,), attributes, layer="mask"))
        return name

    def drop_empty_mask(self, node: Node) -> None:
        """A recurrent layer without its mask, if that leaves nothing out."""
        if self.values[node.inputs[1]].all():
            attributes = {**node.attributes, "takes": node.attributes["takes"][1:]}
            alone = replace(node, inputs=(node.inputs[0], *node.inputs[2:]), attributes=attributes)
            self.nodes = [alone if each.name == node.name else each for each in self.nodes]

    def name_mask(self, node: Node) -> None:
        """The masks of an attention as `is_causal`, `keys` and `queries`, if they are that."""
        q, k = (self.values[name] for name in node.inputs[:2])
        heads = int(node.attributes["num_heads"])
        shape = (len(q), heads, q.shape[1], k.shape[1])
        takes = tuple(node.attributes.get("takes") or ())
        taken = {name: self.values[each] for name, each in zip(takes, node.inputs[3:], strict=True)}
        scale = _snapped(float(node.attributes["scale"]), q.shape[-1] // heads)
        attributes: dict[str, Attribute] = {**node.attributes, "scale": scale}
        inputs = node.inputs
        keep = kept(taken, shape, bool(node.attributes["is_causal"]))
        if keep is None or keep.any(-1).all():
            attributes.pop("empty", None)
        if keep is not None and (found := self.meant(keep)) is not None:
            causal, more = found
            other = {name: each for name, each in zip(takes, node.inputs[3:], strict=True) if name == "bias"}
            attributes |= {"is_causal": causal, "takes": (*other, *more)}
            inputs = (*node.inputs[:3], *other.values(), *more.values())
        named = replace(node, attributes=attributes, inputs=inputs)
        self.nodes = [named if each.name == node.name else each for each in self.nodes]
        self.nodes = _sorted(self.nodes)

    def meant(self, keep: np.ndarray) -> tuple[bool, dict[str, str]] | None:
        """What a mask (N, H, T, S) is: whether it is causal, and the nodes of what else is left out; None if it is
        something else."""
        n, _, t, s = keep.shape
        for causal in (False, True):
            tri = np.tri(t, s, dtype=bool) if causal else np.ones((t, s), bool)
            if np.array_equal(keep, np.broadcast_to(tri, keep.shape)):
                return causal, {}
        # The last place takes from all keys that are kept, and so tells which; a row that is left out has none.
        keys = keep.any((1, 2))
        for source, number, negated in self.padding(keys):
            for causal in (False, True):
                for queries in (False, True):
                    tri = np.tri(t, s, dtype=bool) if causal else np.ones((t, s), bool)
                    whole = np.broadcast_to(tri & keys[:, None, None, :], keep.shape)
                    if queries and t == s:
                        whole = whole & keys[:, None, :, None]
                    if np.array_equal(keep, whole):
                        mask = self.not_equal(source, number, negated)
                        return causal, {"keys": mask, **({"queries": mask} if queries else {})}
        return None

    def fuse(self, softmax: Node) -> None:
        """One attention that is written out around a softmax."""
        by_name = self.by_name
        if softmax.name not in by_name:
            return
        softmax = by_name[softmax.name]
        axis = softmax.attributes["axis"] % len(softmax.shape) - len(softmax.shape)
        path = self._path(softmax)
        after = self.alone(softmax.name)
        dropout = 0.0
        inside = [softmax]
        if after is not None and after.kind == "Dropout":
            dropout = float(after.attributes["ratio"])
            inside.append(after)
            after = self.alone(after.name)
        if path is None or after is None or after.kind != "MatMul" or after.inputs[0] != inside[-1].name:
            return
        product, scale = path
        q, k, v = by_name[product.inputs[0]], by_name[product.inputs[1]], by_name[after.inputs[1]]
        rank = len(q.shape)
        if rank not in (3, 4) or not len(k.shape) == len(v.shape) == rank or q.shape[:-2] != k.shape[:-2]:
            return
        keep = self._kept(product, softmax, scale)
        if keep is None:
            return
        if axis < -2 or (axis == -2 and not keep.all()):
            return
        found = (False, dict[str, str]()) if keep.all() else self.meant(keep if rank == 4 else keep[:, None])
        if found is None:
            return
        q_name, factor = self._unscaled(product, 0)
        k_name, other = self._unscaled(product, 1)
        heads = q.shape[1] if rank == 4 else 1
        layer = softmax.layer
        names = [f"{softmax.name}:{part}" for part in "qkv"]
        turned = ((0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 1, 3)) if rank == 4 else ((0, 1, 2), (0, 2, 1), (0, 1, 2))
        inputs = []
        for name, source, perm in zip(names, (q_name, k_name, after.inputs[1]), turned, strict=True):
            moved = self.put(Node(name, "Transpose", (source,), {"perm": perm}, layer=layer))
            if rank == 4:
                moved = self.put(Node(f"{name}:flat", "Flatten", (moved.name,), {"axis": 2}, layer=layer))
            inputs.append(moved.name)
        causal, more = found
        attributes: dict[str, Attribute] = {
            "num_heads": heads,
            "scale": scale * factor * other,
            "is_causal": causal,
            "dropout": dropout,
            "takes": tuple(more),
            **({"axis": axis} if axis != -1 else {}),
            **({"empty": "nan"} if np.isneginf(self.values[softmax.inputs[0]]).any() else {}),
        }
        gone = {each.name for each in (*inside, after)}
        self.nodes = [node for node in self.nodes if node.name not in gone]
        inner = self.put(Node(softmax.name, "Attention", (*inputs, *more.values()), attributes, layer=layer))
        if rank == 4:
            shape = (-1, inner.shape[1], heads, inner.shape[2] // heads)
            apart = self.put(Node(f"{after.name}:apart", "Reshape", (inner.name,), {"shape": shape}, layer=layer))
            made = Node(after.name, "Transpose", (apart.name,), {"perm": (0, 2, 1, 3)}, layer=layer)
        else:
            made = Node(after.name, "Transpose", (inner.name,), {"perm": (0, 1, 2)}, layer=layer)
        self.put(made)
        self.nodes = _sorted(self.nodes)

    def _path(self, softmax: Node) -> tuple[Node, float] | None:
        """The product whose scores come to a softmax, and the number that they are multiplied by on the way."""
        by_name, node, scale = self.by_name, softmax, 1.0
        for _ in range(LONGEST):
            same = [by_name[name] for name in node.inputs if by_name[name].shape == softmax.shape]
            same = [each for each in same if self.alone(each.name) is not None]
            if not same:
                return None
            node = same[0]
            if node.kind == "MatMul":
                return node, scale
            if node.kind in _SCALING:
                factor = self._factor(node)
                if factor is None:
                    return None
                scale *= factor
        return None

    def _factor(self, node: Node) -> float | None:
        """What a product or quotient multiplies by; None if it is no number."""
        scalar = node.attributes.get("scalar")
        if scalar is None and len(node.inputs) == 2:
            other = self.by_name[node.inputs[1]]
            number = self.values[other.name]
            scalar = float(number.ravel()[0]) if other.kind in ("Constant", "Parameter") and number.size == 1 else None
        if scalar is None or (node.kind == "Div" and node.attributes.get("scalar_first")):
            return None
        return float(scalar) if node.kind == "Mul" else 1 / float(scalar)

    def _kept(self, product: Node, softmax: Node, scale: float) -> np.ndarray | None:
        """Where scores come to the softmax as they are, but for the scale; None if something else is done to them."""
        before = self.values[product.name] * scale
        after = self.values[softmax.inputs[0]]
        keep = after > MASKED
        close = np.abs(np.where(keep, after, 0) - np.where(keep, before, 0)) <= 1e-6 * max(1.0, float(np.abs(before).max()))
        return keep if bool(close.all()) else None

    def _unscaled(self, product: Node, place: int) -> tuple[str, float]:
        """The name of what comes to a product without the number that it is multiplied by before, and this number."""
        by_name, moves, name = self.by_name, [], product.inputs[place]
        while by_name[name].kind in _MOVES and self.alone(name) is not None:
            moves.append(by_name[name])
            name = by_name[name].inputs[0]
        node = by_name[name]
        factor = self._factor(node) if node.kind in _SCALING and self.alone(name) is not None else None
        if factor is None:
            return product.inputs[place], 1.0
        source = node.inputs[0]
        for move in reversed(moves):
            source = self.put(replace(move, name=f"{move.name}:unscaled", inputs=(source,))).name
        return source, factor


def _snapped(scale: float, size: int) -> float:
    """The scale, if it is 1 / sqrt(size) but for its last digits, as all write it."""
    usual = 1 / sqrt(size) if size else scale
    return usual if abs(scale - usual) <= 4e-16 * usual * 2 or abs(scale - usual) < 1e-7 * usual and scale == float(np.float32(scale)) else scale


def _sorted(nodes: list[Node]) -> list[Node]:
    """The nodes, each behind its inputs, else in their order."""
    done: set[str] = set()
    order: list[Node] = []
    rest = list(nodes)
    while rest:
        ready = [node for node in rest if done.issuperset(node.inputs)]
        if not ready:
            return nodes
        first = ready[0]
        order.append(first)
        done.add(first.name)
        rest.remove(first)
    return order
