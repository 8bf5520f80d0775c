"""`compare parity`: from options to a verdict."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from compare import checks
from compare.commands.lifecycle import Began, Work, note_data_warnings, report_line
from compare.options.common import BY_DEFAULT
from compare.options.parity import ParityOptions
from compare.parity import report, tables
from compare.parity.check import Checker
from compare.parity.plan import ParityPlan, make_plan
from compare.parity.result import ParityResult
from compare.processes.pool import THREADS, Workers
from compare.processes.process import WorkerError
from compare.reporting.progress import Tenths, duration
from compare.reporting.screen import Screen
from shared.choices import Dtype
from shared.data import Data


def command(options: ParityOptions, screen: Screen) -> int:
    """Carry out `compare parity`, and return the exit code. Raises InputError before anything is written."""
    plan = make_plan(options)
    began = Began(options.command, options.out)
    data = plan.load_data()
    note_data_warnings(data.values(), screen)
    for model in plan.models:
        present = plan.implementations[model.name]
        if model.code and options.implementations is None and (said := checks.left_out(BY_DEFAULT, present)):
            screen.note(f"{model.name}: {said}")
    work = Comparisons(plan, data, began, screen)
    ended_early = work.carry_out()
    if ended_early is not None:
        return ended_early
    return 0 if all(result.passed for result in work.results) else 1


class Comparisons(Work[ParityResult]):
    """Every network with every seed."""

    unit = "comparison"

    def __init__(self, plan: ParityPlan, data: Mapping[str, Data], began: Began, screen: Screen) -> None:
        super().__init__(began.folder("parity"))
        self.plan, self.data, self.began, self.screen = plan, data, began, screen

    def do(self) -> Iterator[ParityResult]:
        plan, options, note = self.plan, self.plan.options, self.screen.note
        times = len(plan.seeds) * len({"float64", *plan.dtypes})
        sizes = [float(model.training_flops) for model in plan.models for _ in range(times)]

        def tell(result: ParityResult, dtype: Dtype) -> None:
            if left.after_another():
                note(f"{left.done}: {result.model}, seed {result.seed}, {dtype}; {left.in_words}")

        with Workers(self.folder.log_dir, options.device, options.timeout, note) as workers:
            # All at once, to import in parallel.
            for session in workers.start(plan.all_implementations).values():
                with contextlib.suppress(WorkerError):  # the comparison reports it
                    session.wait_until_ready()
            left = ComparisonsLeft(sizes)
            note(f"Comparing {', '.join(model.name for model in plan.models)} in float64 first ...")
            for model in plan.models:
                for seed in plan.seeds:
                    sessions = workers.start(plan.implementations[model.name])
                    subject = plan.subject(model, self.data[model.name], seed)
                    result = Checker(sessions, THREADS, tell).check(subject, plan.extent)
                    yield result
                    if not result.passed and len(sizes) > times:  # if there are many, report each fault at once
                        note(tables.summary(result)[0])

    def write(self) -> None:
        screen, results = self.screen, self.results
        extent = self.plan.extent
        study = report.ParityExtent(steps=extent.n_steps, draws=extent.n_draws, rung=extent.top)
        line = report.headline(results, study)
        screen.headlines([line])
        screen.say(f"{sum(result.passed for result in results)} of {len(results)} comparisons agree.")
        for result in results:
            for text in tables.summary(result):
                screen.say(text)
        if self.plan.options.verbose:
            for result in results:
                tables.print_ladders(result, screen.console())
        done = self.began.manifest(data=self.data.values())
        self.folder.write_all(report.render(results, study, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line)],
            comparisons=[
                {"model": result.model, "seed": result.seed, "agree": result.passed, "verdict": result.verdict}
                for result in results
            ],
        )


class ComparisonsLeft:
    """The progress of comparisons and the time left, if the remaining ones take as long for their size as those
    before."""

    def __init__(self, sizes: Sequence[float], now: Callable[[], float] = time.monotonic) -> None:
        """`sizes` are of all comparisons in their order, in any unit; the first starts now."""
        self.sizes, self.n_done, self.now = sizes, 0, now
        self.begun = now()
        self.tenths = Tenths()

    def after_another(self) -> bool:
        """Count one more as done. Return whether a line is due: it completes another tenth of the whole, and there is
        more to do."""
        self.n_done += 1
        return self.tenths.passed(self._share) and self.n_done < len(self.sizes)

    @property
    def done(self) -> str:
        """How much is done, in words."""
        return f"{self._share:.0%} compared"

    @property
    def in_words(self) -> str:
        """How long the rest takes, in words."""
        return f"about {duration((self.now() - self.begun) * (1 / self._share - 1))} left"

    @property
    def _share(self) -> float:
        return sum(self.sizes[: self.n_done]) / sum(self.sizes)
