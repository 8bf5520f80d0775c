"""`compare bench --inference`: the cost of a network that only answers, in every way that it can be served."""

from collections.abc import Iterator
from dataclasses import asdict

from compare import checks
from compare.bench.inference import report, tables, verdicts
from compare.bench.inference.launcher import InferenceLauncher
from compare.bench.inference.machine import libraries
from compare.bench.inference.plan import InferencePlan, make_plan
from compare.bench.inference.prepare import prepare, starter
from compare.bench.inference.record import RECORD, InferenceResult
from compare.bench.schedule import repeat
from compare.bench.statistics import Interval
from compare.commands.lifecycle import Began, Work, note_data_warnings, note_threads, report_line
from compare.options.bench import BenchOptions
from compare.reporting.screen import Screen
from shared.data import Data
from shared.errors import InputError
from shared.storage import temporary


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench --inference`, and return the exit code: 1 if a way to serve failed, or computes
    something else. Raises InputError before anything is written."""
    plan = make_plan(options)
    began = Began(options.command, options.out)
    dataset, data = plan.load_data()
    note_data_warnings([data], screen)
    if said := checks.left_out(options.implementations, plan.options.implementations):
        screen.note(said)
    note_threads(options.threads, plan.threads, screen)
    work = Serving(plan, dataset, data, began, screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    return 1 if any(launch.failed for launch in work.results[-1].launches) else 0


class Serving(Work[InferenceResult]):
    """A bench, launch after launch; the last result includes all launches."""

    unit = "launch"

    def __init__(self, plan: InferencePlan, dataset: str, data: Data, began: Began, screen: Screen) -> None:
        super().__init__(began.folder(f"inference-{plan.model.name}"))
        self.plan, self.dataset, self.data, self.began, self.screen = plan, dataset, data, began, screen

    def do(self) -> Iterator[InferenceResult]:
        plan, options, note = self.plan, self.plan.options, self.screen.note
        images = plan.images(self.data)
        with temporary.folder("served") as scratch:
            made = prepare(plan, images, scratch, self.folder.log_dir, note)
            if not made.served:
                why = " ".join(f"{one.name}: {one.why}." for one in made.unavailable)
                raise InputError(f"There is no way to serve {plan.model.name}. {why}")
            baseline = plan.baseline if plan.baseline in made.arguments else made.served[0].name
            empty = plan.nothing_yet(self.dataset, self.data).model_copy(
                update={
                    "served": tuple(made.served),
                    "unavailable": (*plan.unavailable, *made.unavailable),
                    "baseline": baseline,
                }
            )
            launcher = InferenceLauncher(
                made.served,
                images,
                plan.batch_sizes,
                starter(made.arguments, self.folder.log_dir, options.timeout),
                options.budget_s,
                options.seed,
                empty.bound,
                tell=note,
            )
            sizes: dict[str, int] = {}
            for result in repeat(empty, launcher, verdicts.precise, options.until_known):
                sizes = sizes or libraries(launcher.modules)
                kept = result.model_copy(update={"libraries": sizes})
                self.folder.write(RECORD, kept.model_dump_json(indent=1).encode())
                yield kept
                left_s = max(0.0, result.budget_s - result.took_s)
                note(f"launch {len(result.launches)}, {result.took_s:.0f} s, at most {left_s:.0f} s left")

    def write(self) -> None:
        result, screen = self.results[-1], self.screen
        lines = verdicts.headlines(result)
        screen.headlines(lines)
        left_out = tables.print_result(result, screen.console(200))
        screen.say_left_out(left_out)
        warned, ended = verdicts.warnings(result), verdicts.why_ended(result)
        for text in (ended, *warned):
            screen.say(text)
        done = self.began.manifest(data=[self.data])
        self.folder.write_all(report.render(result, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            verdicts=[line.sentence for line in lines],
            warnings=warned,
            ended=ended,
            baseline=result.baseline,
            served=[_figures(result, name, n) for name in result.names for n in result.batch_sizes],
            unavailable=[one.model_dump() for one in result.unavailable],
        )


def _figures(result: InferenceResult, name: str, batch_size: int) -> dict[str, object]:
    """Return every figure of one way at one batch size with its interval: times in seconds, memory in bytes."""
    found: dict[str, Interval | None] = {
        "p50_s": verdicts.latency(result, name, batch_size),
        "p99_s": verdicts.slow_latency(result, name, batch_size),
        "images_per_s": verdicts.throughput(result, name, batch_size),
        "speed": None if name == result.baseline else verdicts.speed(result, name, result.baseline, batch_size),
        "start_s": verdicts.start(result, name),
        "memory_bytes": verdicts.memory(result, name),
    }
    figures = {key: None if one is None else asdict(one) for key, one in found.items()}
    return {"name": name, "batch_size": batch_size, **figures}
