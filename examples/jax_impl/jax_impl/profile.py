"""Where the time of a step goes, by JAX's own profiler."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
from jax.profiler import ProfileData

from shared.timeline import time_by_name

# The threads that compute write what they run on these lines, beside events of the executor's own, as Thunk::Execute.
LINES, END = "tf_XLA", "end: "
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
    events = []
    for plane in read.planes:
        for line in plane.lines:
            if not line.name.startswith(LINES):
                continue
            for event in line.events:
                if "::" not in event.name and not event.name.startswith(END):
                    kind = event.name.partition(".")[0]  # the same kind of operation comes as copy, copy.1, copy.2
                    events.append((kind, int(event.start_ns * PS_PER_NS), int(event.duration_ns * PS_PER_NS)))
    return {kind: spent_ps * PS for kind, spent_ps in time_by_name(events).items()}
