"""The workers of a comparison: started once, used for many networks, and replaced if one has ended."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from compare.processes.environment import require_cuda, usable_cores
from compare.processes.process import Tell, WorkerError, starting
from compare.processes.session import Session
from shared.choices import Device

THREADS = 1  # the implementations work in parallel, so one each


Answer = TypeVar("Answer")


def ask_all(sessions: Mapping[str, Session], threads: int, ask: Callable[[Session], Answer]) -> dict[str, Answer]:
    """Return ask(session) for every worker; as many run at once as there are cores, with `threads` threads each.

    Raises WorkerError, which names the worker, if one fails.
    """
    answers = {}
    with ThreadPoolExecutor(max(1, usable_cores() // threads)) as pool:
        asked = {name: pool.submit(ask, session) for name, session in sessions.items()}
        try:
            for name, future in asked.items():
                answers[name] = future.result()
        except WorkerError as error:
            raise WorkerError(f"{name} failed: {error}", error.details) from error
        except KeyboardInterrupt:
            for future in asked.values():
                future.cancel()
            for session in sessions.values():  # otherwise the threads would wait for them
                session.kill()
            raise
    return answers


class Workers:
    """A worker for each implementation requested so far. Used in a `with`, whose end ends all of them.

    `device` "cpu" hides CUDA from them, and "cuda" requires that all see it; None does neither.
    """

    def __init__(
        self, logs: Path, device: Device | None, timeout_s: float, tell: Tell | None = None, threads: int = THREADS
    ) -> None:
        self.threads = threads
        self.logs = logs
        self.tell = tell
        self.device = device
        self.timeout_s = timeout_s
        self._sessions: dict[str, Session] = {}

    def start(self, names: Iterable[str]) -> dict[str, Session]:
        """Return the workers of the implementations `names`: those that are alive, and new ones.

        Raises InputError if they must compute with CUDA and a framework sees no device.
        """
        names = list(names)
        for name in names:
            if name in self._sessions and not self._sessions[name].alive:
                self._sessions.pop(name).close()
        missing = [name for name in names if name not in self._sessions]
        if self.tell and missing:
            self.tell(starting(missing))
        for name in missing:
            log, hide_cuda = self.logs / f"{name}.log", self.device == "cpu"
            self._sessions[name] = Session(name, log, self.threads, hide_cuda, self.timeout_s, tell=self.tell)
        sessions = {name: self._sessions[name] for name in names}
        if self.device == "cuda":
            environments = {}
            for name, session in sessions.items():
                with contextlib.suppress(WorkerError):  # the session raises it again at the next request
                    environments[name] = session.wait_until_ready()
            require_cuda(environments)
        return sessions

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for session in self._sessions.values():  # all receive the request first, to end in parallel
            if kind is None:
                session.end_input()
            else:
                session.kill()  # a long request may be in progress
        for session in self._sessions.values():
            session.close()
