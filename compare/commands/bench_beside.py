"""`compare bench --beside`: all contestants beside busy processes, and how much each is slowed down."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from compare.bench import beside
from compare.bench.beside import BesideLauncher, BesideResult
from compare.bench.plan import BenchPlan, make_plan
from compare.bench.report import why_ended
from compare.bench.result import BenchResult
from compare.bench.schedule import repeat
from compare.bench.search import starter
from compare.bench.verdicts import ratio_to_baseline, step_time
from compare.commands.bench import settled
from compare.commands.lifecycle import Began, Work, note_data_warnings, note_threads, report_line
from compare.options.bench import BenchOptions
from compare.reporting.screen import Screen, print_first
from shared.data import Data
from shared.errors import InputError

ROUNDS_S = 5.0  # per level in a launch


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench --beside`, and return the exit code. Raises InputError before anything is written."""
    if len(options.batch_sizes) > 1 or len(options.threads or ()) > 1:
        raise InputError("--beside takes one batch size and one number of threads. Give one of each.")
    levels = beside.levels_of(options.beside or ())
    if 0 not in levels or len(levels) < 2:
        given = ",".join(map(str, options.beside or ()))
        raise InputError(f"--beside {given} needs 0 and another number, since each is compared with 0. Give 0,1,2.")
    plan = make_plan(options)
    began = Began(options.command, options.out)
    dataset, data = plan.load_data()
    note_data_warnings([data], screen)
    note_threads(options.threads, plan.threads[0], screen)
    work = Neighbours(plan, levels, dataset, data, began, screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    return 1 if any(launch.failed for launch in work.results[-1].result.launches) else 0


class Neighbours(Work[BesideResult]):
    """A bench, launch after launch, each through all levels; the last result includes all launches."""

    unit = "launch"

    def __init__(
        self, plan: BenchPlan, levels: tuple[int, ...], dataset: str, data: Data, began: Began, screen: Screen
    ) -> None:
        self.subject = plan.subject(data)
        super().__init__(began.folder(f"beside-{plan.model.name}"))
        self.plan, self.levels, self.dataset, self.data = plan, levels, dataset, data
        self.began, self.screen = began, screen

    def do(self) -> Iterator[BesideResult]:
        options, note = self.plan.options, self.screen.note
        start = starter(self.folder.log_dir, options.device, options.timeout)
        plan = replace(self.plan, contestants=settled(self.plan, self.subject, start, self.screen))
        launcher = BesideLauncher(
            plan.contestants,
            self.subject,
            start,
            options.budget_s,
            rounds_s=ROUNDS_S * len(self.levels),
            training_alone=True,
            until_known=options.until_known,
            tell=note,
        )
        launcher.levels = self.levels
        for result in repeat(plan.nothing_yet(self.dataset, self.data), launcher, self._enough, options.until_known):
            so_far = self._of(result)
            self.folder.write(beside.RECORD, so_far.model_dump_json(indent=1).encode())
            yield so_far
            left_s = max(0.0, result.budget_s - result.took_s)
            note(f"launch {len(result.launches)}, {result.took_s:.0f} s, at most {left_s:.0f} s left")

    def _of(self, result: BenchResult) -> BesideResult:
        return BesideResult(levels=self.levels, result=result)

    def _enough(self, result: BenchResult) -> bool:
        return beside.precise(self._of(result))

    def write(self) -> None:
        found, screen = self.results[-1], self.screen
        lines, warned, ended = beside.headlines(found), beside.notes(found), why_ended(found.result)
        screen.headlines(lines)
        left_out = print_first(screen.console(120), list(beside.HEADINGS), beside.cells(found), ("contestant",))
        screen.say_left_out(left_out)
        for text in (ended, *warned):
            screen.say(text)
        done = self.began.manifest(data=[self.data])
        self.folder.write_all(beside.render(found, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            verdicts=beside.verdicts(found),
            warnings=warned,
            ended=ended,
            baseline=found.result.baseline,
            slowdowns=[
                {"beside": level, "name": contestant.name, **_figures(found, contestant.name, level)}
                for level in found.levels
                for contestant in found.result.contestants
            ],
        )


def _figures(found: BesideResult, name: str, level: int) -> dict[str, object]:
    """Return the time of a step in seconds, its ratio to that without busy processes, and the speed."""
    result = found.at(level)
    figures = {
        "step_s": step_time(result, name),
        "slowdown": beside.slowdown(found, name, level) if level else None,
        "speed": None if name == result.baseline else ratio_to_baseline(result, name),
    }
    return {key: None if interval is None else asdict(interval) for key, interval in figures.items()}
