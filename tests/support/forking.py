"""Fork the processes of tests from a process that has already done their imports.

The imports of a command take 1.5 s of processor time, those of a NumPy worker 0.4 s, and the default suite starts
hundreds. `Forked` is a `subprocess.Popen` whose process is forked instead. It is a child of the requesting process, in
its own session if requested. It has its own environment, streams and working directory, and no other open file.

Two things differ from an executed process. Modules without side effects are imported already. The interpreter and
libraries have already read their start-up settings (`same_start`). Linux only.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import inspect
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

AVAILABLE = sys.platform == "linux"
PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
MOST_BYTES = 1 << 17  # of one request
# Prefixes of variables that an interpreter or a library reads at its start. READ_LATER are exceptions: they are set
# later here, or do not matter to NumPy.
READ_AT_START = ("LANG", "LC_", "LD_", "MPL", "OPENBLAS_", "PYTHON")
READ_LATER = ("PYTHONHASHSEED", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED")
WORKER_IMPORTS = ("numpy_impl.networks", "compare.worker.__main__")
COMMAND_IMPORTS = (
    *("commands", "command_imports", "compare.commands.study_report"),
    *WORKER_IMPORTS,
    *("compare.cli.app", "compare.commands.run", "compare.commands.parity", "compare.training.study"),
    *("compare.training.report", "compare.reporting.plots", "compare.folders.tabular", "compare.parity.runs"),
    *("jinja2", "markdown_it", "pandas.io.parquet", "pooch", "pyarrow.pandas_compat", "pyarrow.parquet"),
    *("scipy.special", "sklearn.metrics"),
)
_BASE_PATH = list(sys.path)  # a server's path without the entries of PYTHONPATH, see `_serve`
_former: list[object] = []  # kept alive, because streams write their buffers when they are collected

Request = dict[str, Any]


def same_start(environment: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Return whether an interpreter and its libraries would start alike in both environments."""

    def read(variables: Mapping[str, str]) -> dict[str, str]:
        return {
            name: value
            for name, value in variables.items()
            if value and name.startswith(READ_AT_START) and name not in READ_LATER
        }

    return read(environment) == read(other)


class Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A `Popen` whose process `fork` creates from a request: the code to run, its environment and its streams."""

    def __init__(self, run: Request, fork: Callable[[Request, Sequence[int]], int], **how: Any) -> None:
        self._run, self._fork = run, fork
        super().__init__([sys.executable], **how)

    def _execute_child(self, *arguments: Any) -> None:
        given = inspect.signature(subprocess.Popen._execute_child).bind(self, *arguments).arguments
        pipes = [(given["p2cread"], given["p2cwrite"]), (given["c2pwrite"], given["c2pread"])]
        pipes.append((given["errwrite"], given["errread"]))
        request = {
            **self._run,
            "environment": dict(given["env"] if given["env"] is not None else os.environ),
            "folder": os.fspath(given["cwd"] or Path.cwd()),
            "umask": given["umask"] if given["umask"] >= 0 else _umask(),
            "session": given["start_new_session"],
            "prepare": given["preexec_fn"] and (given["preexec_fn"].__module__, given["preexec_fn"].__name__),
        }
        try:
            self.pid = self._fork(request, [n if n >= 0 else own for own, (n, _) in enumerate(pipes)])
            self._child_created = True
        finally:
            self._closed_child_pipe_fds = True
            for theirs, ours in pipes:
                if theirs >= 0 and ours >= 0:
                    os.close(theirs)


class Server:
    """A process that has imported `imports` and forks others on request."""

    def __init__(self, imports: Sequence[str], environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"import forking; forking._serve({theirs.fileno()}, {tuple(imports)!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], env=self.environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
        )
        theirs.close()

    def fork(self, request: Request, streams: Sequence[int]) -> int:
        """Fork a process as a child of this one, and return its id."""
        with self._lock:
            _adopt(True)
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], list(streams))
                answer = self._socket.recv(64)
            finally:
                _adopt(False)
        if not answer:
            raise RuntimeError("the server that forks processes has ended")
        return int(answer)

    def close(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.wait()


def _adopt(orphans: bool) -> None:
    """Set whether this process becomes the parent of descendants whose own parents end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0)


