"""`compare bench --waterfall`: one bench for each implementation, and a page on all of them."""

from collections.abc import Iterator
from dataclasses import asdict

from compare.bench import waterfall
from compare.bench.launcher import Launcher
from compare.bench.plan import BenchPlan, make_plan
from compare.bench.report import why_ended
from compare.bench.schedule import precise, repeat
from compare.bench.search import starter
from compare.bench.statistics import LEAST_FOR_INTERVAL
from compare.bench.waterfall import SpeedWaterfall
from compare.checks import check_own_norm
from compare.commands.bench import figures
from compare.commands.lifecycle import Began, Work, note_data_warnings, note_threads, report_line
from compare.options.bench import BenchOptions
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen, print_lines
from shared.data import Data
from shared.errors import InputError


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench --waterfall`, and return the exit code. Raises InputError before anything is written."""
    if len(options.batch_sizes) > 1 or len(options.threads or ()) > 1:
        raise InputError("--waterfall takes one batch size and one number of threads. Give one of each.")
    plan = make_plan(options)
    began = Began(options.command, options.out)
    without = [c.implementation for c in plan.contestants if not IMPLEMENTATIONS[c.implementation].plain]
    if without:
        known = ", ".join(name for name, spec in IMPLEMENTATIONS.items() if spec.plain)
        raise InputError(
            f"--waterfall: {' and '.join(without)} has no waterfall. Known: {known}. Leave it out of --implementations."
        )
    dataset, data = plan.load_data()
    note_data_warnings([data], screen)
    note_threads(options.threads, plan.threads[0], screen)
    _check_plain_loops(plan, data)
    work = Waterfalls(plan, dataset, data, began, screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    return 1 if any(launch.failed for done in work.done for launch in done.result.launches) else 0


def _check_plain_loops(plan: BenchPlan, data: Data) -> None:
    """Raise InputError if a framework's own loop, with which its waterfall begins, cannot train on the last batch."""
    loops = [
        contestant.implementation
        for contestant in plan.contestants
        if any(stage.recipe == "idiomatic" for stage in IMPLEMENTATIONS[contestant.implementation].plain)
    ]
    (batch_size,) = plan.options.batch_sizes
    check_own_norm("--waterfall", loops, plan.model, batch_size, len(data.x_train), "Give another --batch-sizes")


class Waterfalls(Work[SpeedWaterfall]):
    """A bench for each implementation, of its loops from the plain one to the fastest; a result for each launch."""

    unit = "launch"

    def __init__(self, plan: BenchPlan, dataset: str, data: Data, began: Began, screen: Screen) -> None:
        self.subject = plan.subject(data)
        super().__init__(began.folder(f"speed-{plan.model.name}"))
        self.plan, self.dataset, self.data, self.began, self.screen = plan, dataset, data, began, screen

    def do(self) -> Iterator[SpeedWaterfall]:
        options, note = self.plan.options, self.screen.note
        start = starter(self.folder.log_dir, options.device, options.timeout)
        for plain in self.plan.contestants:
            name = plain.implementation
            stages = waterfall.stages(name, options.device, plain.threads)
            contestants = waterfall.contestants(plain, stages)
            launcher = Launcher(contestants, self.subject, start, options.budget_s, needs=LEAST_FOR_INTERVAL, tell=note)
            empty = self.plan.nothing_yet(self.dataset, self.data).model_copy(
                update={"contestants": tuple(contestants), "baseline": contestants[0].name}
            )
            for result in repeat(empty, launcher, precise):
                so_far = SpeedWaterfall(result=result, stages=tuple(stages))
                others = [done for done in self.done if done.implementation != name]
                self.folder.write(waterfall.RECORD, waterfall.RECORDS.dump_json([*others, so_far], indent=1))
                yield so_far
                left_s = max(0.0, result.budget_s - result.took_s)
                note(
                    f"{name}: launch {len(result.launches)}, {result.took_s:.0f} s, at most {left_s:.0f} s left for it"
                )

    @property
    def done(self) -> list[SpeedWaterfall]:
        """The last result of each implementation, which includes all its launches."""
        return list({done.implementation: done for done in self.results}.values())

    def write(self) -> None:
        screen, lines = self.screen, [waterfall.headline(one) for one in self.done]
        screen.headlines(lines)
        for one in self.done:
            cells, headings = waterfall.cells(one), list(waterfall.HEADINGS)
            print_lines(screen.console(120), headings, cells, waterfall.HEADINGS[:1], title=one.implementation)
            screen.say(why_ended(one.result))
        done = self.began.manifest(data=[self.data])
        self.folder.write_all(waterfall.render(self.done, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            stages={one.implementation: [figures(one.result, c) for c in one.result.contestants] for one in self.done},
        )
