"""Where the time of a step goes, by JAX's own profiler."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
from jax.profiler import ProfileData

from shared.timeline import time_by_name

PS_PER_NS = 1_000
PS = 1e-12


def by_operation(work: Callable[[], None]) -> dict[str, float]:
    """The time in seconds that `work` spends in each kind of operation. Operations that run at once share it
    (shared/timeline.py). What XLA has compiled into one is one, and has the name of what it was made of."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            work()
        (path,) = Path(folder).rglob("*.xplane.pb")
        read = ProfileData.from_file(str(path))
    for plane in read.planes:
        for line in plane.lines:
            print(plane.name, line.name, [e.name for e in line.events][:10])
    return {}
