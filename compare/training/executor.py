"""The place where a study's runs are trained: here, or elsewhere (compare/training/ray_executor.py)."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from compare.training.checkpoint import Checkpoints
from compare.training.outcome import Finished
from compare.training.progress import Progress
from compare.training.study import Study
from shared.choices import AskedDevice, Device
from shared.result import Run


class Executor(Protocol):
    """An object that trains runs. It is a context: leaving it ends everything that it started."""

    def __enter__(self) -> "Executor":
        """Prepare for training."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End everything that was started."""

    def choose_device(self, asked: AskedDevice) -> Device:
        """Return the device for every run. Raises InputError if one was asked for and is not available."""

    def execute(self, by_seed: Sequence[Sequence[Run]], progress: Progress) -> Iterator[Finished]:
        """Train the runs, which are grouped by seed; yield each result at once, whether it succeeded or failed."""


class Local:
    """Worker processes on this machine: the implementations of a seed in parallel, in turns (see study.py)."""

    def __init__(self, study: Study, checkpoints: Checkpoints) -> None:
        self._study = study
        self._checkpoints = checkpoints

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._study.__exit__(kind)

    def choose_device(self, asked: AskedDevice) -> Device:
        return self._study.choose_device(asked)

    def execute(self, by_seed: Sequence[Sequence[Run]], progress: Progress) -> Iterator[Finished]:
        for runs in by_seed:
            yield from self._study.train(list(runs), progress, self._checkpoints)
