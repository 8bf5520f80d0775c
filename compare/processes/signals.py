"""How a process ends: when it is asked to, and with the process that started it.

SIGINT (Ctrl-C) and SIGTERM raise KeyboardInterrupt, wherever the program is just then. In the middle of the import of
a C extension that exception may be lost, or come out as another, so the signal is noted, too.
"""

import ctypes
import os
import signal
import sys
from types import FrameType

ASKED = "COMPARE_DIE_WITH_PARENT"
GIVEN_COMMAND = "COMPARE_COMMAND"  # of a command that is carried out elsewhere, by another one
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_noted: list[int] = []


def listen() -> None:
    """From now on, both signals are interrupts, unless the process that started this one ignores them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def heard() -> bool:
    """Whether there was an interrupt."""
    return bool(_noted)


def check() -> None:
    """Raise the KeyboardInterrupt that was lost."""
    if _noted:
        raise KeyboardInterrupt


def _interrupt(number: int, _: FrameType | None) -> None:
    _noted.append(number)
    raise KeyboardInterrupt


def die_with_parent_if_asked() -> None:
    """Where the variable COMPARE_DIE_WITH_PARENT asks for it, have the system kill this process when its parent ends,
    however that ends (Linux). Elsewhere a worker ends with its input, when it next looks for a request."""
    if os.environ.pop(ASKED, "") != "1" or not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it was asked for
        raise SystemExit(1)
