"""Show the progress of training: live bars at a terminal, a line for each tenth of the whole elsewhere."""

import math
import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from compare.analysis.figures import of_task
from compare.reporting.time_left import TimeLeft
from shared.plurals import number_of
from shared.result import Epoch, Run, RunResult

SILENCE_S = 60.0  # after so long without a line, a log gets one


def said_lines(result: RunResult, said: str) -> list[str]:
    """Return why a run failed, and what its worker wrote to standard error, each line under the run's name."""
    failed = [f"{result.name} {result.status}: {result.error}"] if result.error else []
    return failed + [f"{result.name} | {line}" for line in said.splitlines()]


def shown_on(stream: TextIO, quiet: bool) -> "Bars | Lines | Failures":
    """Return the kind of progress that suits `stream`."""
    if quiet:
        return Failures(stream)
    return Bars(stream) if stream.isatty() else Lines(stream)


class Bars:
    """One bar for each run in progress, and a line above them for each that failed or had a message."""

    def __init__(self, stream: TextIO) -> None:
        self._left = TimeLeft()
        self._bars = Progress(
            TextColumn("{task.description}"),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[rate]} img/s"),
            TextColumn("{task.fields[left]} of training left"),
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

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        if not self._tasks:  # remove the bars of an earlier seed
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
        self._left.begin(run, n_batches, epochs_done, n_evaluated)

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        self._left.advance(run, n_steps)
        self._bars.update(
            self._tasks[run.name],
            advance=n_steps,
            epoch=epoch,
            loss=f"{loss:.4f}",
            rate=f"{images_per_s:,.0f}",
            left=self._shown_left(),
        )

    def _shown_left(self) -> str:
        seconds = self._left.seconds()
        return "-" if seconds is None else duration(seconds)

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """The bar itself shows the epoch."""
        self._left.epoch(run)

    def end(self, result: RunResult, said: str) -> None:
        self._left.end(result.name)
        task = self._tasks.pop(result.name, None)
        if task is not None:
            self._bars.stop_task(task)
        for line in said_lines(result, said):  # through the console that draws the bars, to keep these below
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Tenths:
    """The tenths of the work that have been reported."""

    def __init__(self) -> None:
        self._reported = 0

    def passed(self, share: float) -> bool:
        """Return whether `share` of the whole (0 to 1) passes a tenth that was not reported yet."""
        tenth = math.floor(10 * share + 1e-9)
        passed = tenth > self._reported
        self._reported = max(self._reported, tenth)
        return passed


class Lines:
    """A line for each tenth of the study, and one after a minute of silence: for logs, and if standard error is not a
    terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._left = TimeLeft()
        self._now: dict[str, str] = {}  # the position of each run in progress
        self._tenths = Tenths()
        self._said = time.monotonic()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def expect(self, seeds: Sequence[int]) -> None:
        self._left.seeds = seeds

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        self._left.begin(run, n_batches, epochs_done, n_evaluated)
        after = f", of which {epochs_done} are done" if epochs_done else ""
        self._say(f"{run.name}: {number_of(run.train.epochs, 'epoch')} of {number_of(n_batches, 'step')}{after}")

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        self._left.advance(run, n_steps)
        self._now[run.name] = f"{run.name} in epoch {epoch}/{run.train.epochs}, loss {loss:.4f}"
        if time.monotonic() - self._said > SILENCE_S:
            self._say_where()

    def epoch(self, run: Run, epoch: Epoch) -> None:
        self._left.epoch(run)
        ended = f"{run.name} after epoch {epoch.epoch}/{run.train.epochs}, loss {epoch.train_loss:.4f}"
        self._now[run.name] = f"{ended}, {_figure(run, epoch)}"
        if self._tenths.passed(self._left.share()):
            self._say_where()

    def end(self, result: RunResult, said: str) -> None:
        self._left.end(result.name)
        self._now.pop(result.name, None)
        for line in said_lines(result, said):
            print(line, file=self.stream)

    def _say_where(self) -> None:
        seconds = self._left.seconds()
        percent = math.floor(100 * self._left.share() + 1e-9)
        left = [] if seconds is None or percent == 100 else [f"about {duration(seconds)} of training left"]
        self._say("; ".join([f"{percent}% trained: {', '.join(self._now.values())}", *left]))

    def _say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)
        self._said = time.monotonic()


class Failures:
    """Only the reasons why runs failed."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> "Failures":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def expect(self, seeds: Sequence[int]) -> None:
        """Show nothing."""

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        """Show nothing."""

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        """Show nothing."""

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Show nothing."""

    def end(self, result: RunResult, said: str) -> None:
        if result.error:
            for line in said_lines(result, said):
                print(line, file=self.stream)


def _figure(run: Run, epoch: Epoch) -> str:
    """Return the figure of the run's task after an epoch, with the kind of images that it is from."""
    figure = of_task(run.spec.task)
    value = figure.of_epoch(epoch)
    part = "test" if epoch.validation_loss is None else "validation"
    return f"{part} {figure.metric.title} {'unknown' if value is None else figure.text_of(value)}"


def duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours, whichever suits it best."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
