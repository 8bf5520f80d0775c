"""Standard output and standard error, whose reader may disappear: a pipe whose reader has gone (`| head`), a terminal
that was closed, an `ssh` that was cut off.

Progress without a reader is dropped, and does not stop the command. Output is a command's purpose, unless it keeps its
results in a folder: such a command continues, too.
"""

import errno
import io
import select
import sys
from typing import TextIO

GONE = (errno.EPIPE, errno.EIO)  # for a pipe without a reader, and for a terminal that was closed
STDOUT, STDERR = 1, 2


class Patient(io.FileIO):
    """An open stream of the system. Once writing fails, its content is dropped if the stream may be outlived."""

    def __init__(self, descriptor: int, outlived: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.outlived = outlived  # whether this process continues without it
        self.failed: OSError | None = None  # why writing failed

    def write(self, content) -> int:  # type: ignore[no-untyped-def] # whatever has bytes
        """Write all of `content`, or drop it; return its size."""
        left = memoryview(content).cast("B")
        size = len(left)
        while len(left) and self.failed is None:
            try:
                written = super().write(left)
            except OSError as error:
                if not self.outlived:
                    raise
                self.failed = error
                break
            if written is None:  # another process has set this pipe to non-blocking
                select.select([], [self], [])
            left = left[written or 0 :]
        return size


_patient: dict[int, Patient] = {}


def make_patient() -> None:
    """Let this process outlive the readers of both streams: of standard error at once, of standard output from
    `outlive` on."""
    sys.stdout, sys.stderr = _made(sys.stdout, STDOUT, False), _made(sys.stderr, STDERR, True)


def outlive() -> None:
    """Let this command continue without standard output from now on: it keeps its results in a folder."""
    if STDOUT in _patient:
        _patient[STDOUT].outlived = True


def check() -> None:
    """Raise the OSError that ended standard output, unless only its reader has gone."""
    sys.stdout.flush()
    failed = _patient[STDOUT].failed if STDOUT in _patient else None
    if failed is not None and failed.errno not in GONE:
        raise failed


def _made(stream: TextIO, number: int, outlived: bool) -> TextIO:
    """Return a patient version of a stream. A stream that replaces the system's, as in a test, is left unchanged."""
    if stream not in (sys.__stdout__, sys.__stderr__) or not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = _patient[number] = Patient(number, outlived)
    by_line = stream.line_buffering or stream.write_through
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=by_line)
