"""Run `python -m compare` with the NumPy implementations, in a process that is gone at the end of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import forking
from patience import GENEROUS_S

ROOT = Path(__file__).parents[2]
MAIN = """
from numpy_specs import numpy_spec
from compare.registry import IMPLEMENTATIONS
for name, module in (("numpy", "numpy_misbehaving"), ("numpy_again", "numpy_again")):
    IMPLEMENTATIONS[name] = numpy_spec(name, module)
from compare.__main__ import main
main()
"""
# Saving pictures takes longer than the small runs of these tests. `conftest.quick_pictures` does the same within a
# test.
QUICK_PICTURES = """
from compare.reporting import plots
plots.to_png = lambda figure: b"\\x89PNG\\r\\n\\x1a\\n"
plots.to_svg = lambda figure: b'<svg xmlns="http://www.w3.org/2000/svg"/>'
"""
# Workers of a forked command are forked too.
FORKED = """
import os, forking
from compare.processes import process
process.subprocess = forking.Subprocess(forking.fork_here, dict(os.environ))
"""
Command = subprocess.Popen[str]
ENVIRONMENT = dict(os.environ)


@contextmanager
def running(
    *arguments: object, first: str = "", dots: bool = True, executed: bool = False, **how: Any
) -> Iterator[Command]:
    """Start the command after running the Python code `first`, and yield it.

    With `dots`, its pictures are dots. It can be interrupted even if the tests ignore SIGINT as a background job. `how`
    changes the arguments of `Popen`; its `preexec_fn` is one of this module's. The command is forked with its imports
    done (forking.py), unless it is to be `executed` or its environment differs from that of these tests.
    """
    places = ROOT, ROOT / "tests" / "support", ROOT / "examples" / "numpy_impl"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))}
    settings: dict[str, Any] = {
        "env": environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "preexec_fn": interruptible,  # safe, because tests start no threads that hold locks
        **how,
    }
    first = (QUICK_PICTURES if dots else "") + first
    process: Command
    if forking.AVAILABLE and not executed and forking.same_start(environment, ENVIRONMENT):
        run = {"run": "code", "code": FORKED + first + MAIN, "arguments": list(map(str, arguments))}
        process = forking.Forked(run, command_server().fork, **settings)
    else:
        process = subprocess.Popen([sys.executable, "-c", first + MAIN, *map(str, arguments)], **settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            for worker in workers_of(process):
                os.kill(worker, signal.SIGKILL)
            process.kill()
            process.communicate()


@cache
def command_server() -> forking.Server:
    """Return the server that forks the commands of these tests. tests/conftest.py ends it."""
    return _server(forking.COMMAND_IMPORTS)


@cache
def worker_server() -> forking.Server:
    """Return the server that forks the workers started by the tests themselves."""
    return _server(forking.WORKER_IMPORTS)


def _server(imports: tuple[str, ...]) -> forking.Server:
    places = ROOT, ROOT / "tests" / "support", ROOT / "examples" / "numpy_impl"
    return forking.Server(imports, ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(map(str, places))})


def close_servers() -> None:
    """End the servers that were started."""
    for server in (command_server, worker_server):
        if server.cache_info().currsize:
            server().close()


def rest_of(process: Command) -> tuple[str, str]:
    """Return all output on both streams from here to the end of the process.

    `communicate` would lose output that was buffered while earlier lines were read.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    process.wait(timeout=GENEROUS_S)
    with process.stdout, process.stderr:
        return process.stdout.read(), process.stderr.read()


def interruptible() -> None:
    """Restore SIGINT in a new process, in case these tests were started with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def uninterruptible() -> None:
    """Ignore SIGINT in a new process, as a shell without job control does for background jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def at_terminal() -> None:
    """Make the terminal at standard error the controlling terminal of a new process."""
    os.setsid()
    with open(os.ttyname(2), "w"):  # noqa: PTH123  opening it makes it the controlling one
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def at_terminal_ignoring_its_end() -> None:
    """Ignore the terminal's end, as `nohup` does."""
    at_terminal()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def wait_for(path: Path, process: Command) -> None:
    """Wait until `path` exists. Fail if the process ends first."""
    deadline = time.monotonic() + GENEROUS_S
    while not path.exists():
        assert process.poll() is None, f"it ended before {path} was there"
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)


def workers_of(process: Command) -> list[int]:
    """Return the ids of the processes that it started."""
    listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def still_there(pids: list[int], wait_s: float = 120.0) -> list[int]:
    """Return the processes that have not ended within `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while (left := [pid for pid in pids if _alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
