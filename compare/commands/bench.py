"""`compare bench`: from options to verdicts."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from compare import checks
from compare.bench import report, tables
from compare.bench.launcher import Launcher, Start
from compare.bench.plan import BenchPlan, make_plan
from compare.bench.result import BenchResult, Contestant
from compare.bench.schedule import precise, repeat
from compare.bench.search import Search, starter
from compare.bench.statistics import LEAST_FOR_INTERVAL
from compare.bench.verdicts import headlines, ratio_to_baseline, step_time, warnings
from compare.commands.lifecycle import Began, Work, note_data_warnings, note_threads, report_line
from compare.options.bench import BenchOptions
from compare.reporting.screen import Screen
from compare.subject import Subject
from shared.data import Data

RECORD = "bench.json"


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench`, and return the exit code. Raises InputError before anything is written."""
    plan = make_plan(options)
    began = Began(options.command, options.out)
    dataset, data = plan.load_data()
    note_data_warnings([data], screen)
    if said := checks.left_out(options.implementations, plan.options.implementations):
        screen.note(said)
    note_threads(options.threads, plan.threads[0], screen)
    work = Bench(plan, dataset, data, began, screen)
    ended_early = work.carry_out()
    return work.verdict() if ended_early is None else ended_early


class Bench(Work[BenchResult]):
    """A bench, launch after launch; the last result includes all launches."""

    unit = "launch"

    def __init__(self, plan: BenchPlan, dataset: str, data: Data, began: Began, screen: Screen) -> None:
        self.subject = plan.subject(data)  # before the folder is created
        super().__init__(began.folder(f"bench-{plan.model.name}"))
        self.plan, self.dataset, self.data, self.began, self.screen = plan, dataset, data, began, screen

    def do(self) -> Iterator[BenchResult]:
        options, note = self.plan.options, self.screen.note
        start = starter(self.folder.log_dir, options.device, options.timeout)
        plan = replace(self.plan, contestants=settled(self.plan, self.subject, start, self.screen))
        launcher = Launcher(
            plan.contestants,
            self.subject,
            start,
            options.budget_s,
            options.profile,
            needs=LEAST_FOR_INTERVAL,
            until_known=options.until_known,
            tell=note,
        )
        for result in repeat(plan.nothing_yet(self.dataset, self.data), launcher, precise, options.until_known):
            self.folder.write(RECORD, result.model_dump_json(indent=1).encode())
            yield result
            note(f"launch {len(result.launches)}, {_left(result)}: {_so_far(result)}")

    def write(self) -> None:
        result, screen = self.results[-1], self.screen
        lines, warned = headlines(result), warnings(result)
        screen.headlines(lines)
        screen.say_left_out(tables.print_result(result, screen.console(160)))
        for text in (*report.remarks(result), report.why_ended(result), *warned, *tables.ceilings(result)):
            screen.say(text)
        done = self.began.manifest(data=[self.data])
        self.folder.write_all(report.render(result, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            verdicts=report.verdicts(result),
            warnings=warned,
            ended=report.why_ended(result),
            baseline=result.baseline,
            contestants=[figures(result, contestant) for contestant in result.contestants],
        )

    def verdict(self) -> int:
        """The exit code: 1 if a contestant failed. Also if one compared with itself seems to be faster than itself, or
        had too few launches to show anything."""
        result = self.results[-1]
        if any(launch.failed for launch in result.launches):
            return 1
        if self.plan.options.aa:
            (other,) = (c.name for c in result.contestants if c.name != result.baseline)
            found = ratio_to_baseline(result, other)
            return 0 if found is not None and found.low is not None and found.holds(1.0) else 1
        return 0


def settled(plan: BenchPlan, subject: Subject, start: Start, screen: Screen) -> list[Contestant]:
    """Return the contestants; those to be tuned have their remembered settings, or those that a search finds now."""
    search = Search(subject, start, screen, again=plan.options.retune)
    return [
        search.fastest(one).contestant.model_copy(update={"name": one.name}) if one.name in plan.to_tune else one
        for one in plan.contestants
    ]


def _so_far(result: BenchResult) -> str:
    """Return a sentence with the results after this launch."""
    if len(result.launches) < LEAST_FOR_INTERVAL:
        return f"an interval needs {LEAST_FOR_INTERVAL}"
    return "; ".join(report.verdicts(result))


def _left(result: BenchResult) -> str:
    """Return how long the bench took so far, and how long it may continue."""
    left_s = result.budget_s - result.took_s
    return f"{result.took_s:.0f} s" if left_s <= 0 else f"{result.took_s:.0f} s, at most {left_s:.0f} s left"


def figures(result: BenchResult, contestant: Contestant) -> dict[str, object]:
    """Return a bench's figures for one contestant: times in seconds, ratios to the baseline, each with its interval."""
    name = contestant.name
    found = {
        "speed": None if name == result.baseline else ratio_to_baseline(result, name),
        "step_s": step_time(result, name),
        "compute_s": step_time(result, name, "compute"),
    }
    return {
        **contestant.model_dump(include={"name", "implementation", "mode", "waiting", "batch_size", "threads"}),
        **{key: None if interval is None else asdict(interval) for key, interval in found.items()},
    }
