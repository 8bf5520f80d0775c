"""Temporary folders that outlive a killed process: each is named after the process that made it, and the next command
removes those of processes that are gone.

A process is identified by its number and its start, because numbers are reused. Its machine and its process namespace
are part of the name, because several of either may share a folder.
"""

import hashlib
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from shared.errors import InputError

VARIABLES = ("TMPDIR", "TEMP", "TMP")  # in Python's order
LEAST_ROOM = 1 << 20  # bytes: frameworks put less than this beside a worker
_PROCESSES = Path("/proc")
_MARK = re.compile(r"-(?P<pid>\d{1,10})-(?P<start>\d{1,20})-(?P<where>[0-9a-f]{8})-[a-z0-9_]{8}")
_OF_COMMANDS = re.compile(r"compare-[a-z]+" + _MARK.pattern)
ADVICE = "Set the variable TMPDIR to a writable folder with enough room."


@contextmanager
def folder(kind: str) -> Iterator[Path]:
    """Yield a new temporary folder, which exists as long as the context. Raises InputError if that is impossible."""
    made = make(kind)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)  # the next command removes the rest


def make(kind: str) -> Path:
    """Make a temporary folder, which the caller removes. Raises InputError if that is impossible or no room is left."""
    where = place()
    try:
        made = Path(tempfile.mkdtemp(prefix=f"compare-{kind}-{_mark()}-", dir=where))
    except OSError as error:
        raise _unusable(where, error) from None
    try:
        _check_room(made)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise _unusable(where, error) from None
    return made


def place() -> Path:
    """Return the folder of temporary folders. Raises InputError if there is none. A variable that names a missing
    folder is a mistake, and Python would silently use another one."""
    for variable in VARIABLES:
        if given := os.environ.get(variable):
            if not Path(given).is_dir():
                raise InputError(f"{variable} names {given}, which is not a folder. {ADVICE}")
            return Path(given).absolute()
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise InputError(f"There is no folder for temporary files: {error.strerror}. {ADVICE}") from None


def clear_abandoned() -> None:
    """Remove the temporary folders of processes that are gone."""
    try:
        _clear(place(), _OF_COMMANDS)
    except (InputError, OSError):
        return  # the caller that needs a temporary folder reports that there is none


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, on the same file system, for files that are moved to `path` once complete. The
    folders of earlier processes that are gone are removed first."""
    start = f".{path.name}-new"
    _clear(path.parent, re.compile(re.escape(start) + _MARK.pattern))
    former = path.with_name(start)  # the name in earlier versions
    if former.is_symlink() or former.is_file():
        former.unlink()
    elif former.is_dir() and former.stat().st_uid == os.geteuid():
        shutil.rmtree(former)
    made = Path(tempfile.mkdtemp(prefix=f"{start}-{_mark()}-", dir=path.parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def is_abandoned(name: str) -> bool:
    """Whether the process that made a file or folder of this name is gone."""
    found = re.search(_MARK.pattern + "$", name)
    return found is not None and _is_gone(found)


def _clear(where: Path, pattern: re.Pattern[str]) -> None:
    """Remove this user's folders in `where` that match `pattern` and whose processes are gone; links are left."""
    with os.scandir(where) as entries:
        gone = [entry for entry in entries if (found := pattern.fullmatch(entry.name)) and _is_gone(found)]
    for entry in gone:
        try:
            ours = entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        except FileNotFoundError:  # another command has removed it
            continue
        if ours:
            shutil.rmtree(entry.path, ignore_errors=True)


def _mark() -> str:
    """Return this process's part of a name."""
    return f"{os.getpid()}-{_start_of(os.getpid()) or 0}-{_where()}"


def _is_gone(marked: re.Match[str]) -> bool:
    """Whether the process of a mark is known to have ended; one of another machine or container is not."""
    if marked["where"] != _where():
        return False
    pid = int(marked["pid"])
    if not (_PROCESSES / "self" / "stat").exists():  # a system without /proc
        return not _is_alive(pid)
    return _start_of(pid) != int(marked["start"])


def _start_of(pid: int) -> int | None:
    """Return when a process started, in ticks since the system did; None if it does not exist or has ended."""
    try:
        fields = (_PROCESSES / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])  # fields 3 and 22 of proc(5)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@cache
def _where() -> str:
    """Return the machine and its process namespace."""
    try:
        space = os.readlink(_PROCESSES / "self" / "ns" / "pid")  # noqa: PTH115 it is not a path
    except OSError:
        space = ""
    return hashlib.sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:8]


def _check_room(made: Path) -> None:
    """Raise OSError unless there is some room: on a full disk a folder can often be created, but not filled."""
    probe = made / "probe"
    with probe.open("wb") as stream:
        stream.write(bytes(LEAST_ROOM))
    probe.unlink()


def _unusable(where: Path, error: OSError) -> InputError:
    return InputError(f"No temporary folder can be made in {where}: {error.strerror}. {ADVICE}")
