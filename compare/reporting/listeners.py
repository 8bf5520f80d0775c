"""Standard output and standard error, which may lose their listeners: a pipe whose reader has gone (`| head`), a
terminal that was closed, an `ssh` that was cut off.

Progress that no one can see is not shown, and stops nothing. What a command prints is its purpose, unless it keeps its
results in a folder: such a command goes on, too.
"""

import errno
import io
import select
import sys
from typing import TextIO

GONE = (errno.EPIPE, errno.EIO)  # of a pipe without a reader, and of a terminal that was closed
STDOUT, STDERR = 1, 2


class Patient(io.FileIO):
    """An open stream of the system. Once it takes no more, what is written to it is dropped, if that is to be so."""

    def __init__(self, descriptor: int, outlived: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.outlived = outlived  # whether this process goes on without it
        self.failed: OSError | None = None  # why it takes no more

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
            if written is None:  # another process has set this pipe not to wait
                select.select([], [self], [])
            left = left[written or 0 :]
        return size


_patient: dict[int, Patient] = {}


def make_patient() -> None:
    """Have both streams of this process outlast their listeners: standard error at once, standard output from
    `outlive` on."""
    sys.stdout, sys.stderr = _made(sys.stdout, STDOUT, False), _made(sys.stderr, STDERR, True)


def outlive() -> None:
    """From now on, this command goes on without standard output: it keeps its results in a folder."""
    if STDOUT in _patient:
        _patient[STDOUT].outlived = True


def check() -> None:
    """Raise the OSError for which standard output took no more, unless no process reads it."""
    sys.stdout.flush()
    failed = _patient[STDOUT].failed if STDOUT in _patient else None
    if failed is not None and failed.errno not in GONE:
        raise failed


def _made(stream: TextIO, number: int, outlived: bool) -> TextIO:
    """The same stream, patient; another one that stands in its place, as a test's, stays as it is."""
    if stream not in (sys.__stdout__, sys.__stderr__) or not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = _patient[number] = Patient(number, outlived)
    by_line = stream.line_buffering or stream.write_through
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=by_line)
