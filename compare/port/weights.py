"""Decide which weights one network gives to the other, and the values of those that only one of them has."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Arrays, Node, Recording
from compare.port.align import Alignment
from shared import randomness

# Values with which a role has no effect.
NEUTRAL = {"B": 0.0, "RB": 0.0, "scale": 1.0, "mean": 0.0, "var": 1.0}


@dataclass(frozen=True)
class Transfer:
    """`given` are weights of the right network by NODE/ROLE; `n_moved` of them come from the left. `unfit` is (left
    name, right name, role) for each whose shapes differ. `left_only` and `right_only` are the NODE/ROLE that the paired
    node of the other side lacks."""

    given: Arrays
    n_moved: int
    unfit: tuple[tuple[str, str, str], ...]
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]


def transfer(left: Recording, right: Recording, alignment: Alignment) -> Transfer:
    """Return the weights to give the right network in order to match the left one."""
    given: Arrays = {}
    unfit, left_only, right_only = [], [], []
    n_moved = 0
    for name_l, name_r in (*alignment.pairs, *_moved(left, right, alignment)):
        node_l, node_r = left.graph[name_l], right.graph[name_r]
        for role in dict.fromkeys((*node_l.roles, *node_r.roles)):
            at_l, at_r = f"{name_l}/{role}", f"{name_r}/{role}"
            if role not in node_l.roles:
                right_only.append(at_r)
                if role in NEUTRAL:
                    given[at_r] = np.full_like(right.weights[at_r], NEUTRAL[role])
            elif role not in node_r.roles:
                left_only.append(at_l)
            elif node_r.kind == "Constant":
                continue  # a constant in the code is kept, and compared
            elif (array := fitting(left.weights[at_l], right.weights[at_r].shape)) is None:
                unfit.append((name_l, name_r, role))
            else:
                given[at_r] = array.astype(right.weights[at_r].dtype, copy=False)
                n_moved += 1
    return Transfer(given, n_moved, tuple(unfit), tuple(left_only), tuple(right_only))


def _moved(left: Recording, right: Recording, alignment: Alignment) -> list[tuple[str, str]]:
    """Return unpaired layers that stand elsewhere in the other network: their weights are transferred as well."""
    found, rest = [], [right.graph[name] for name in alignment.right_only]
    for node_l in (left.graph[name] for name in alignment.left_only):
        for node_r in rest if node_l.kind not in ("Parameter", "Constant") and node_l.roles else ():
            shapes = [
                [(role, recording.weights[f"{node.name}/{role}"].shape) for role in node.roles]
                for recording, node in ((left, node_l), (right, node_r))
            ]
            if node_l.kind == node_r.kind and shapes[0] == shapes[1]:
                found.append((node_l.name, node_r.name))
                rest.remove(node_r)
                break
    return found


def fitting(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Reshape an array by axes of length 1; None if the shapes differ otherwise."""
    if array.shape == shape:
        return array
    if [n for n in array.shape if n > 1] == [n for n in shape if n > 1]:
        return array.reshape(shape)
    return None


def varied(recording: Recording) -> Arrays:
    """Return new values, by NODE/ROLE, for constant weights such as those of new normalisations and biases. While they
    are 0 or 1, a difference between networks may not show. Return {} if all weights vary."""
    new: Arrays = {}
    for node in recording.graph.nodes:
        for role in node.roles:
            name = f"{node.name}/{role}"
            array = recording.weights[name]
            if _constant(node, role, array):
                draw = randomness.uniform(array.size, f"varied {name}", 0).reshape(array.shape)
                low, high = (0.5, 1.5) if role in ("scale", "var") else (-0.2, 0.2)
                new[name] = (low + (high - low) * draw).astype(array.dtype)
    return new


def measured_statistics(recording: Recording, names: Collection[str]) -> Arrays:
    """Return the batch statistics of a call in training mode, varied, for the batch normalisations in `names`
    (NODE/ROLE). Unrelated statistics would shrink a network's values from layer to layer. Its outputs would then hardly
    depend on its inputs."""
    new: Arrays = {}
    for node in recording.graph.nodes:
        if node.kind != "BatchNormalization" or not {f"{node.name}/mean", f"{node.name}/var"} & set(names):
            continue
        axis = node.attributes["axis"]
        values = np.moveaxis(recording.values[node.inputs[0]], axis, 0).reshape(node.shape[axis], -1)
        mean, var = values.mean(1), values.var(1)
        var = np.maximum(var, 0.01 * var.mean() + np.finfo(np.float32).tiny)
        draw = randomness.uniform(2 * len(mean), f"varied {node.name}", 1).reshape(2, -1)
        found = {"mean": mean + 0.4 * (draw[0] - 0.5) * np.sqrt(var), "var": var * (0.5 + draw[1])}
        new |= {f"{node.name}/{role}": array for role, array in found.items() if f"{node.name}/{role}" in names}
    return new


def _constant(node: Node, role: str, array: np.ndarray) -> bool:
    if node.kind in ("Constant",) or array.dtype.kind != "f" or not array.size or role not in NEUTRAL:
        return False
    return bool((array == array.flat[0]).all()) and (array.size > 1 or array.flat[0] == NEUTRAL[role])
