"""Read files that may come from anywhere: their kind and size are checked before anything is read into memory."""

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

from shared.errors import InputError


def read(path: Path, max_bytes: int, advice: str) -> bytes:
    """Return the content of a file of at most `max_bytes`.

    Raises InputError, which ends with `advice`, if it does not exist, is not a file (reading a pipe would wait), is
    larger or cannot be read.
    """
    check(path, max_bytes, advice)
    try:
        with opened(path) as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. {advice}") from None
    if len(content) > max_bytes:  # it has grown since
        raise InputError(f"{path} has more than {max_bytes:,} bytes. {advice}")
    return content


def check(path: Path, max_bytes: int, advice: str) -> None:
    """Raise InputError, which ends with `advice`, unless `path` is a file of at most `max_bytes`."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # a ValueError if its name has a NUL
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}. {advice}") from None
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path} is not a file. {advice}")
    if found.st_size > max_bytes:
        raise InputError(f"{path} has {found.st_size:,} bytes, and such a file has at most {max_bytes:,}. {advice}")
    try:
        opened(path).close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. {advice}") from None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, which may be larger than memory. Raises InputError if it cannot be read."""
    try:
        with opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Make it readable.") from None


def opened(path: Path) -> io.BufferedReader:
    """Open a file for reading. Raises OSError if it is not a file, or a special one of the system's, such as
    /proc/kmsg: reading that would wait for the system's next message."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "It is not a file", str(path))
        if found.st_size == 0 and os.read(descriptor, 1):  # this also fails if there is nothing to read at present
            raise OSError(errno.EINVAL, "It belongs to the system, and has no size", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")
