"""The resources that a worker uses, and the load of other processes at the same time.

It imports nothing that a process that only answers would not have (compare/worker/serve.py).
"""

import gc
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Usage:
    """Processor time in seconds since some beginning: this process's, and that of all processes on the machine. The
    latter includes what the hypervisor gave to others, and is None if the system does not report it. Also how often
    this process had to yield its core."""

    own_s: float
    all_s: float | None
    n_preempted: int
    sent: int | None = None  # bytes sent over all network interfaces, if several processes train together

    def foreign_s(self, since: "Usage") -> float | None:
        """Return the processor time that others took since then. The two clocks tick differently: for a short time it
        may be negative, and only the sum over many is meaningful."""
        if self.all_s is None or since.all_s is None:
            return None
        return (self.all_s - since.all_s) - (self.own_s - since.own_s)

    def sent_since(self, since: "Usage") -> int | None:
        """Return the bytes sent since then."""
        return None if self.sent is None or since.sent is None else self.sent - since.sent


_peers: list[int] = []


def count_in(pids: list[int]) -> None:
    """Count these processes as part of this one from now on: they train the same network."""
    _peers[:] = pids


def usage() -> Usage:
    """Return the processor time used until now."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    of_peers = sum(_used_s(pid) for pid in _peers)
    return Usage(own.ru_utime + own.ru_stime + of_peers, _all_s(), own.ru_nivcsw, _sent() if _peers else None)


def _sent() -> int | None:
    """Return how many bytes this machine has sent, loopback included; None if the system does not report it."""
    try:
        _, _, *lines = Path("/proc/self/net/dev").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.rpartition(":")[2].split()[8]) for line in lines)


def _used_s(pid: int) -> float:
    """Return the processor time that another process has used; 0 if the system does not report it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _all_s() -> float | None:
    """Return the time of the processors that this process may use; in a container others belong to others."""
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
    return ticks / _TICKS_PER_S or None  # some sandboxes report 0 for everything


def peak_rss_bytes() -> int | None:
    """Return the peak resident memory since the start or `reset_peak_rss`; None if the system does not report it."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect no garbage in this context. Objects that exist by now are kept forever, and never searched again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
