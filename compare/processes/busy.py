"""Processes that only keep cores busy, as another program would."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from compare.processes.environment import import_path
from compare.processes.signals import ASKED
from shared.errors import InputError


@contextmanager
def busy(n: int) -> Iterator[list[int]]:
    """Keep `n` processes busy while the context lasts, each with a core's worth of pure Python, and yield their process
    ids. Raises InputError if one cannot be started, or ends early.

    They end with the context, and if this process is killed. Enter it in the main thread: Linux ends them with the
    thread that started them.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(n):
            started.append(_start())
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # a line, or the end of a process that failed
        _check_alive(started)
        yield [process.pid for process in started]
        _check_alive(started)
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _start() -> "subprocess.Popen[bytes]":
    variables = {"PYTHONPATH": os.pathsep.join(import_path()), "PYTHONSAFEPATH": "1", ASKED: str(os.getpid())}
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "compare.processes.busy_loop"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,  # an interrupt at the terminal is for the command, which ends them
        )
    except OSError as error:
        raise InputError(f"--beside: no busy process can be started ({error.strerror}). Give fewer.") from None


def _check_alive(processes: list["subprocess.Popen[bytes]"]) -> None:
    if any(process.poll() is not None for process in processes):
        raise InputError("--beside: something else ended a busy process. The times beside it are left out.")
