"""`compare port`: from two references to where the models differ, why, and the line that fixes it."""

import os
from collections.abc import Iterator
from dataclasses import asdict

from compare.bench.ported import report as times_report
from compare.bench.ported import verdicts as times_verdicts
from compare.bench.ported.record import PortTimes
from compare.commands.lifecycle import Began, Work, report_line
from compare.commands.port_times import show, times_of
from compare.options.port import PortOptions
from compare.port import learning_words, report, unexplained, words
from compare.port.check import compare_models
from compare.port.inputs import parse_sizes
from compare.port.record import PortRecord, record_of
from compare.port.result import Request
from compare.port.wanted import Wanted
from compare.port.workers import ModelWorkers
from compare.reporting.screen import Screen, print_lines
from shared.errors import InputError


def command(options: PortOptions, screen: Screen) -> int:
    """Carry out `compare port`, and return the exit code: 0 if both are the same function, 1 if not. Raises InputError
    if they cannot be compared."""
    request = _request(options)
    work = Port(options, request, Began(options.command, options.out), screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    (record,) = work.results
    failed = work.times is not None and any(launch.failed for launch in work.times.launches)
    return 0 if record.verdict == "same" and not failed else 1


def _request(options: PortOptions) -> Request:
    if options.data is not None and options.input:
        raise InputError("--input and --data both say what the models are called with. Leave one of them out.")
    if options.save_weights is not None:
        if options.weights == "as-is":
            raise InputError(
                "--save-weights writes what one model got from the other, and with --weights as-is neither gets any."
            )
        if os.path.lexists(options.save_weights):
            raise InputError(f"--save-weights {options.save_weights} already exists, and is not overwritten.")
        if not options.save_weights.parent.is_dir():
            raise InputError(f"--save-weights: there is no folder {options.save_weights.parent}. Create it.")
    wanted = Wanted(
        options.loss or "",
        options.left_loss or "",
        options.right_loss or "",
        options.optimizer or "",
        options.left_optimizer or "",
        options.right_optimizer or "",
        options.steps or 0,
        *(options.fit or ("", "")),
    )
    wanted.check()
    sizes = tuple(parse_sizes(options.input or ()))
    return Request(
        options.left,
        options.right,
        sizes,
        options.data,
        options.weights,
        options.save_weights,
        options.precision == "both",
        wanted,
        (options.left_python, options.right_python),
        (options.left_backend or "", options.right_backend or ""),
    )


class Port(Work[PortRecord]):
    """One comparison of two models."""

    unit = "comparison"

    def __init__(self, options: PortOptions, request: Request, began: Began, screen: Screen) -> None:
        super().__init__(began.folder("port"))
        self.options, self.request, self.began, self.screen = options, request, began, screen
        self.times: PortTimes | None = None  # of all launches so far, if they are asked for

    def do(self) -> Iterator[PortRecord]:
        with ModelWorkers(self.folder.log_dir, self.options.timeout, self.screen.note) as workers:
            result = compare_models(self.request, workers)
        for name, content in unexplained.files(result.unexplained).items():
            self.folder.write(name, content)
        record = record_of(result)
        self.show(record)
        yield record
        if self.options.bench:
            for times in times_of(self.options, result, record, self.folder.log_dir, self.screen.note):
                for name, content in times_report.files(times).items():
                    self.folder.write(name, content)
                self.times = times

    def show(self, record: PortRecord) -> None:
        """Print the results of the comparison, before anything is timed."""
        self.screen.headlines([words.headline(record)])
        for line in (*words.lines(record)[1:], *words.notes(record)):
            self.screen.say(line)
        if record.learning is not None and record.learning.fit is not None:
            stages, headings = learning_words.stage_cells(record.learning.fit), learning_words.STAGE_HEADINGS
            print_lines(self.screen.console(), list(headings), stages, headings[:1])
        if self.options.verbose:
            cells = report.pair_cells(record)
            print_lines(self.screen.console(), list(report.PAIR_HEADINGS), cells, report.PAIR_HEADINGS[:3])

    def write(self) -> None:
        done = self.began.manifest()
        (record,) = self.results
        found: dict[str, object] = {}
        section, speed = "", []
        if self.times is not None:
            show(self.times, self.screen)
            found["times"] = times_report.answer(self.times)
            section, speed = times_report.section(self.times), times_verdicts.headlines(self.times)
        self.folder.write_all(report.render(record, done, section, speed), done)
        report_line(self.folder, self.screen)
        said = record.model_dump(mode="json", exclude={"layers", "pairs"})
        lines = [asdict(line) for line in (words.headline(record), *speed)]
        self.screen.answer(folder=self.folder.path, headline=lines, **said, **found)
