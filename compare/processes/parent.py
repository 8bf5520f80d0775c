"""What a process is told by the one that started it: not to outlive it, and for which command it stands in."""

import ctypes
import os
import signal
import sys

ASKED = "COMPARE_DIE_WITH_PARENT"
GIVEN_COMMAND = "COMPARE_COMMAND"  # of a command that is carried out elsewhere, by another one
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def die_with_parent_if_asked() -> None:
    """Where the variable COMPARE_DIE_WITH_PARENT asks for it, have the system kill this process when its parent ends,
    however that ends (Linux). Elsewhere a worker ends with its input, when it next looks for a request."""
    if os.environ.pop(ASKED, "") != "1" or not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it was asked for
        raise SystemExit(1)
