"""What a worker says of the machine and of itself: its environment, its memory, and what else the machine is doing
while something is timed, read within the timed window itself."""

import contextlib
import ctypes
import os
import platform
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from compare.processes.cores import cores
from compare.processes.environment import WAITING_VARIABLE, cpu_name, recorded, usable_cores
from shared.choices import Waiting
from shared.protocol import Framework
from shared.result import Environment

MUCH_LOAD = 0.1  # of a core, while something is timed
_STAT = Path("/proc/stat")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Usage:
    """Processor time in seconds since some beginning: this process's, and that of all processes on the machine with
    what the hypervisor gave to others (None if the system does not say); and how often this process had to make
    room."""

    own_s: float
    all_s: float | None
    n_preempted: int
    sent: int | None = None  # bytes sent over all network interfaces, where several processes train together

    def foreign_s(self, since: "Usage") -> float | None:
        """The processor time that others took since then. The two clocks tick differently, so that of a short time it
        may be negative: what counts is the sum over many."""
        if self.all_s is None or since.all_s is None:
            return None
        return (self.all_s - since.all_s) - (self.own_s - since.own_s)

    def sent_since(self, since: "Usage") -> int | None:
        """The bytes sent since then."""
        return None if self.sent is None or since.sent is None else self.sent - since.sent


_peers: list[int] = []


def count_in(pids: list[int]) -> None:
    """From now on, what these processes use is no foreign load: they train the same network."""
    _peers[:] = pids


def usage() -> Usage:
    """The processor time used until now."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    of_peers = sum(_used_s(pid) for pid in _peers)
    return Usage(own.ru_utime + own.ru_stime + of_peers, _all_s(), own.ru_nivcsw, _sent() if _peers else None)


def _sent() -> int | None:
    """How many bytes this machine has sent, loopback included; None if the system does not tell."""
    try:
        _, _, *lines = Path("/proc/self/net/dev").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.rpartition(":")[2].split()[8]) for line in lines)


def _used_s(pid: int) -> float:
    """The processor time that another process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


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


def describe(framework: Framework) -> Environment:
    """The environment of this process, with what the framework says of itself."""
    return Environment(
        node=platform.node(),
        framework=framework.name,
        framework_version=framework.version,
        python=platform.python_version(),
        numpy=np.__version__,
        system=platform.platform(),
        cpu=cpu_name(),
        cores=usable_cores(),
        threads=int(os.environ["COMPARE_THREADS"]),
        n_cuda_devices=framework.n_cuda_devices,
        settings=framework.settings,
        variables=recorded(os.environ),
        waiting=_waiting(),
        cores_in_words=cores().in_words,
    )


def _waiting() -> Waiting | None:
    """What this worker was started with; None if something else than the harness started it."""
    asked = os.environ.get(WAITING_VARIABLE)
    return next((one for one in get_args(Waiting) if one == asked), None)


def peak_rss_bytes() -> int | None:
    """The most memory resident since the process started or `reset_peak_rss`; None if the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def reset_peak_rss() -> None:
    """Let the peak start again from what is in use now, where the system can (Linux): what glibc keeps of freed memory
    goes back first."""
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not Linux, or not allowed: the peak then goes on from the start of the process
        return
