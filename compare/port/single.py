"""Compare two models in float32 that are the same function in float64: how far rounding changes their outputs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.graphs.node import Arrays
from compare.port.measure import bounds, output_distance, outputs_of
from compare.port.side import Side, cast
from compare.port.workers import ModelWorkers
from shared.errors import InputError


@dataclass(frozen=True)
class Single:
    """The distance of the outputs in float32, and its bound from a change of 1 ulp in every weight."""

    distance: float
    bound: float


def in_float32(
    workers: ModelWorkers,
    references: tuple[str, str],
    hosts: tuple[tuple[Path | None, Path | None], tuple[str, str]],
    inputs: Arrays,
    weights: tuple[Arrays, Arrays],
) -> Single:
    """Build both models in float32, in workers of their own, with the weights that both had in float64. `hosts` are
    other Pythons and Keras backends (ModelWorkers.start). Raises InputError if a model cannot be built or called."""
    given = cast(inputs, np.float32)
    started = workers.start(*references, *hosts)
    left, right = workers.pool.map(lambda worker: Side(worker, "float32"), started)
    for side, known in zip((left, right), weights, strict=True):
        names = side.record(given, False).weights  # it only takes weights that it has recorded
        if not set(names) <= set(known):
            raise InputError(
                f"The {side.worker.side} model, {side.worker.reference}, has other layers when it is built in float32. "
                "Leave --precision both out."
            )
        side.give(cast({name: known[name] for name in names}, np.float32))
    recordings = list(workers.pool.map(lambda side: side.record(given, False), (left, right)))
    allowed = bounds(recordings[0], given, left.fallback(False))
    bound = max(allowed[name] for name in recordings[0].graph.outputs)
    return Single(output_distance(outputs_of(recordings[1]), outputs_of(recordings[0])), bound)
