"""Being asked to end, by SIGINT (Ctrl-C) or SIGTERM: KeyboardInterrupt, wherever the program is just then.

In the middle of the import of a C extension that exception may be lost, or come out as another; so it is noted, too.
"""

import signal
from types import FrameType

_noted: list[int] = []


def listen() -> None:
    """From now on, both signals are interrupts; but not where whoever started this process has them ignored."""
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
