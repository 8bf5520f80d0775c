"""Measure where the time of a step goes, with JAX's profiler."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
from jax.profiler import ProfileData

from shared.timeline import time_by_name

# The computing threads record their operations on these lines. So does the executor, whose events are named like
# Thunk::Execute.
LINES, END = "tf_XLA", "end: "
PS_PER_NS = 1_000
PS = 1e-12


def by_operation(work: Callable[[], None]) -> dict[str, float]:
    """Return the time in seconds that `work` spends in each kind of operation.

    Operations that run at the same time share it (shared/timeline.py). Operations that XLA has compiled into one count
    as one, named after its parts.
    """
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            work()
        (path,) = Path(folder).rglob("*.xplane.pb")
        read = ProfileData.from_file(str(path))
    events = []
    for plane in read.planes:
        for line in plane.lines:
            if not line.name.startswith(LINES):
                continue
            for event in line.events:
                if "::" not in event.name and not event.name.startswith(END):
                    kind = event.name.partition(".")[0]  # operations of one kind are named copy, copy.1, copy.2
                    events.append((kind, int(event.start_ns * PS_PER_NS), int(event.duration_ns * PS_PER_NS)))
    return {kind: spent_ps * PS for kind, spent_ps in time_by_name(events).items()}
