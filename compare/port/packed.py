"""Normal form of products that are cut into parts, such as queries, keys and values: one product for each part."""

from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.node import Arrays, Graph, Node, Recording
from compare.port.flattened import column_orders


@dataclass(frozen=True, eq=False)
class Part:
    """The origin of a weight in normal form: a whole weight of the worker's, some of its rows, or all of its columns in
    another order."""

    key: str
    rows: tuple[int, int] | None = None
    columns: np.ndarray | None = None

    def of(self, whole: np.ndarray) -> np.ndarray:
        """Return the weight in normal form from the worker's."""
        if self.columns is not None:
            return whole[:, self.columns]
        return whole if self.rows is None else whole[slice(*self.rows)]

    def into(self, whole: np.ndarray | None, array: np.ndarray) -> np.ndarray:
        """Return the worker's weight with this part replaced; `whole` is its previous value."""
        if self.columns is not None:
            return array[:, np.argsort(self.columns)]
        if self.rows is None or whole is None:
            return array
        new = np.array(whole)
        new[slice(*self.rows)] = array
        return new


def parts_of(before: Recording, after: Recording) -> dict[str, Part]:
    """Return the origin of each weight in normal form that differs from the worker's, by its name there."""
    found = {f"{name}/W": Part(f"{name}/W", columns=order) for name, order in column_orders(before).items()}
    for node in after.graph.nodes:
        was = before.graph.by_name.get(node.name)
        if was is not None and was.kind == "Gather" and node.kind == "Parameter":
            found[f"{node.name}/value"] = Part(f"{node.name}/W")
        name, _, rows = node.name.rpartition("[")
        if was is None and node.kind == "Gemm" and name in before.graph.by_name:
            start, end = (int(n) for n in rows.rstrip("]").split(":"))
            found |= {f"{node.name}/{role}": Part(f"{name}/{role}", (start, end)) for role in node.roles}
    return found


def split_products(recording: Recording) -> Recording:
    """Replace each product whose columns are only taken in parts by one product for each part."""
    nodes = list(recording.graph.nodes)
    values, weights = dict(recording.values), dict(recording.weights)
    for node in recording.graph.nodes:
        if (
            node.kind != "Gemm"
            or node.attributes["axis"] != len(node.shape) - 1
            or node.name in recording.graph.outputs
        ):
            continue
        for cut in _cuts(node, nodes):
            made = _Split(node, cut, values, weights).made()
            if made is not None:
                place = nodes.index(cut.slices)
                known = {each.name for each in nodes}
                nodes[place : place + 1] = [
                    each for each in made if each.name not in known or each.name == cut.slices.name
                ]
    return replace(recording, graph=Graph(tuple(nodes), recording.graph.outputs), values=values, weights=weights)


@dataclass(frozen=True)
class _Cut:
    """A slice of a product, and the reshape and the transpose in between, if there are any."""

    slices: Node
    between: tuple[Node, ...] = ()


def _cuts(product: Node, nodes: list[Node]) -> list[_Cut]:
    """Return the slices that take a product; none if anything else takes it."""
    takers = [node for node in nodes if product.name in node.inputs]
    between: tuple[Node, ...] = ()
    while len(takers) == 1 and takers[0].kind == ("Transpose" if between else "Reshape") and len(between) < 2:
        between = (*between, takers[0])
        takers = [node for node in nodes if between[-1].name in node.inputs]
    plain = all(node.kind == "Slice" and node.attributes["steps"] == (1,) for node in takers)
    return [_Cut(node, between) for node in takers] if plain and len(takers) > 1 else []


class _Split:
    """One part of a product, as nodes that end in what the slice gave."""

    def __init__(self, product: Node, cut: _Cut, values: Arrays, weights: Arrays) -> None:
        self.product, self.cut, self.values, self.weights = product, cut, values, weights

    def made(self) -> list[Node] | None:
        """Return the nodes that replace the slice; None if it is not a part of the product's columns."""
        cut, between = self.cut.slices, self.cut.between
        if any(len(cut.attributes[name]) != 1 for name in ("axes", "starts", "ends")):
            return None
        (axis,), (start,), (end,) = (cut.attributes[name] for name in ("axes", "starts", "ends"))
        last = len(self.product.shape) - 1
        if not between:
            gemm = self.gemm(start, end)
            return [gemm, Node(cut.name, "Identity", (gemm.name,), shape=cut.shape)] if axis == last else None
        perm = between[1].attributes["perm"] if len(between) == 2 else tuple(range(len(between[0].shape)))
        shape = between[0].shape
        if perm[axis] != last or shape[:last] != self.product.shape[:last] or end - start != 1:
            return None  # not the first axis of those that the columns were divided into
        width = int(np.prod(shape[last + 1 :]))
        gemm = self.gemm(start * width, end * width)
        rest = (*shape[:last], *shape[last + 1 :])
        split = Node(f"{gemm.name}:apart", "Reshape", (gemm.name,), {"shape": (-1, *rest[1:])}, shape=rest)
        self.values[split.name] = self.values[gemm.name].reshape(rest)
        order = tuple(each - (each > last) for each in perm if each != last)
        turned = Node(f"{gemm.name}:turned", "Transpose", (split.name,), {"perm": order})
        self.values[turned.name] = self.values[split.name].transpose(order)
        turned = replace(turned, shape=self.values[turned.name].shape)
        return [gemm, split, turned, Node(cut.name, "Unsqueeze", (turned.name,), {"axes": (axis,)}, shape=cut.shape)]

    def gemm(self, start: int, end: int) -> Node:
        """Return the product for some of the columns."""
        name = f"{self.product.name}[{start}:{end}]"
        self.values[name] = self.values[self.product.name][..., start:end]
        for role in self.product.roles:
            self.weights[f"{name}/{role}"] = self.weights[f"{self.product.name}/{role}"][start:end]
        return replace(self.product, name=name, shape=self.values[name].shape)
