"""Operations that a framework computes in float32, or with float32 constants, although the model is in float64.

TensorFlow's gelu uses 1.4142135 for the square root of 2 even in float64, and its bilinear resizing computes in
float32. That is not a difference between two models: in float32 they agree. An operation whose error is within the
rounding of float32 is therefore computed by the reference evaluator instead, and reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from compare.graphs.evaluate import NoReference, evaluate, evaluate_node
from compare.graphs.node import Recording
from compare.port.measure import LEAST_BOUND, MARGIN, Fallback, distance

FLOAT32_ROUNDING = 2e-6


@dataclass(frozen=True)
class Rounded:
    """A node whose value deviates from its definition by float32's rounding."""

    name: str
    kind: str
    distance: float


def rounded_nodes(recording: Recording) -> tuple[Rounded, ...]:
    """Return the nodes that deviate by float32's rounding, each for its own inputs."""
    found = []
    for node in recording.graph.nodes:
        inputs = [recording.values[name] for name in node.inputs]
        if not any(array.dtype == np.float64 for array in (*inputs, recording.values[node.name])):
            continue
        weights = {role: recording.weights[f"{node.name}/{role}"] for role in node.roles}
        try:
            given = evaluate_node(node, inputs, weights)
        except (NoReference, ValueError, KeyError, IndexError):
            continue
        gap = distance(recording.values[node.name], given)
        if MARGIN * LEAST_BOUND["float64"] < gap <= FLOAT32_ROUNDING:
            found.append(Rounded(node.name, node.kind, gap))
    return tuple(found)


def recomputed(recording: Recording, inputs: Mapping[str, np.ndarray], fallback: Fallback) -> Recording:
    """Return the recording with the reference evaluator's values."""
    return replace(recording, values=evaluate(recording.graph, inputs, recording.weights, fallback))


def is_random(recording: Recording) -> bool:
    """Whether it drops at random, including in evaluation."""
    dropouts = [node for node in recording.graph.nodes if node.kind == "Dropout" and node.attributes.get("active")]
    return any((recording.values[node.name] != recording.values[node.inputs[0]]).any() for node in dropouts)
