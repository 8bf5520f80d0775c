"""What commands that were killed have left in folders of results: files that were not whole yet, and output folders in
which nothing had begun."""

import os
import re
import shutil
from pathlib import Path

from compare.registry import IMPLEMENTATIONS
from shared.errors import InputError
from shared.storage import lock, temporary
from shared.storage.inside import PARTIAL

LOGS = "logs"
SIDES = ("left", "right")  # of a comparison of two models, whose workers are called so
RUNS = Path("runs")  # where output folders are that no option names
_PARTIAL_NAME = re.compile(re.escape(PARTIAL) + r"[a-z0-9_]{8,16}")
_NAME_IN_RUNS = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-.+")


def clear(folder: Path) -> None:
    """Remove what was being written in `folder`, one of results that this process holds, when another command was
    killed. Links are not followed. Raises OSError."""
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
    """Whether `folder` holds nothing but what a command leaves that was killed before its first result: logs of
    workers, and files that were not whole. It may still be at work. Raises OSError."""
    with os.scandir(folder) as entries:
        known = list(entries)
    return any(entry.name == LOGS for entry in known) and all(
        _holds_logs_alone(Path(entry)) if entry.name == LOGS else _is_left(Path(entry)) for entry in known
    )


def clear_unbegun(folder: Path) -> None:
    """Empty `folder` if nothing had begun in it. Raises InputError if another command is at work there."""
    if not folder.is_dir() or not is_unbegun(folder):
        return
    with lock.held(folder):
        if is_unbegun(folder):  # checked again under the lock
            clear(folder)
            shutil.rmtree(folder / LOGS)


def clear_runs() -> None:
    """Remove the folders below runs/ in which nothing had begun: no command will name them."""
    try:
        named = [path for path in RUNS.iterdir() if _NAME_IN_RUNS.fullmatch(path.name) and not path.is_symlink()]
    except OSError:
        return  # there is none
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
    """Whether a log is of a worker, by its name: that of an implementation, at so many processes or as a bench has it,
    or of a side. Of an empty one it does not matter."""
    named = (re.fullmatch(rf"{re.escape(known)}([-@].*)?", log.stem) for known in (*IMPLEMENTATIONS, *SIDES))
    return log.stat().st_size == 0 or any(named)


def _is_left(path: Path) -> bool:
    return _PARTIAL_NAME.fullmatch(path.name) is not None and _is_own_file(path)


def _is_own_file(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_uid == os.geteuid()
