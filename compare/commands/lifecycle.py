"""The course of every command that keeps results in a folder: its results one by one, and then its report.

Also what is kept and printed if it ends early."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from compare.folders import leftovers, manifest
from compare.folders.output import OutputFolder, WriteError, check_vacant
from compare.processes import signals
from compare.processes.cores import cores
from compare.reporting import listeners
from compare.reporting.screen import Screen
from shared.data import Data
from shared.errors import InputError
from shared.storage import mounts

INTERRUPTED = 130  # the exit code
WRITING = "Interrupted: saving what is finished. Interrupt again to stop at once."
Result = TypeVar("Result")
Stopped = KeyboardInterrupt | WriteError | InputError


class Work(ABC, Generic[Result]):
    """The work of a command in its folder. `results` are those so far, in their order."""

    unit: ClassVar[str]  # the name of one result in messages

    def __init__(self, folder: OutputFolder) -> None:
        self.folder = folder
        self.results: list[Result] = []

    @abstractmethod
    def do(self) -> Iterator[Result]:
        """Do the work, and yield each result as soon as it is kept in the folder."""

    @abstractmethod
    def write(self) -> None:
        """Write the report of the results, whether they are complete or not."""

    @property
    def anything_kept(self) -> bool:
        """Whether the folder has anything worth keeping."""
        return bool(self.results)

    @property
    def go_on(self) -> str:
        """A sentence on how to continue if the command ended early."""
        return ""

    def carry_out(self) -> int | None:
        """Do the work, and write the report if anything is kept, however the work ended.

        Return None on success. Otherwise print why it stopped and what was kept, and return the exit code. If
        InputError ended it and nothing is kept, the folder is removed, too.
        """
        listeners.outlive()
        try:
            stopped_by = self._done()
            if lost := self.folder.lost:
                stopped_by = stopped_by or WriteError(lost)
            elif self.anything_kept:
                if isinstance(stopped_by, KeyboardInterrupt):
                    print(WRITING, file=sys.stderr)
                failed = self._written()
                stopped_by = stopped_by or failed
            if signals.spared():  # the report is complete by now
                stopped_by = stopped_by or KeyboardInterrupt()
            return None if stopped_by is None else self._end_early(stopped_by)
        except KeyboardInterrupt:  # the first one was handled, or arrived when only the writing was left
            shown = mounts.with_addresses(self.folder.path)
            print(f"Stopped at once: {shown} is incomplete. {self.go_on}".rstrip(), file=sys.stderr)
            return INTERRUPTED

    def _done(self) -> Stopped | None:
        """Do the work, and return what stopped it, if anything did."""
        try:
            signals.check()  # an interrupt during the imports may have been lost
            for result in self.do():
                self.results.append(result)
            signals.spare_one(WRITING)  # here, where an interrupt that arrives just before is still handled
        except KeyboardInterrupt as error:
            return error
        except WriteError as error:
            signals.spare_one(WRITING)
            return error
        except InputError as error:
            signals.spare_one(WRITING)
            if not self.anything_kept and not self.folder.lost:
                self.folder.discard()
                raise
            return error
        except BaseException as error:  # a fault of ours, to be reported as one
            if self.folder.lost and isinstance(error, OSError):  # or a consequence of the lost folder
                return WriteError(str(error))
            if self.anything_kept:
                self.write()
            raise
        return None

    def _written(self) -> Stopped | None:
        """Write the report of the results, and return what stopped that, if anything did."""
        try:
            self.write()
        except WriteError as error:
            return error
        except (InputError, OSError) as error:
            if not self.folder.lost:
                raise
            return WriteError(str(error))
        return None

    def _end_early(self, stopped_by: Stopped) -> int:
        """Print why there are no more results, and what was kept. Return the exit code."""
        interrupted = isinstance(stopped_by, KeyboardInterrupt)
        if lost := self.folder.lost:
            print(f"{'Interrupted' if interrupted else 'Stopped'}: {mounts.with_addresses(lost)}.", file=sys.stderr)
            return INTERRUPTED if interrupted else 1
        what = "Interrupted" if interrupted else f"Stopped: {mounts.with_addresses(stopped_by)}".rstrip(".")
        if self.anything_kept:
            kept = f"What was finished is kept in {mounts.with_addresses(self.folder.path)}."
            print(f"{what}. {kept} {self.go_on}".rstrip(), file=sys.stderr)
        else:
            self.folder.discard()
            print(f"{what}. No {self.unit} had ended; nothing was kept.", file=sys.stderr)
        if isinstance(stopped_by, InputError):
            return 2
        return INTERRUPTED if interrupted else 1


class Began:
    """The start of a command, and the place for its results: `out`, which has to be empty, or a new folder below runs/.
    Raises InputError if `out` is not empty."""

    def __init__(self, command: str, out: Path | None) -> None:
        self.command = command
        self.at = manifest.utc_now()
        self._out = out
        if out is not None:
            check_vacant(out)

    def folder(self, name: str) -> OutputFolder:
        """Create and return the folder; `name` describes its content if no folder was given."""
        if self._out is None:
            leftovers.clear_runs()
        return OutputFolder(self._out or Path("runs") / f"{self.at.replace(':', '')}-{name}")

    def manifest(self, dataset_reason: str = "", data: Iterable[Data] = ()) -> manifest.Manifest:
        """Return the folder's record of how it was made, with the warnings on its data."""
        return manifest.describe(self.command, self.at, dataset_reason, _warnings(data))


def note_data_warnings(data: Iterable[Data], screen: Screen) -> None:
    """Print which data are probably not what they should be, before anything is computed with them."""
    for text in _warnings(data):
        screen.note(f"Check the data: {text}")


def note_threads(asked: object, threads: int, screen: Screen) -> None:
    """Print how many threads each framework gets, if no number was given and this process has fewer cores than the
    machine."""
    found = cores()
    if asked is None and found.limited:
        screen.note(f"Threads of each framework: {threads}. Cores: {found.in_words}.")


def _warnings(data: Iterable[Data]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in data for text in each.warnings))


def report_line(folder: OutputFolder, screen: Screen) -> None:
    """Print the path of the report."""
    screen.say(f"Report: {folder.path / 'report.md'}")
