"""A worker's report about the machine and itself: its environment, its memory, and the load of other processes while
something is timed, read within the timed window."""

import contextlib
import ctypes
import os
import platform
from pathlib import Path
from typing import get_args

import numpy as np

from compare.processes.cores import cores
from compare.processes.environment import WAITING_VARIABLE, cpu_name, recorded, usable_cores
from compare.processes.usage import Usage, count_in, peak_rss_bytes, usage
from shared.choices import Waiting
from shared.protocol import Framework
from shared.result import Environment

__all__ = ["MUCH_LOAD", "Usage", "count_in", "describe", "peak_rss_bytes", "reset_peak_rss", "usage"]
MUCH_LOAD = 0.1  # of a core, during timing


def describe(framework: Framework) -> Environment:
    """Return the environment of this process, with the framework's report."""
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
    """Return this worker's --waiting; None if something other than the harness started it."""
    asked = os.environ.get(WAITING_VARIABLE)
    return next((one for one in get_args(Waiting) if one == asked), None)


def reset_peak_rss() -> None:
    """Restart the peak from the memory in use now, if the system supports it (Linux). Freed memory that glibc keeps is
    returned first."""
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not Linux, or not allowed: the peak then continues from the start of the process
        return
