"""Normal forms of masks: each is named by what it is made from."""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np

from compare.graphs.node import Attribute, Node, Recording
from compare.graphs.operators.attention import kept
from compare.port.rewriting import Rewriting, in_dependency_order
from compare.port.sequences import RECURRENT


def named_masks(recording: Recording) -> Recording:
    """Name masks by what they are made from: causality, or integers of the input that are padding."""
    if not any(node.kind in ("Attention", *RECURRENT) for node in recording.graph.nodes):
        return recording
    work = Masks(recording)
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


class Masks(Rewriting):
    """A recording in which masks are being named."""

    def padding(self, keep: np.ndarray) -> Iterator[tuple[str, int, bool]]:
        """Yield the integer inputs that explain `keep` (N, T), with the number. Kept places differ from that number or,
        if the last value is True, equal it."""
        for node in self.nodes:
            ids = self.values[node.name]
            if node.kind != "Input" or ids.dtype.kind not in "iu" or ids.shape != keep.shape:
                continue
            for negated, some in ((False, set(ids[~keep].tolist()) or {0}), (True, set(ids[keep].tolist()))):
                for number in sorted(some):
                    if np.array_equal((ids == number) if negated else (ids != number), keep):
                        yield node.name, int(number), negated

    def not_equal(self, source: str, number: int, negated: bool) -> str:
        """Return the node that says where an input is not a number."""
        name = f"{source}:mask" + (f" of {number}" if number else "") + (" alone" if negated else "")
        if name not in self.by_name:
            attributes = {"scalar": number, "negated": negated}
            self.put(Node(name, "NotEqual", (source,), attributes, layer="mask"))
        return name

    def drop_empty_mask(self, node: Node) -> None:
        """Remove a recurrent layer's mask if it leaves nothing out."""
        if self.values[node.inputs[1]].all():
            attributes = {**node.attributes, "takes": node.attributes["takes"][1:]}
            alone = replace(node, inputs=(node.inputs[0], *node.inputs[2:]), attributes=attributes)
            self.nodes = [alone if each.name == node.name else each for each in self.nodes]

    def name_mask(self, node: Node) -> None:
        """Replace the masks of an attention by `is_causal`, `keys` and `queries`, if they amount to that."""
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
        self.nodes = in_dependency_order(self.nodes)

    def meant(self, keep: np.ndarray) -> tuple[bool, dict[str, str]] | None:
        """Interpret a mask (N, H, T, S). Return whether it is causal, and the nodes of other masks within it. Return
        None if it is something else."""
        t, s = keep.shape[2:]
        for causal in (False, True):
            tri = np.tri(t, s, dtype=bool) if causal else np.ones((t, s), bool)
            if np.array_equal(keep, np.broadcast_to(tri, keep.shape)):
                return causal, {}
        # The last query takes every kept key, which identifies the keys; a query that is left out takes none.
        keys = np.asarray(keep.any((1, 2)))
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


def _snapped(scale: float, size: int) -> float:
    """Return 1 / sqrt(size) if the scale equals it apart from its last digits; else the scale."""
    usual = 1 / sqrt(size) if size else scale
    near = abs(scale - usual) <= 1e-15 * usual or (scale == float(np.float32(scale)) == float(np.float32(usual)))
    return usual if near else scale
