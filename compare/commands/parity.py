"""`compare parity`: from options to a verdict."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from compare.folders import manifest
from compare.folders.output import OutputFolder, carry_out, check_vacant
from compare.parity import report, tables
from compare.parity.check import Checker
from compare.parity.plan import Options, Plan, load_data, make_plan, make_subject
from compare.parity.result import ParityResult
from compare.parity.runs import Extent
from compare.processes.pool import THREADS, Workers
from compare.processes.process import WorkerError
from compare.reporting.progress import duration
from shared.data import Data
from shared.training import Dtype


def parity_command(options: Options) -> int:
    """Do what `compare parity` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    plan = make_plan(options)
    if options.out is not None:
        check_vacant(options.out)
    data = load_data(options, plan)
    extent = Extent(options.rung or Extent.top, options.steps, plan.dtypes, options.draws)
    screen = options.screen

    folder = OutputFolder(options.out or Path("runs") / f"{started.replace(':', '')}-parity")
    results: list[ParityResult] = []

    def write() -> None:
        done = manifest.describe(options.command, started)
        study = report.Study(steps=extent.n_steps, draws=extent.n_draws)
        folder.write_all(report.render(results, study, done), done)

    ended_early = carry_out(
        folder,
        work=lambda: _compare(options, plan, data, extent, folder, results),
        finished=lambda: bool(results),
        write=write,
        unit="comparison",
    )
    if ended_early is not None:
        return ended_early
    screen.say(f"{sum(result.passed for result in results)} of {len(results)} comparisons agree.")
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(
        folder=folder.path,
        comparisons=[
            {"model": result.model, "seed": result.seed, "agree": result.passed, "verdict": result.verdict}
            for result in results
        ],
    )
    return 0 if all(result.passed for result in results) else 1


class TimeLeft:
    """How long comparisons will go on, if what is left takes as long for its size as what is done."""

    def __init__(self, sizes: Sequence[float], now: Callable[[], float] = time.monotonic) -> None:
        """`sizes` are those of all comparisons in their order, in any unit; the first begins now."""
        self.sizes, self.n_done, self.now = sizes, 0, now
        self.begun = now()

    def after_another(self) -> str:
        """In words, when one more is done."""
        self.n_done += 1
        done, left = sum(self.sizes[: self.n_done]), sum(self.sizes[self.n_done :])
        return f"about {duration((self.now() - self.begun) * left / done)} left"


def _compare(
    options: Options,
    plan: Plan,
    data: Mapping[str, Data],
    extent: Extent,
    folder: OutputFolder,
    results: list[ParityResult],
) -> None:
    """Compare every network with every seed; add each result to `results` as soon as it is there, and print it."""
    console = options.screen.console()
    times = options.seeds * len({"float64", *plan.dtypes})
    sizes = [float(model.training_flops) for model in plan.models for _ in range(times)]

    def tell(result: ParityResult, dtype: Dtype) -> None:
        options.screen.note(f"{result.model}, seed {result.seed}: compared in {dtype}, {left.after_another()}")

    with Workers(folder.log_dir, plan.device, options.timeout_s, options.screen.note) as workers:
        for session in workers.start(
            plan.all_implementations
        ).values():  # all at once, so that they import side by side
            with contextlib.suppress(WorkerError):  # the comparison tells it
                session.wait_until_ready()
        left = TimeLeft(sizes)
        options.screen.note(f"Comparing {', '.join(model.name for model in plan.models)} in float64 first ...")
        for model in plan.models:
            for seed in range(options.seed, options.seed + options.seeds):
                sessions = workers.start(plan.implementations[model.name])
                subject = make_subject(options, plan, model, data[model.name], seed)
                result = Checker(sessions, THREADS, tell).check(subject, extent)
                results.append(result)
                tables.print_result(result, console)
