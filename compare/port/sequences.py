"""Normal forms of slices from sequences: the last step of a bidirectional layer is that of each direction.

Slices and squeezes move towards the recurrent layer that they take from, through nodes that only join, add or turn its
values. Therefore `h[-1]`, `out[:, -1]` and `return_sequences=False` become the same nodes if they have the same values.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compare.graphs.evaluate import evaluate_node
from compare.graphs.node import Attribute, Graph, Node, Recording

RECURRENT = ("LSTM", "GRU", "RNN")
RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
MERGES = ("Concat", "Add", "Mul", "Sub", "Div", "Max", "Min")
MOST = 400  # steps of rewriting; a network has far fewer


def taken_from_sequences(recording: Recording) -> Recording:
    """Return the recording with slices and squeezes next to their recurrent layers."""
    if not any(node.kind in RECURRENT for node in recording.graph.nodes):
        return recording
    work = _Work(recording)
    for _ in range(MOST):
        if not work.step():
            break
    return work.result()


class _Work:
    """A recording that is being rewritten."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.nodes = list(recording.graph.nodes)
        self.outputs = list(recording.graph.outputs)
        self.values = dict(recording.values)
        self.by_name = {node.name: node for node in self.nodes}

    def result(self) -> Recording:
        """Return the recording in its present state."""
        graph = Graph(tuple(self.nodes), tuple(self.outputs))
        return replace(self.recording, graph=graph, values=self.values)

    def step(self) -> bool:
        """Rewrite one node. Return whether there was one to rewrite."""
        for place, node in enumerate(self.nodes):
            if node.kind not in ("Slice", "Transpose", *RESHAPES):
                continue
            source = self.by_name[node.inputs[0]]
            if node.kind == "Slice" and self._slice(place, node, source):
                return True
            if node.kind == "Transpose" and _only_ones(node, source) and self._recurrent(source.name):
                self._put(place, [replace(node, kind="Reshape", attributes={"shape": _kept(node, source)})])
                return True
            if node.kind in RESHAPES and self._squeeze(place, node, source):
                return True
        return False

    def _recurrent(self, name: str) -> bool:
        """Whether only joins and moves stand between a recurrent layer and this node."""
        node = self.by_name[name]
        if node.kind in RECURRENT:
            return True
        moved = node.kind in (*MERGES, "Slice", "Transpose", *RESHAPES)
        return moved and bool(node.inputs) and all(self._recurrent(each) for each in node.inputs)

    def _slice(self, place: int, node: Node, source: Node) -> bool:
        if len(node.attributes["axes"]) != 1 or not self._recurrent(source.name):
            return False
        axis = node.attributes["axes"][0]
        if source.kind == "Transpose":
            perm = source.attributes["perm"]
            inner = self._like(node, source.inputs[0], {**node.attributes, "axes": (perm[axis],)})
            self._put(place, [inner, replace(source, name=node.name, inputs=(inner.name,), shape=node.shape)])
            return True
        if source.kind == "Concat" and source.attributes["axis"] == axis:
            return self._part(place, node, source)
        if source.kind in MERGES and self._alike(source):
            parts = [self._like(node, name, node.attributes, str(k)) for k, name in enumerate(source.inputs)]
            whole = replace(source, name=node.name, inputs=tuple(part.name for part in parts), shape=node.shape)
            self._put(place, [*parts, whole])
            return True
        return False

    def _alike(self, source: Node) -> bool:
        """Whether all operands have the same axes, without broadcasting."""
        shapes = [self.by_name[name].shape for name in source.inputs]
        return source.kind == "Concat" or all(shape == source.shape for shape in shapes)

    def _part(self, place: int, node: Node, source: Node) -> bool:
        """Move a slice along the axis of a concatenation to one of its parts, if the slice lies within that part."""
        (axis,), (start,), (end,) = (node.attributes[name] for name in ("axes", "starts", "ends"))
        begin = 0
        for name in source.inputs:
            size = self.by_name[name].shape[axis]
            if begin <= start and end <= begin + size and node.attributes["steps"] == (1,):
                if (start, end) == (begin, begin + size):
                    self._replace(place, name)
                else:
                    moved = {**node.attributes, "starts": (start - begin,), "ends": (end - begin,)}
                    self._put(place, [replace(node, inputs=(name,), attributes=moved)])
                return True
            begin += size
        return False

    def _squeeze(self, place: int, node: Node, source: Node) -> bool:
        """Move a reshape after a merge if it only removes axes of length 1. Behind a transpose, move it if it joins the
        last axes, which the transpose leaves in place."""
        if source.kind == "Transpose" and self._recurrent(source.name):
            return self._joined(place, node, source)
        if source.kind not in MERGES or not self._alike(source) or not self._recurrent(source.name):
            return False
        if self._side_by_side(node, source):
            return self._merged(place, node, source, (1,), 1)
        gone = _gone(source.shape, node.shape)
        axis = source.attributes.get("axis", -1) if source.kind == "Concat" else -1
        if not gone or axis in gone:
            return False
        return self._merged(place, node, source, gone, axis - sum(each < axis for each in gone))

    def _side_by_side(self, node: Node, source: Node) -> bool:
        """Whether states (N, 1, H) are joined to (N, k, H), which is then flattened."""
        shapes = [self.by_name[name].shape for name in source.inputs]
        stacked = source.kind == "Concat" and source.attributes["axis"] == 1 and len(source.shape) == 3
        return (
            stacked
            and all(shape[1] == 1 for shape in shapes)
            and node.shape
            == (
                source.shape[0],
                source.shape[1] * source.shape[2],
            )
        )

    def _merged(self, place: int, node: Node, source: Node, gone: tuple[int, ...], axis: int) -> bool:
        """Replace a reshape of a merge by a merge of squeezed operands."""
        parts = []
        for k, name in enumerate(source.inputs):
            part = Node(self._free(f"{node.name}:{k}"), "Squeeze", (name,), {"axes": gone}, layer=node.layer)
            parts.append(self._valued(part))
        attributes = {**source.attributes, **({"axis": axis} if source.kind == "Concat" else {})}
        inputs = tuple(part.name for part in parts)
        self._put(place, [*parts, replace(source, name=node.name, inputs=inputs, attributes=attributes)])
        return True

    def _joined(self, place: int, node: Node, source: Node) -> bool:
        perm, kept = source.attributes["perm"], len(node.shape) - 1
        before = self.by_name[source.inputs[0]].shape
        stays = kept > 0 and perm[kept:] == tuple(range(kept, len(perm)))
        if not stays or len(perm) <= kept + 1 or node.shape[:kept] != source.shape[:kept]:
            return False
        shape = (*before[:kept], node.shape[-1])
        inner = Node(self._free(f"{node.name}:0"), "Reshape", (source.inputs[0],), {"shape": shape}, layer=node.layer)
        inner = self._valued(inner)
        turned = {"perm": (*perm[:kept], kept)}
        self._put(place, [inner, replace(source, name=node.name, inputs=(inner.name,), attributes=turned)])
        return True

    def _like(self, node: Node, source: str, attributes: Mapping[str, Attribute], mark: str = "0") -> Node:
        name = self._free(f"{node.name}:{mark}")
        return self._valued(replace(node, name=name, inputs=(source,), attributes=dict(attributes)))

    def _valued(self, node: Node) -> Node:
        value = np.asarray(evaluate_node(node, [self.values[name] for name in node.inputs], {}))
        self.values[node.name] = value
        return replace(node, shape=tuple(value.shape))

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.by_name or name in self.values:
            number += 1
            name = f"{wanted}:{number}"
        return name

    def _put(self, place: int, nodes: list[Node]) -> None:
        last = replace(nodes[-1], shape=self.nodes[place].shape)
        self.nodes[place : place + 1] = [*nodes[:-1], last]
        self.by_name |= {node.name: node for node in (*nodes[:-1], last)}

    def _replace(self, place: int, name: str) -> None:
        gone = self.nodes.pop(place).name
        self.nodes = [
            replace(node, inputs=tuple(name if each == gone else each for each in node.inputs)) for node in self.nodes
        ]
        self.outputs = [name if each == gone else each for each in self.outputs]
        self.by_name = {node.name: node for node in self.nodes}


def _only_ones(node: Node, source: Node) -> bool:
    """Whether a transpose only moves axes of length 1."""
    perm = node.attributes["perm"]
    long = [axis for axis in perm if source.shape[axis] > 1]
    return long == sorted(long) and len(long) < len(perm)


def _kept(node: Node, source: Node) -> tuple[int, ...]:
    same = bool(node.shape) and node.shape[0] == source.shape[0]
    return (-1, *node.shape[1:]) if same else node.shape


def _gone(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of length 1 that a reshape removes; none if it does anything else."""
    gone: list[int] = []
    place = 0
    for axis, size in enumerate(before):
        if place < len(after) and after[place] == size:
            place += 1
        elif size == 1:
            gone.append(axis)
        else:
            return ()
    return tuple(gone) if place == len(after) else ()
