"""How a process ends: when it is asked to, and with the process that started it.

SIGINT (Ctrl-C) and SIGTERM raise KeyboardInterrupt, wherever the program is just then. In the middle of the import of
a C extension that exception may be lost, or come out as another, so the signal is noted, too. SIGHUP is ignored: a
terminal that closes has no more to say, and a study goes on without it.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

ASKED = "COMPARE_DIE_WITH_PARENT"
GIVEN_COMMAND = "COMPARE_COMMAND"  # of a command that is carried out elsewhere, by another one
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_noted: list[int] = []
_held: list[bool] = []  # for each `held_back` that is under way, whether an interrupt has come
_spared: list[bool] = []  # since `spare_one`, whether an interrupt has come
_notice: list[str] = []


def listen() -> None:
    """From now on, both signals are interrupts, unless the process that started this one ignores them."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def was_interrupted() -> bool:
    """Whether there was an interrupt."""
    return bool(_noted)


def check() -> None:
    """Raise the KeyboardInterrupt that was lost."""
    if _noted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Raise an interrupt that comes meanwhile at the end: what is done here is short, and belongs together."""
    _held.append(False)
    try:
        yield
    finally:
        came = _held.pop()
    if came:
        _deliver()


def spare_one(notice: str) -> None:
    """From now on the first interrupt raises nothing, and says `notice` on standard error; the second one is raised."""
    _spared[:], _notice[:] = [False], [notice]


def spared() -> bool:
    """Whether an interrupt has come since `spare_one`, whose time is over: the next one is raised."""
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
    """If the variable COMPARE_DIE_WITH_PARENT asks for it, have the system kill this process when its parent ends,
    however that ends (Linux). Elsewhere a worker ends with its input, when it next looks for a request.

    The variable is the parent's process number: it may have ended already, before this process came so far.
    """
    asked = os.environ.pop(ASKED, "")
    if not asked or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(asked):
        raise SystemExit(1)
