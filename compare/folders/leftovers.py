"""Clean up after killed commands in folders of results: incomplete files, and output folders without results."""

import os
import re
import shutil
from pathlib import Path

from compare.registry import IMPLEMENTATIONS
from shared.errors import InputError
from shared.storage import lock, temporary
from shared.storage.inside import PARTIAL

LOGS = "logs"
SIDES = ("left", "right")  # of a comparison of two models, which names its workers so
RUNS = Path("runs")  # the place of output folders that no option names
_PARTIAL_NAME = re.compile(re.escape(PARTIAL) + r"[a-z0-9_]{8,16}")
_NAME_IN_RUNS = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-.+")


def clear(folder: Path) -> None:
    """Remove incomplete files that a killed command left in `folder`, a folder of results that this process has locked.
    Links are not followed. Raises OSError."""
    for place, inner, files in os.walk(folder):
        for name in files:
            if name.startswith(PARTIAL) and _is_own_file(Path(place, name)):
                Path(place, name).unlink()
        for name in list(inner):
            path = Path(place, name)
            if temporary.is_abandoned(name) and not path.is_symlink() and path.stat().st_uid == os.geteuid():
                shutil.rmtree(path, ignore_errors=True)
                inner.remove(name)


def is_unbegun(folder: Path) -> bool:
    """Whether `folder` only has what a command leaves that is killed before its first result: logs of workers, and
    incomplete files. The command may still be at work. Raises OSError."""
    with os.scandir(folder) as entries:
        known = list(entries)
    return any(entry.name == LOGS for entry in known) and all(
        _holds_logs_alone(Path(entry)) if entry.name == LOGS else _is_left(Path(entry)) for entry in known
    )


def clear_unbegun(folder: Path) -> None:
    """Empty `folder` if it has no results. Raises InputError if another command is at work there."""
    if not folder.is_dir() or not is_unbegun(folder):
        return
    with lock.held(folder):
        if is_unbegun(folder):  # checked again under the lock
            clear(folder)
            shutil.rmtree(folder / LOGS)


def clear_runs() -> None:
    """Remove the folders below runs/ without results: no command will name them."""
    try:
        named = [path for path in RUNS.iterdir() if _NAME_IN_RUNS.fullmatch(path.name) and not path.is_symlink()]
    except OSError:
        return  # there is no such folder
    for folder in named:
        try:
            if folder.stat().st_uid == os.geteuid() and is_unbegun(folder):
                clear_unbegun(folder)
                folder.rmdir()
        except (InputError, OSError):
            continue  # a command is at work there, or has just begun


def _holds_logs_alone(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.geteuid():
        return False
    return all(_is_own_file(log) and log.suffix == ".log" and _is_of_worker(log) for log in path.iterdir())


def _is_of_worker(log: Path) -> bool:
    """Whether a log is of a worker. Its name is that of an implementation, possibly with a number of processes or a
    bench's suffix, or that of a side. The name of an empty log does not matter."""
    named = (re.fullmatch(rf"{re.escape(known)}([-@].*)?", log.stem) for known in (*IMPLEMENTATIONS, *SIDES))
    return log.stat().st_size == 0 or any(named)


def _is_left(path: Path) -> bool:
    return _PARTIAL_NAME.fullmatch(path.name) is not None and _is_own_file(path)


def _is_own_file(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_uid == os.geteuid()
