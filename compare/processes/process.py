"""One worker process: start it, send it messages, read its answers, give up on it, end it."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeVar, cast

import numpy as np

from compare.processes import environment
from compare.processes.signals import ASKED
from compare.registry import IMPLEMENTATIONS
from compare.rpc import messages, wire
from shared.choices import Waiting
from shared.errors import InputError, UserCodeError
from shared.protocol import Tier
from shared.result import Environment
from shared.storage import inside, temporary
from shared.world import FOLDER_VARIABLE, SIZE_VARIABLE

Tell = Callable[[str], None]  # called with a line of progress
AnswerType = TypeVar("AnswerType", bound=messages.Answer)
STOP_S = 5.0
LOG_TAIL_LINES = 12


def starting(names: Iterable[str]) -> str:
    """Return the line that names the workers about to start."""
    return f"Starting {', '.join(names)}, each in a process of its own ..."


class WorkerError(Exception):
    """A request that a worker could not carry out: one line for the table, and all details for the log."""

    def __init__(self, error: str, details: str = "", diverged: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.details = details
        self.diverged = diverged  # numbers are no longer finite; the worker itself is fine


class Divergence(WorkerError):
    """A loss or a parameter that is no longer finite; `part` has the steps of the slice before that."""

    def __init__(self, part: messages.Slice) -> None:
        super().__init__(part.diverged or "", diverged=True)
        self.part = part


@dataclass(frozen=True)
class Program:
    """A module with its arguments, its environment variables, its number of processes, and the Python that runs it."""

    arguments: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    n_workers: int = 1
    python: str = sys.executable


class WorkerProcess:
    """A worker process for one implementation.

    The worker has its own process group: an interrupt at the terminal only reaches the harness. The worker ends when
    its input does. If the system supports it, it is also killed with the harness, even while busy or stopped. Raises
    InputError if it cannot be started.
    """

    def __init__(
        self,
        implementation: str,
        log: Path,
        threads: int,
        hide_cuda: bool,
        timeout_s: float,
        variables: Mapping[str, str] = MappingProxyType({}),
        waiting: Waiting = "passive",
        tell: Tell | None = None,
    ) -> None:
        """`tell` is called, from a thread, when the worker has imported its framework. `waiting` is the value of
        --waiting for a worker whose steps are timed. Every other worker waits passively, which leaves the cores to its
        neighbours."""
        self.implementation = implementation
        self.log = log
        self.timeout_s = timeout_s
        self.started = threads, dict(variables), waiting
        self._tell, self._begun_s = tell, time.monotonic()
        self.environment: Environment | None = None  # set once the worker is ready
        self._unready: WorkerError | None = None  # why it never became ready
        self.data_digest: str | None = None  # set once it has data
        self._module_lacks: tuple[Tier, ...] = ()
        self._module_misses: tuple[str, ...] = ()
        self._home = temporary.make("worker")
        self._remove_home = weakref.finalize(self, shutil.rmtree, self._home, ignore_errors=True)
        try:
            with contextlib.ExitStack() as unless_started:
                unless_started.callback(self._remove_home)
                self._process = self._start(threads, hide_cuda, variables, waiting)
                unless_started.pop_all()
        except OSError as error:  # a full disk, a read-only folder, too many processes
            where = f" ({error.filename})" if error.filename else ""
            raise InputError(
                f"No worker can be started for {implementation}: {error.strerror}{where}. Make room, or lift the limit."
            ) from None
        self._frames: queue.Queue[tuple[messages.Answer, wire.Arrays] | WorkerError] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _start(
        self, threads: int, hide_cuda: bool, variables: Mapping[str, str], waiting: Waiting
    ) -> "subprocess.Popen[bytes]":
        with os.fdopen(inside.open_log(self.log), "ab") as stderr:
            program = self.program()
            return subprocess.Popen(
                [program.python, "-m", *program.arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={
                    **environment.worker_variables(threads, self._home, hide_cuda, waiting),
                    # The system counts the thread that started a process as its parent.
                    ASKED: str(os.getpid()) if threading.current_thread() is threading.main_thread() else "",
                    SIZE_VARIABLE: str(program.n_workers),
                    FOLDER_VARIABLE: str(self._home),
                    **program.variables,
                    **variables,
                },
                start_new_session=True,
            )

    def program(self) -> Program:
        """Return what runs in the process."""
        spec = IMPLEMENTATIONS[self.implementation]
        if spec.n_workers == 1:
            return Program(["compare.worker", spec.module], spec.variables)
        arguments = ["compare.worker.ranks", spec.module, spec.joined_by or ""]
        return Program(arguments, spec.variables, spec.n_workers)

    def _ready_line(self, found: Environment) -> str:
        took_s = time.monotonic() - self._begun_s
        return f"{self.implementation} is ready after {took_s:.1f} s: {found.framework} {found.framework_version}."

    @property
    def alive(self) -> bool:
        """Whether the worker can still receive requests."""
        return self._process.poll() is None

    def wait_until_ready(self) -> Environment:
        """Wait until the framework is imported, and return the worker's environment."""
        if self._unready is not None:
            raise self._unready
        if self.environment is None:
            try:
                answer, _ = self._receive("import its framework")
                ready = self._expect(answer, messages.Ready)
                self.environment = ready.environment
                self._module_lacks, self._module_misses = ready.lacking, ready.missing
            except WorkerError as error:
                self._unready = error
                raise
        return self.environment

    def log_size(self) -> int:
        """Return how many bytes the worker has written to its log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, start: int) -> str:
        """Return what the worker wrote to its log after its first `start` bytes."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(start)
                return stream.read().decode(errors="replace").strip()
        except OSError as error:  # the folder was removed
            return f"(its log cannot be read: {error.strerror})"

    def end_input(self) -> None:
        """End the worker's input, which says that there are no more requests and ends the worker."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:  # it ended with a request unread
            self.kill()

    def close(self) -> None:
        """End the worker: by ending its input, else by force."""
        self.end_input()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._listener.join(STOP_S)
        if not self._listener.is_alive():  # otherwise a process that the worker left behind still holds the pipe
            assert self._process.stdout is not None
            self._process.stdout.close()
        self._remove_home()

    def kill(self) -> None:
        """End the worker at once, with all processes that it started."""
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _ask(
        self,
        request: messages.Request,
        expected: type[AnswerType],
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> tuple[AnswerType, wire.Arrays]:
        doing = request.in_words
        given_up = threading.Event()

        def give_up() -> None:
            given_up.set()
            self.kill()

        # A worker that stops reading would block the write forever.
        timer = threading.Timer(self.timeout_s, give_up)
        timer.daemon = True  # an interrupt may come before it can be cancelled; it must not delay the end
        try:
            timer.start()
            wire.write(cast(BinaryIO, self._process.stdin), request.body(), arrays or {})
        except (BrokenPipeError, ValueError) as error:
            if given_up.is_set():
                self.kill()  # the timer's own kill may still be in progress
                raise self._timed_out(doing) from error
            raise self._ended() from error
        finally:
            timer.cancel()
        answer, received = self._receive(doing)
        return self._expect(answer, expected), received

    def _receive(self, doing: str) -> tuple[messages.Answer, wire.Arrays]:
        try:
            frame = self._frames.get(timeout=self.timeout_s)
        except queue.Empty:
            self.kill()
            raise self._timed_out(doing) from None
        if isinstance(frame, WorkerError):
            raise frame
        return frame

    def _timed_out(self, doing: str) -> WorkerError:
        return WorkerError(
            f"no answer within {self.timeout_s:g} s when asked to {doing}; the worker was ended", self._log_tail()
        )

    def _expect(self, answer: messages.Answer, expected: type[AnswerType]) -> AnswerType:
        if isinstance(answer, messages.Failed):
            if self.program().n_workers > 1:  # it is ending, but has not ended yet
                self.kill()
            if answer.own_lines is not None:
                raise UserCodeError(answer.error, answer.own_lines)
            raise WorkerError(answer.error, answer.traceback, answer.diverged)
        assert isinstance(answer, expected), f"{type(answer).__name__} is no answer to this request"
        return answer

    def _listen(self) -> None:
        """Pass on answers until there are no more. This needs a thread, because reading a pipe has no time limit."""
        assert self._process.stdout is not None
        try:
            while (frame := wire.read(cast(BinaryIO, self._process.stdout))) is not None:
                body, arrays = frame
                answer = messages.Answer.of_body(body)
                self._frames.put((answer, arrays))
                if self._tell and isinstance(answer, messages.Ready):
                    self._tell(self._ready_line(answer.environment))
                del frame, arrays  # they can be gigabytes, and would stay until the next answer
        except Exception as error:  # no sensible answer can follow: wake those that wait, and send no more
            self.kill()
            self._frames.put(WorkerError(f"the worker's answer cannot be read ({error})", self._log_tail()))
            return
        self._frames.put(self._ended())

    def _ended(self) -> WorkerError:
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            return WorkerError("the worker closed its output", self._log_tail())
        how = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
        return WorkerError(f"the worker {how}", self._log_tail())

    def _log_tail(self) -> str:
        return "\n".join(self.log_since(0).splitlines()[-LOG_TAIL_LINES:])
