"""The two workers of a comparison, kept for the next one: what takes long is to import a framework."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from compare.adapters.references import BadReference, parse
from compare.processes.interpreters import interpreter
from compare.processes.port_session import ModelWorker
from shared.errors import InputError

ROOTS = {"torch": "torch", "torchvision": "torch", "timm": "torch", "keras": "tensorflow", "tensorflow": "tensorflow"}
SUFFIXES = {".keras": "tensorflow", ".onnx": "onnx", ".pt2": "torch", "": "tensorflow"}
SIDES = ("left", "right")
T = TypeVar("T")


def settled(calls: Sequence[Future[T]]) -> list[T]:
    """The results of calls, all of which have ended, one that fails too: a worker answers one request at a time."""
    wait(calls)
    return [call.result() for call in calls]


class ModelWorkers:
    """Workers that hold a model each. Used in a `with`, at whose end they end."""

    def __init__(self, logs: Path, timeout_s: float, tell: Callable[[str], None]) -> None:
        self.logs, self.timeout_s, self.tell = logs, timeout_s, tell
        self._kept: dict[str, tuple[str, ModelWorker]] = {}  # by side, with the framework and the Python

    def start(
        self, left: str, right: str, pythons: tuple[Path | None, Path | None] = (None, None)
    ) -> tuple[ModelWorker, ModelWorker]:
        """A worker for each reference: the one of last time if it has the same framework and Python and is alive.
        `pythons` are other interpreters that run the left and the right one. Raises InputError if a reference cannot be
        one, or if an interpreter runs no worker."""
        for side, text, python in zip(SIDES, (left, right), pythons, strict=True):
            framework = self._framework(side, text)
            kind = f"{framework} {python or ''}" if framework else ""
            known, worker = self._kept.get(side, ("", None))
            if worker is not None and kind and kind == known and worker.alive:
                worker.reference = text
                continue
            other = None if python is None else interpreter(python)
            if worker is not None:
                worker.close()
            made = ModelWorker(side, text, self.logs / f"{side}.log", self.timeout_s, self.tell, other)
            self._kept[side] = kind, made
        return self._kept["left"][1], self._kept["right"][1]

    def _framework(self, side: str, text: str) -> str:
        """What a model's worker will import, as far as that can be seen from outside; "" if it cannot."""
        try:
            reference = parse(text)
        except BadReference as error:
            raise InputError(f"The {side} model: {error}") from None
        if reference.path is not None:
            return SUFFIXES.get(reference.path.suffix.lower(), "")
        if not reference.module.endswith(".py"):
            return ROOTS.get(reference.module.partition(".")[0], "")
        found = re.findall(r"^\s*(?:from|import)\s+(\w+)", Path(reference.module).read_text(errors="replace"), re.M)
        frameworks = {ROOTS[name] for name in found if name in ROOTS}
        return frameworks.pop() if len(frameworks) == 1 else ""

    def __enter__(self) -> "ModelWorkers":
        self.pool = ThreadPoolExecutor(len(SIDES))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _, worker in self._kept.values():  # all are told first, so that they end side by side
            if kind is None:
                worker.end_input()
            else:
                worker.kill()  # it may be in the middle of something long
        self.pool.shutdown(cancel_futures=True)
        for _, worker in self._kept.values():
            worker.close()