def _serve(of: int, imports: Sequence[str]) -> None:
    """Fork a process for each request until there are no more."""
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    for name in imports:
        importlib.import_module(name)
    _BASE_PATH[:] = [entry for entry in sys.path if entry and entry not in own]
    gc.freeze()
    requests = socket.socket(fileno=of)
    while True:
        body, streams, _, _ = socket.recv_fds(requests, MOST_BYTES, 3)
        if not body:
            return
        requests.send(str(_fork_twice(json.loads(body), streams)).encode())
        for stream in streams:
            os.close(stream)


def _fork_twice(request: Request, streams: Sequence[int]) -> int:
    """Fork a process and end its parent. The system then gives it to the nearest ancestor that adopts orphans."""
    numbers, say_number = os.pipe()
    begin, let_begin = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            process = os.fork()
        except OSError:
            os._exit(1)
        if process:
            os.write(say_number, str(process).encode())
            os._exit(0)
        os.close(let_begin)
        os.read(begin, 1)  # wait for the end of its parent, so it has its final one
        _become(request, streams)
    os.waitpid(between, 0)
    number = int(os.read(numbers, 64))
    for end in (numbers, say_number, begin, let_begin):
        os.close(end)
    return number


def fork_here(request: Request, streams: Sequence[int]) -> int:
    """Fork this process itself, and return the new process's id."""
    process = os.fork()
    if process == 0:
        atexit._clear()
        weakref.finalize._registry.clear()  # the new process must not remove what this one created
        _become(request, streams)
    return process


def _become(request: Request, streams: Sequence[int]) -> NoReturn:
    """Run the requested code like a newly started process, and end."""
    code = 1
    try:
        _begin(request, streams)
        if request["run"] == "worker":
            _worker(request["module"])
        else:
            _code(request["code"], request["arguments"])
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        else:
            code = int(end.code or 0) & 0xFF
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            if request["run"] != "worker":
                threading._shutdown()  # type: ignore[attr-defined]
                atexit._run_exitfuncs()
            sys.stderr.flush()
            sys.stdout.flush()
        except BaseException:
            code = 120  # as in Python
        os._exit(code)


def _begin(request: Request, streams: Sequence[int]) -> None:
    copies = [fcntl.fcntl(stream, fcntl.F_DUPFD, 10) for stream in streams]
    for number, copy in enumerate(copies):
        os.dup2(copy, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if request["session"]:
        os.setsid()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if request["prepare"]:
        module, name = request["prepare"]
        getattr(importlib.import_module(module), name)()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    own = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*([] if request["run"] == "worker" else [""]), *own, *_BASE_PATH]
    importlib.invalidate_caches()
    tempfile.tempdir = None
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    _former.extend((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__))
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc] # noqa: SIM115
    sys.stdout = sys.__stdout__ = _text(1, at_once)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(2, at_once, errors="backslashreplace")  # type: ignore[misc]


def _text(number: int, at_once: bool, errors: str | None = None) -> io.TextIOWrapper:
    raw = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(
        raw if at_once else io.BufferedWriter(raw),  # type: ignore[arg-type]
        errors=errors,
        line_buffering=number == 2 or raw.isatty(),
        write_through=at_once,
    )


def _worker(module: str) -> None:
    from compare.worker.__main__ import main

    sys.argv = ["compare.worker", module]
    main()


def _code(code: str, arguments: Sequence[str]) -> None:
    sys.argv = ["-c", *arguments]
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), main.__dict__)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


class Subprocess:
    """A `subprocess` for compare/processes/process.py, whose `Popen` forks NumPy workers and executes others."""

    PIPE, TimeoutExpired = subprocess.PIPE, subprocess.TimeoutExpired

    def __init__(self, fork: Callable[[Request, Sequence[int]], int], started: Mapping[str, str]) -> None:
        self._fork, self._started = fork, started

    def Popen(self, command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
        """Start a process as subprocess.Popen does."""
        _, _, program, *arguments = command
        if program != "compare.worker" or arguments[0].startswith(("torch_", "tf_", "more_networks")):
            return subprocess.Popen(command, **how)
        if not same_start(how["env"], self._started):
            return subprocess.Popen(command, **how)
        return Forked({"run": "worker", "module": arguments[0]}, self._fork, **how)
