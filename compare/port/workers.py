"""The two workers of a comparison, kept for the next one because importing a framework takes long."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from compare.adapters.references import BadReference, parse
from compare.folders.leftovers import SIDES
from compare.processes.interpreters import interpreter
from compare.processes.port_session import ModelWorker
from shared.errors import InputError
from shared.storage import files

ROOTS = {"torch": "torch", "torchvision": "torch", "timm": "torch", "keras": "tensorflow", "tensorflow": "tensorflow"}
SUFFIXES = {".keras": "tensorflow", ".onnx": "onnx", ".pt2": "torch", "": "tensorflow"}
MOST_LOOKED_AT = 1 << 20  # bytes of the user's code that are searched for imports
T = TypeVar("T")


def settled(calls: Sequence[Future[T]]) -> list[T]:
    """Return the results after all calls have ended, even if one fails: a worker answers one request at a time."""
    wait(calls)
    return [call.result() for call in calls]


def backend_of(stated: str, framework: str = "") -> str:
    """Return the Keras backend for a model: the stated one, else KERAS_BACKEND unless the model is of another
    framework, else tensorflow."""
    by_environment = "" if framework in ("torch", "onnx") else os.environ.get("KERAS_BACKEND", "")
    return stated or by_environment or "tensorflow"


class ModelWorkers:
    """Workers that hold a model each. They end with the `with` block."""

    def __init__(self, logs: Path, timeout_s: float, tell: Callable[[str], None]) -> None:
        self.logs, self.timeout_s, self.tell = logs, timeout_s, tell
        self._kept: dict[tuple[str, str, Path | None, str], ModelWorker] = {}  # by side and by what runs it

    def start(
        self,
        left: str,
        right: str,
        pythons: tuple[Path | None, Path | None] = (None, None),
        backends: tuple[str, str] = ("", ""),
    ) -> tuple[ModelWorker, ModelWorker]:
        """Return a worker for each reference: the last one of that side, framework, interpreter and backend if it is
        alive. `pythons` are other interpreters for the left and the right one; `backends` are those of Keras
        (backend_of). Raises InputError if a reference is not valid, or if an interpreter cannot run a worker."""
        return self._one("left", left, pythons[0], backends[0]), self._one("right", right, pythons[1], backends[1])

    def _one(self, side: str, text: str, python: Path | None, stated: str) -> ModelWorker:
        framework = self._framework(side, text)
        backend = backend_of(stated, framework)
        kept = self._kept.get((side, framework, python, backend))
        if kept is not None and kept.alive and framework:
            kept.reference = text
            return kept
        other = None if python is None else interpreter(python)
        if kept is not None:
            kept.close()
        made = ModelWorker(side, text, self.logs / f"{side}.log", self.timeout_s, self.tell, other, backend)
        self._kept[side, framework, python, backend] = made
        return made

    def _framework(self, side: str, text: str) -> str:
        """Return the framework that a model's worker will import, if the code shows it; else ""."""
        try:
            reference = parse(text)
        except BadReference as error:
            raise InputError(f"The {side} model: {error}") from None
        if reference.path is not None:
            return SUFFIXES.get(reference.path.suffix.lower(), "")
        if not reference.module.endswith(".py"):
            return ROOTS.get(reference.module.partition(".")[0], "")
        with files.opened(Path(reference.module)) as stream:
            code = stream.read(MOST_LOOKED_AT).decode(errors="replace")
        found = re.findall(r"^\s*(?:from|import)\s+(\w+)", code, re.M)
        frameworks = {ROOTS[name] for name in found if name in ROOTS}
        return frameworks.pop() if len(frameworks) == 1 else ""

    def __enter__(self) -> "ModelWorkers":
        self.pool = ThreadPoolExecutor(len(SIDES))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self._kept.values():  # all receive the request first, to end at the same time
            if kind is None:
                worker.end_input()
            else:
                worker.kill()  # a long request may be in progress
        self.pool.shutdown(cancel_futures=True)
        for worker in self._kept.values():
            worker.close()
