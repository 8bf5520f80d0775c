"""Find the statistics of hand-written batch normalisations, from what a call in training mode changed."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compare.adapters.canonical import Canonical
from compare.adapters.patterns import Joined
from compare.adapters.steps import Weight
from compare.graphs.node import Arrays, Graph, Node, Recording

Kept = Mapping[str, Mapping[str, Weight]]


def statistics_of(made: Joined, canonical: Canonical) -> dict[str, dict[str, Weight]]:
    """Return the mean and variance that every batch normalisation of a recording in evaluation mode uses."""
    found: dict[str, dict[str, Weight]] = {}
    for node in made.recording.graph.nodes:
        if node.kind == "BatchNormalization":
            sources = {role: made.sources[f"{node.name}/{role}"] for role in ("mean", "var") if role in node.roles}
            found[node.name] = {
                role: canonical.weight_of[source.key].then(*source.changes) for role, source in sources.items()
            }
    return found


def with_statistics(recording: Recording, kept: Kept, after: Mapping[str, Arrays]) -> Recording:
    """Return a recording in training mode with the statistics of its batch normalisations. These are the roles "mean"
    and "var" as before the call, their values after it, and the momentum that explains both."""
    nodes, weights, statistics = [], dict(recording.weights), {}
    for node in recording.graph.nodes:
        in_training = node.kind == "BatchNormalization" and node.attributes["training_mode"]
        if not in_training or len(kept.get(node.name, {})) < 2:
            nodes.append(node)
            continue
        before = {role: weight.changed(weight.read()) for role, weight in kept[node.name].items()}
        for role, value in before.items():
            weights[f"{node.name}/{role}"] = value
            statistics[f"{node.name}/{role}"] = after[node.name][role]
        roles = tuple(dict.fromkeys((*node.roles, "mean", "var")))
        momentum, unbiased = _momentum(node, recording.values[node.inputs[0]], before, after[node.name])
        attributes = {**node.attributes, "momentum": momentum, "unbiased": unbiased}
        nodes.append(replace(node, roles=roles, attributes=attributes))
    graph = Graph(tuple(nodes), recording.graph.outputs)
    return Recording(graph, recording.values, weights, statistics)


def _momentum(node: Node, x: np.ndarray, before: Arrays, after: Arrays) -> tuple[float | None, bool]:
    """Return the m of kept * m + batch * (1 - m), to four digits, and whether the kept variance is unbiased. Return
    None for m if the kept means do not have that form."""
    axis = int(node.attributes["axis"])
    axes = tuple(each for each in range(x.ndim) if each != axis)
    mean, variance = x.mean(axes, dtype=np.float64), x.var(axes, dtype=np.float64)
    moved = before["mean"].astype(np.float64) - mean
    share = float((after["mean"] - mean) @ moved / max(float(moved @ moved), 1e-300))
    expected = before["mean"] * share + mean * (1 - share)
    if not np.allclose(after["mean"], expected, rtol=1e-4, atol=1e-5):
        return None, False
    n = x.size // x.shape[axis]
    biased, unbiased = (
        float(np.abs(after["var"] - (before["var"] * share + each * (1 - share))).max())
        for each in (variance, variance * n / max(n - 1, 1))
    )
    return round(share, 4), unbiased < biased
