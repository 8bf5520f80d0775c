"""One command at a time in a folder. The system drops a lock with the process that held it, however that ended."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import InputError
from shared.storage import mounts


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock the existing `folder` for this command. Raises InputError if another one is at work there."""
    release = hold(folder)
    try:
        yield
    finally:
        release()


def hold(folder: Path) -> Callable[[], None]:
    """Lock `folder`, and return a function that unlocks it. Raises InputError if another command has it."""
    mount = mounts.of(folder)
    if mount and mount.writable:
        mount.hold()
        return lambda: None  # it is unlocked when it is unmounted, after everything was written there
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # child processes do not inherit it
    except OSError as error:
        raise InputError(f"{folder} cannot be used: {error.strerror}. Give another folder.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(
            f"Another command is at work in {folder}. Wait until it has ended, or give another folder."
        ) from None
    except OSError:  # a file system without locks: there is none then
        os.close(descriptor)
        return lambda: None
    return lambda: os.close(descriptor)
