"""Batch normalisations folded into the layers in front of them, as exporters of ONNX do.

In evaluation such a layer multiplies every channel by a number and adds another: W' = W f and
B' = (B - mean) f + beta with f = scale / sqrt(var + epsilon).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compare.graphs.node import Arrays, Node, Recording
from compare.port.rewriting import rewired

Folds = dict[str, str]  # the layer in front of each normalisation, by the normalisation's name


def foldable(recording: Recording) -> Folds:
    """Return every normalisation in evaluation mode that directly follows a layer able to absorb it, with the layer."""
    graph = recording.graph
    uses: dict[str, int] = {}
    for name in (*graph.outputs, *(name for node in graph.nodes for name in node.inputs)):
        uses[name] = uses.get(name, 0) + 1
    found = {}
    for node in graph.nodes:
        if (
            node.kind == "BatchNormalization"
            and not node.attributes["training_mode"]
            and {"mean", "var"} <= {*node.roles}
        ):
            source = graph[node.inputs[0]]
            if uses[source.name] == 1 and source.roles and _output_axis(source) == node.attributes["axis"]:
                found[node.name] = source.name
    return found


def _output_axis(node: Node) -> int | None:
    """Return the output axis that belongs to the rows of a layer's weights; None for other kinds of layers."""
    if node.kind == "Conv" or (node.kind == "ConvTranspose" and node.attributes.get("group", 1) == 1):
        return 1
    return int(node.attributes["axis"]) if node.kind == "Gemm" else None


def folded(recording: Recording, folds: Mapping[str, str]) -> Recording:
    """Return the recording with normalisations folded into the layers before them; these give the folded values."""
    if not folds:
        return recording
    weights = dict(recording.weights)
    for norm, layer in folds.items():
        weights |= _folded_weights(recording, norm, layer)
    gone = {f"{norm}/{role}" for norm in folds for role in recording.graph[norm].roles}
    behind = {layer: norm for norm, layer in folds.items()}
    nodes = [
        replace(node, roles=("W", "B")) if node.name in behind else node
        for node in recording.graph.nodes
        if node.name not in folds
    ]
    values = {layer: recording.values[norm] for layer, norm in behind.items()}
    done = rewired(recording, nodes, dict(folds), values)
    return replace(done, weights={name: array for name, array in weights.items() if name not in gone})


def _folded_weights(recording: Recording, norm: str, layer: str) -> Arrays:
    node = recording.graph[norm]
    has = {role: recording.weights[f"{norm}/{role}"] for role in node.roles}
    factor = has.get("scale", 1.0) / np.sqrt(has["var"] + node.attributes["epsilon"])
    kernel = recording.weights[f"{layer}/W"]
    bias = recording.weights.get(f"{layer}/B", np.zeros_like(has["mean"]))
    wide = _along_output(recording.graph[layer], factor, kernel.ndim)
    return {f"{layer}/W": kernel * wide, f"{layer}/B": (bias - has["mean"]) * factor + has.get("B", 0.0)}


def _along_output(layer: Node, factor: np.ndarray, rank: int) -> np.ndarray:
    """Return one number per output, in a shape that multiplies the layer's kernel."""
    axis = 1 if layer.kind == "ConvTranspose" else 0
    return factor.reshape(*(-1 if place == axis else 1 for place in range(rank)))


def unfolded(weights: Arrays, recording: Recording, folds: Mapping[str, str]) -> Arrays:
    """Return the weights of a folded recording as weights of the model itself (`recording`). The layers get them. The
    normalisations pass on their inputs, and add the biases."""
    own = dict(weights)
    for norm, layer in folds.items():
        node, at = recording.graph[norm], f"{layer}/W"
        kernel, bias = own.pop(at, None), own.pop(f"{layer}/B", None)
        if kernel is None and bias is None:
            continue
        present = _folded_weights(recording, norm, layer)
        kernel = present[at] if kernel is None else kernel
        bias = present[f"{layer}/B"] if bias is None else bias
        root = np.sqrt(np.ones_like(bias) + node.attributes["epsilon"])
        own[at] = kernel if "scale" in node.roles else kernel * _along_output(recording.graph[layer], root, kernel.ndim)
        given = {"scale": root, "mean": 0 * bias, "var": np.ones_like(bias), "B": bias}
        if "B" not in node.roles:
            given["mean"] = -bias if "scale" in node.roles else -bias * root
        own |= {f"{norm}/{role}": given[role] for role in node.roles}
        if "B" in recording.graph[layer].roles:
            own[f"{layer}/B"] = 0 * bias
    return own
