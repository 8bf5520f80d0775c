"""Doing what a study set out to do, or what is left of it, and writing down what came of it."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from compare.analysis import condensed, machines, seeds
from compare.analysis.rows import row
from compare.folders import manifest, run_folder
from compare.folders.output import OutputFolder, carry_out
from compare.parity import report as parity_report
from compare.parity import within
from compare.parity.result import ParityResult
from compare.registry.candidates import Allocator
from compare.reporting import mlflow_runs, progress, tables
from compare.reporting.screen import Screen
from compare.training import report
from compare.training.checkpoint import Checkpoints
from compare.training.executor import Executor, ExecutorName, Local
from compare.training.planned import PLAN, Planned
from compare.training.study import Study
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
from shared.result import RunResult
from shared.storage import mounts

ENDED = ("ok", "diverged")  # another try would give the same


@dataclass(frozen=True)
class Surroundings:
    """Where a study is trained, how its workers are started, and where it says what it finds."""

    implementations: list[str]
    threads: int
    allocator: Allocator
    hide_cuda: bool
    timeout_s: float
    screen: Screen
    executor: ExecutorName = "local"
    address: str = "auto"


def carry_on(
    folder: OutputFolder,
    data: Data,
    around: Surroundings,
    settle: Callable[[Executor], Planned],
    server: mlflow_runs.Server | None,
) -> int:
    """Train every run that `folder` has no result of, and report on all; return the exit code.

    `settle` says what the study is, once its workers are there to be asked for their devices.
    """
    results = known_results(folder)
    compared: list[ParityResult] = []
    checkpoints = Checkpoints(folder, around.screen.note)
    settled: list[Planned] = []

    def work() -> None:
        with (
            _executor(around, data, folder, checkpoints) as executor,
            progress.shown_on(sys.stderr, around.screen.quiet) as shown,
        ):
            planned = settle(executor)
            settled.append(planned)
            many = len(planned.runs) > condensed.MANY
            condense = condensed.Condenser(planned.judging.target)
            results[:] = _of_plan(results, planned)
            done = {result.name for result in results}
            left = [[run for run in runs if run.name not in done] for runs in planned.by_seed]
            shown.expect([runs[0].train.seed for runs in left if runs])
            for finished in executor.execute(left, shown):
                result = finished.result
                if finished.weights_file is not None:
                    folder.write(result.weights_path, finished.weights_file)
                folder.write(f"results/{result.name}.json", result.model_dump_json(indent=1).encode())
                if result.status in ENDED:
                    checkpoints.drop(result.run)
                results.append(condense(result) if many else result)
        if planned.parity:
            around.screen.note("Comparing the implementations as functions ...")
            compared.append(_compare(planned, data, folder, around.timeout_s))

    def write() -> None:
        if results and settled:
            around.screen.note("Drawing pictures and writing the report ...")
            if len(settled[0].runs) > condensed.MANY:  # what is left of them here is not enough, and takes the room
                results.clear()
                results.extend(condensed.load(folder.path, settled[0].judging.target))
            _report(settled[0], folder, results, compared, around.screen)

    ended_early = carry_out(
        folder,
        work,
        finished=lambda: bool(results) or checkpoints.any,
        write=write,
        unit="run",
        go_on=f"Go on with: python -m compare run --resume {shlex.quote(mounts.shown(folder.path))}",
    )
    if ended_early is not None:
        return ended_early
    if server is not None and not _log(server, folder, results, settled[0], around.screen):
        return 1
    well = all(result.status == "ok" for result in results) and all(result.passed for result in compared)
    return 0 if well else 1


def _executor(around: Surroundings, data: Data, folder: OutputFolder, checkpoints: Checkpoints) -> Executor:
    if around.executor == "ray":
        from compare.training.ray_executor import OnRay, Settings

        settings = Settings(around.threads, around.allocator, around.hide_cuda, around.timeout_s)
        return OnRay(around.address, around.implementations, data, folder.log_dir, settings, around.screen.note)
    study = Study(
        around.implementations,
        data,
        folder.log_dir,
        around.threads,
        around.hide_cuda,
        around.timeout_s,
        around.allocator,
        around.screen.note,
    )
    return Local(study, checkpoints)


def known_results(folder: OutputFolder) -> list[RunResult]:
    """What was finished in `folder` before, condensed where that is very much; what failed there is tried again, and so
    is what lost its weights."""
    if not any((folder.path / "results").glob("*.json")):
        return []
    known = [result for result in condensed.load(folder.path, target=None) if result.status in ENDED]
    return [result for result in known if result.outcome is None or run_folder.has_weights(folder.path, result)]


def _of_plan(results: list[RunResult], planned: Planned) -> list[RunResult]:
    """The results, all of which are of the plan. Raises InputError where one is of something else."""
    asked = {run.name: run for run in planned.runs}
    for result in results:
        if (asked.get(result.name), planned.data_digest) != (result.run, result.data_digest):
            raise InputError(
                f"The record of {result.name} is not of what {PLAN} asks for. Remove it to have that run trained "
                "again, or put the original plan back."
            )
    return results


def _compare(planned: Planned, data: Data, folder: OutputFolder, timeout_s: float) -> ParityResult:
    """Whether the implementations are the same function, on the device and in the mode of the runs."""
    first = planned.runs[0]
    return within.check_run(
        MODELS[first.model],
        first.train,
        data,
        planned.implementations,
        first.device,
        planned.common_mode,
        folder.log_dir,
        timeout_s,
    )


def _report(
    planned: Planned, folder: OutputFolder, results: list[RunResult], compared: list[ParityResult], screen: Screen
) -> None:
    """Print the table, and write everything that is made from records."""
    judging = planned.judging
    results = seeds.in_order(results, judging)
    rows = [row(result) for result in results]
    over_seeds, first = seeds.summaries(results, judging), planned.runs[0]
    done = manifest.describe(planned.command, planned.started, planned.dataset_reason)
    parity = parity_report.within(compared, within.STUDY, done) if compared else None
    folder.write("study.json", judging.model_dump_json(indent=1).encode())
    weights = run_folder.weights_of_first(folder.path, results)
    folder.write_all(report.render(results, weights, done, judging, parity), done)

    console = screen.console()  # only now, since whoever listens may have gone
    tables.print_table(rows, f"{first.model} on {first.data.dataset}, {first.device}", console)
    if report.shows_seeds(results, judging):
        tables.print_summaries(over_seeds, judging.target, console)
    tables.print_machines(machines.told_apart(results), console)
    said = report.verdicts(results, judging, parity)
    for text in said:
        screen.say(text)
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(
        folder=folder.path,
        verdicts=said,
        runs=[asdict(one) for one in rows],
        over_seeds=[asdict(summary) for summary in over_seeds],
        pairs=[asdict(pair) for pair in seeds.pairs(results, judging)],
    )


def _log(
    server: mlflow_runs.Server, folder: OutputFolder, results: list[RunResult], planned: Planned, screen: Screen
) -> bool:
    """Log the study; whether that went well."""
    done = run_folder.load_manifest(folder.path)
    try:
        run_id = mlflow_runs.log_study(server, folder.path, results, done)
    except mlflow_runs.MlflowError as error:
        print(f"MLflow took no more: {error} All of it is in {mounts.shown(folder.path)}.", file=sys.stderr)
        return False
    screen.note(f"MLflow run {run_id} in the experiment '{mlflow_runs.EXPERIMENT}' of {planned.mlflow}")
    return True
