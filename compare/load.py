"""What else the machine is doing while something is timed: read in the worker, within the timed window itself."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

MUCH_LOAD = 0.1  # of a core, while something is timed
_STAT = Path("/proc/stat")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Usage:
    """Processor time in seconds since some beginning: this process's, and that of everybody on the machine with what
    the hypervisor gave to others (None where the system does not tell); and how often this process had to make room."""

    own_s: float
    all_s: float | None
    n_preempted: int

    def foreign_s(self, since: "Usage") -> float | None:
        """The processor time that others took since then. The two clocks tick differently, so that of a short time it
        may be negative: what counts is the sum over many."""
        if self.all_s is None or since.all_s is None:
            return None
        return (self.all_s - since.all_s) - (self.own_s - since.own_s)


def usage() -> Usage:
    """The processor time used until now."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(own.ru_utime + own.ru_stime, _all_s(), own.ru_nivcsw)


def _all_s() -> float | None:
    """Of the processors that this process may use: in a container the others are somebody else's."""
    try:
        lines = _STAT.read_text().splitlines()
    except OSError:  # not Linux
        return None
    usable = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for name, *counts in (line.split() for line in lines if line.startswith("cpu")):
        if name in usable:
            user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, counts[:8])
            ticks += user + nice + system + irq + softirq + stolen
    return ticks / _TICKS_PER_S or None  # some sandboxes tell 0 of everything
