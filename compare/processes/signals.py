"""How a process ends: on request, and with the process that started it.

SIGINT (Ctrl-C) and SIGTERM raise KeyboardInterrupt at any point of the program. During the import of a C extension that
exception may be lost, or turn into another one. The signal is therefore noted, too. SIGHUP is ignored: a study
continues without the terminal that was closed.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

ASKED = "COMPARE_DIE_WITH_PARENT"
GIVEN_COMMAND = "COMPARE_COMMAND"  # for a command that another one carries out elsewhere
PR_SET_PDEATHSIG = 1  # from linux/prctl.h
_noted: list[int] = []
_held: list[bool] = []  # for each active `held_back`, whether an interrupt has arrived
_spared: list[bool] = []  # since `spare_one`, whether an interrupt has arrived
_notice: list[str] = []


def listen() -> None:
    """Treat both signals as interrupts from now on, unless the process that started this one ignores them."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def was_interrupted() -> bool:
    """Return whether there was an interrupt."""
    return bool(_noted)


def check() -> None:
    """Raise the KeyboardInterrupt that was lost."""
    if _noted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Raise an interrupt that arrives in this context at its end: the work in it is short and must stay together."""
    _held.append(False)
    try:
        yield
    finally:
        came = _held.pop()
    if came:
        _deliver()


def spare_one(notice: str) -> None:
    """Let the first interrupt from now on only print `notice` on standard error; the second one is raised."""
    _spared[:], _notice[:] = [False], [notice]


def spared() -> bool:
    """Return whether an interrupt has arrived since `spare_one`, which ends here: the next one is raised."""
    came = any(_spared)
    _spared.clear()
    return came


def _interrupt(number: int, _: FrameType | None) -> None:
    _noted.append(number)
    _deliver()


def _deliver() -> None:
    if _held:
        _held[-1] = True
        return
    if _spared == [False]:
        _spared[:] = [True]
        with contextlib.suppress(OSError):  # the reader may be gone
            os.write(2, f"{_notice[0]}\n".encode())  # a stream may be in the middle of a line of its own
        return
    raise KeyboardInterrupt


def die_with_parent_if_asked() -> None:
    """If the variable COMPARE_DIE_WITH_PARENT is set, let the system kill this process when its parent ends, however
    that ends (Linux). Elsewhere a worker ends with its input, when it waits for the next request.

    The variable is the parent's process number: the parent may have ended before this point.
    """
    asked = os.environ.pop(ASKED, "")
    if not asked or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(asked):
        raise SystemExit(1)
