"""Two models that are the same function in float64, compared in float32: how far rounding takes their outputs."""

from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Arrays
from compare.port.measure import bounds, output_distance, outputs_of
from compare.port.side import Side, cast
from compare.port.workers import ModelWorkers


@dataclass(frozen=True)
class Single:
    """The distance of the outputs in float32, and what a change of 1 ulp in every weight makes of them, with a margin."""

    distance: float
    bound: float


def in_float32(
    workers: ModelWorkers, references: tuple[str, str], inputs: Arrays, weights: tuple[Arrays, Arrays]
) -> Single:
    """Both models, built in float32 by workers of their own, with the weights that both had in float64. Raises
    InputError if one cannot be built or called so."""
    given = cast(inputs, np.float32)
    left, right = workers.pool.map(lambda worker: Side(worker, "float32"), workers.start(*references))
    for side, known in zip((left, right), weights, strict=True):
        names = side.record(given, False).weights  # which it has to have seen before it takes any
        side.give({name: cast({name: array}, np.float32)[name] for name, array in known.items() if name in names})
    recordings = list(workers.pool.map(lambda side: side.record(given, False), (left, right)))
    allowed = bounds(recordings[0], given, left.fallback(False))
    bound = max(allowed[name] for name in recordings[0].graph.outputs)
    return Single(output_distance(outputs_of(recordings[1]), outputs_of(recordings[0])), bound)
