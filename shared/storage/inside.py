"""Work in a folder that may come from anywhere, without following links or waiting.

Files are written by handles of folders, one below the other: no part of a path can be a link, or become one. A file
appears whole, or not at all.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from shared.errors import InputError

PARTIAL = ".partial-"  # prefix of an incomplete file's name
KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def odd(folder: Path) -> dict[str, str]:
    """Return what is in `folder` that is neither a file nor a folder: its kind, by its path there, in order."""
    found = {}
    left = [folder]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    left.append(Path(entry.path))
                elif not stat.S_ISREG(mode):
                    name = Path(entry.path).relative_to(folder).as_posix()
                    found[name] = KINDS.get(stat.S_IFMT(mode), "no file")
    return dict(sorted(found.items()))


def check(folder: Path) -> None:
    """Raise InputError if something in `folder` is neither a file nor a folder."""
    try:
        found = odd(folder)
    except (FileNotFoundError, NotADirectoryError):
        return  # the caller that needs it says what it should be
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}. Give the folder of a run.") from None
    for name, what in found.items():
        raise InputError(
            f"{folder / name} is {what}. A folder that 'python -m compare' wrote has only files and folders, and "
            "nothing in it is read or written through anything else. Replace it by what is meant: 'cp -rL' makes a "
            "copy without links."
        )


def write(folder: Path, name: str, content: bytes) -> None:
    """Write the file `name` below the existing `folder`, and create the folders in between. Raises OSError."""
    *between, last = PurePosixPath(name).parts
    with _handle(folder, between, make=True) as parent:
        partial = f"{PARTIAL}{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(partial, flags, 0o666, dir_fd=parent)  # minus the umask
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(partial, last, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(partial, dir_fd=parent)
            raise


def remove(folder: Path, name: str) -> None:
    """Remove the file `name` below `folder`, if it exists. Raises OSError."""
    *between, last = PurePosixPath(name).parts
    try:
        with _handle(folder, between) as parent:
            os.unlink(last, dir_fd=parent)
    except FileNotFoundError:
        return


def open_log(path: Path) -> int:
    """Return a descriptor that appends to the file `path`, which is created if it is missing. Raises OSError.

    Links are not followed and pipes are not waited for. A file with a second name (a hard link) may belong to another
    folder: it is replaced, and its other name keeps its content.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    parent = os.open(path.parent, _FOLDER | os.O_NOFOLLOW)
    try:
        descriptor = os.open(path.name, flags, 0o666, dir_fd=parent)
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            os.close(descriptor)
            os.unlink(path.name, dir_fd=parent)
            descriptor = os.open(path.name, flags | os.O_EXCL, 0o666, dir_fd=parent)
    finally:
        os.close(parent)
    return descriptor


@contextmanager
def _handle(folder: Path, between: list[str], make: bool = False) -> Iterator[int]:
    """Return a handle of the folder below `folder` that the names in `between` lead to, none of them a link."""
    handle = os.open(folder, _FOLDER)
    try:
        for name in between:
            if make:
                with suppress(FileExistsError):  # an existing entry is checked next
                    os.mkdir(name, dir_fd=handle)
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)
