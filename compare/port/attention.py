"""Normal form of attention: attention written out by hand becomes one node."""

from dataclasses import replace

import numpy as np

from compare.graphs.node import Attribute, Node, Recording
from compare.port.masks import Masks
from compare.port.rewriting import in_dependency_order
from compare.port.sequences import RESHAPES

MASKED = -1e4  # a mask removed every score below this
LONGEST = 8  # operations between a product and its softmax
_SCALING = ("Mul", "Div")
_MOVES = (*RESHAPES, "Transpose", "Identity")


def written_out(recording: Recording) -> Recording:
    """Return the recording with each pair of products that has a softmax in between replaced by one Attention node."""
    work = _Fused(recording)
    for node in recording.graph.nodes:
        if node.kind == "Softmax" and len(node.shape) in (3, 4):
            work.fuse(node)
    return work.result()


class _Fused(Masks):
    """A recording in which written-out attention is being fused."""

    def fuse(self, softmax: Node) -> None:
        """Replace the attention written out around a softmax by one node."""
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
            split = self.put(Node(f"{after.name}:apart", "Reshape", (inner.name,), {"shape": shape}, layer=layer))
            made = Node(after.name, "Transpose", (split.name,), {"perm": (0, 2, 1, 3)}, layer=layer)
        else:
            made = Node(after.name, "Transpose", (inner.name,), {"perm": (0, 1, 2)}, layer=layer)
        self.put(made)
        self.nodes = in_dependency_order(self.nodes)

    def _path(self, softmax: Node) -> tuple[Node, float] | None:
        """Return the product whose scores reach a softmax, and the number that they are multiplied by on the way."""
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
        """Return the number that a product or quotient multiplies by; None if it is not a number."""
        scalar = node.attributes.get("scalar")
        if scalar is None and len(node.inputs) == 2:
            other = self.by_name[node.inputs[1]]
            number = self.values[other.name]
            scalar = float(number.ravel()[0]) if other.kind in ("Constant", "Parameter") and number.size == 1 else None
        if scalar is None or (node.kind == "Div" and node.attributes.get("scalar_first")):
            return None
        return float(scalar) if node.kind == "Mul" else 1 / float(scalar)

    def _kept(self, product: Node, softmax: Node, scale: float) -> np.ndarray | None:
        """Return where scores reach the softmax unchanged, except for the scale; None if they are changed otherwise."""
        before = self.values[product.name] * scale
        after = self.values[softmax.inputs[0]]
        keep = after > MASKED
        close = np.abs(np.where(keep, after, 0) - np.where(keep, before, 0)) <= 1e-6 * max(
            1.0, float(np.abs(before).max())
        )
        return keep if bool(close.all()) else None

    def _unscaled(self, product: Node, place: int) -> tuple[str, float]:
        """Return the name of a product's operand before it is scaled, and the number that scales it."""
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
