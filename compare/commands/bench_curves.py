"""`compare bench` with several batch sizes or numbers of threads: a bench for each pair, and the curves."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from compare.bench import scaling
from compare.bench.launcher import Launcher
from compare.bench.plan import BenchPlan, make_plan
from compare.bench.result import BenchResult, Launch
from compare.bench.search import starter
from compare.commands.bench import figures
from compare.commands.lifecycle import Began, Work, note_data_warnings, note_threads, report_line
from compare.options.bench import BenchOptions
from compare.reporting.screen import Screen, print_first
from shared.data import Data
from shared.errors import InputError
from shared.plurals import number_of

ROUNDS_S = 4.0  # per launch, because there are many points


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench` for several batch sizes or threads, and return the exit code. Raises InputError before
    anything is written."""
    plan = make_plan(options)
    if plan.to_tune:
        raise InputError("--modes tuned takes one batch size and one number of threads. Give one of each.")
    began = Began(options.command, options.out)
    dataset, data = plan.load_data()
    note_data_warnings([data], screen)
    note_threads(options.threads, plan.threads[0], screen)
    work = Points(plan, dataset, data, began, screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    return 1 if any(launch.failed for result in work.results for launch in result.launches) else 0


class Points(Work[BenchResult]):
    """A bench for each pair, with a share of the budget each, but always a minimum of launches."""

    unit = "bench"

    def __init__(self, plan: BenchPlan, dataset: str, data: Data, began: Began, screen: Screen) -> None:
        self.subject = plan.subject(data)
        super().__init__(began.folder(f"scaling-{plan.model.name}"))
        self.plan, self.dataset, self.data, self.began, self.screen = plan, dataset, data, began, screen

    def do(self) -> Iterator[BenchResult]:
        pairs = [(threads, size) for threads in self.plan.threads for size in self.plan.options.batch_sizes]
        for number, (threads, size) in enumerate(pairs):
            result = self._measured(threads, size, self.plan.options.budget_s / len(pairs))
            self.folder.write(scaling.RECORD, scaling.RECORDS.dump_json([*self.results, result], indent=1))
            yield result
            left_s = sum(r.took_s for r in self.results) / len(self.results) * (len(pairs) - number - 1)
            self.screen.note(f"{number_of(threads, 'thread')}, batches of {size}: done, about {left_s:.0f} s left")

    def _measured(self, threads: int, size: int, budget_s: float) -> BenchResult:
        options = self.plan.options
        start = starter(self.folder.log_dir, options.device, options.timeout)
        contestants = [c.model_copy(update={"threads": threads, "batch_size": size}) for c in self.plan.contestants]
        launcher = Launcher(contestants, self.subject, start, float("inf"), rounds_s=ROUNDS_S, tell=self.screen.note)
        launches: list[Launch] = []
        while len(launches) < scaling.LEAST_OF_A_POINT or launcher.clock() * (1 + 1 / len(launches)) < budget_s:
            launches.append(launcher.launch(len(launches)))
        empty = replace(self.plan, contestants=contestants).nothing_yet(self.dataset, self.data)
        return empty.model_copy(
            update={
                "launches": tuple(launches),
                "took_s": launcher.clock(),
                "environments": launcher.environments,
                "ending": "budget",
            }
        )

    def write(self) -> None:
        screen, lines, warned = self.screen, scaling.headlines(self.results), scaling.warnings_once(self.results)
        screen.headlines(lines)
        cells = scaling.cells(self.results)
        screen.say_left_out(print_first(screen.console(180), list(scaling.HEADINGS), cells, ("contestant",), least=4))
        for text in warned:
            screen.say(text)
        done = self.began.manifest(data=[self.data])
        self.folder.write_all(scaling.render(self.results, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            warnings=warned,
            points=[figures(result, c) for result in self.results for c in result.contestants],
        )
