"""Showing how far training is: live bars at a terminal, a line for each epoch elsewhere."""

import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from shared.result import Epoch, Run, RunResult


def said_lines(result: RunResult, said: str) -> list[str]:
    """Why a run failed, and what its worker wrote to standard error, each line under the run's name."""
    failed = [f"{result.name} {result.status}: {result.error}"] if result.error else []
    return failed + [f"{result.name} | {line}" for line in said.splitlines()]


def shown_on(stream: TextIO, quiet: bool) -> "Bars | Lines | Failures":
    """What suits `stream`."""
    if quiet:
        return Failures(stream)
    return Bars(stream) if stream.isatty() else Lines(stream)


class TimeLeft:
    """How long a study will go on: the runs of a seed take turns, and all seeds take as long as one."""

    def __init__(self) -> None:
        self.seeds: Sequence[int] = ()
        self._begun: dict[str, float] = {}
        self._total: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def begin(self, run: Run, n_steps: int) -> None:
        key = run.name
        self._begun[key], self._total[key], self._done[key] = time.monotonic(), n_steps, 0

    def advance(self, run: Run, n_steps: int) -> None:
        self._done[run.name] += n_steps

    def seconds(self, run: Run) -> float:
        """The seconds that the study will still take, by how long `run` took so far."""
        key = run.name
        elapsed_s = time.monotonic() - self._begun[key]
        of_one_seed = elapsed_s * self._total[key] / self._done[key]
        return of_one_seed - elapsed_s + of_one_seed * sum(seed > run.train.seed for seed in self.seeds)


class Bars:
    """One bar for each run in progress, and a line above them for each that ended badly or had something to say."""

    def __init__(self, stream: TextIO) -> None:
        self._left = TimeLeft()
        self._bars = Progress(
            TextColumn("{task.description}"),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[rate]} img/s"),
            TextColumn("{task.fields[left]} left"),
            expand=True,
            console=Console(file=stream),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def expect(self, seeds: Sequence[int]) -> None:
        self._left.seeds = seeds

    def begin(self, run: Run, n_batches: int, epochs_done: int) -> None:
        if not self._tasks:  # the bars of an earlier seed make way
            for old in self._bars.task_ids:
                self._bars.remove_task(old)
        self._tasks[run.name] = self._bars.add_task(
            run.name,
            total=n_batches * run.train.epochs,
            completed=n_batches * epochs_done,
            epoch=epochs_done + 1,
            epochs=run.train.epochs,
            loss="-",
            rate="-",
            left="-",
        )
        self._left.begin(run, n_batches * (run.train.epochs - epochs_done))

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        self._left.advance(run, n_steps)
        self._bars.update(
            self._tasks[run.name],
            advance=n_steps,
            epoch=epoch,
            loss=f"{loss:.4f}",
            rate=f"{images_per_s:,.0f}",
            left=duration(self._left.seconds(run)),
        )

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """The bar itself shows the epoch."""

    def end(self, result: RunResult, said: str) -> None:
        task = self._tasks.pop(result.name, None)
        if task is not None:
            self._bars.stop_task(task)
        for line in said_lines(result, said):  # through the console that draws the bars, so that they stay below
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """A line for each epoch of each run: for logs, and where standard error is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._left = TimeLeft()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def expect(self, seeds: Sequence[int]) -> None:
        self._left.seeds = seeds

    def begin(self, run: Run, n_batches: int, epochs_done: int) -> None:
        self._left.begin(run, n_batches * (run.train.epochs - epochs_done))
        after = f", of which {epochs_done} are done" if epochs_done else ""
        print(f"{run.name}: {run.train.epochs} epochs of {n_batches} steps{after}", file=self.stream)

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        self._left.advance(run, n_steps)

    def epoch(self, run: Run, epoch: Epoch) -> None:
        print(
            f"{run.name}: epoch {epoch.epoch}/{run.train.epochs}, loss {epoch.train_loss:.4f}, {_accuracy(epoch)}, "
            f"about {duration(self._left.seconds(run))} left",
            file=self.stream,
        )

    def end(self, result: RunResult, said: str) -> None:
        for line in said_lines(result, said):
            print(line, file=self.stream)


class Failures:
    """Nothing but why a run failed."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> "Failures":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def expect(self, seeds: Sequence[int]) -> None:
        """Not told."""

    def begin(self, run: Run, n_batches: int, epochs_done: int) -> None:
        """Not told."""

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        """Not told."""

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Not told."""

    def end(self, result: RunResult, said: str) -> None:
        if result.error:
            for line in said_lines(result, said):
                print(line, file=self.stream)


def _accuracy(epoch: Epoch) -> str:
    if epoch.validation_accuracy is not None:
        return f"validation accuracy {epoch.validation_accuracy:.2%}"
    return f"test accuracy {epoch.test_accuracy:.2%}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever says it best."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
