"""Doing what a study set out to do, or what is left of it, and writing down what came of it."""

import shlex
import sys
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import asdict

from compare.analysis import condensed, machines, seeds
from compare.analysis.rows import row
from compare.commands.lifecycle import Work, note_data_warnings, report_line
from compare.folders import manifest, run_folder
from compare.folders.output import OutputFolder
from compare.parity import library
from compare.parity import report as parity_report
from compare.parity.result import ParityResult
from compare.reporting import mlflow_runs, progress, tables
from compare.reporting.screen import Screen
from compare.training import report
from compare.training.checkpoint import Checkpoints
from compare.training.executor import Executor, Local
from compare.training.planned import PLAN, Planned
from compare.training.study import Settings, Study
from shared.data import Data
from shared.errors import InputError
from shared.result import RunResult
from shared.storage import mounts

ENDED = ("ok", "diverged")  # another try would give the same


class StudyWork(Work[RunResult]):
    """Trains every run that the folder has no result of, and reports on all."""

    unit = "run"

    def __init__(
        self,
        folder: OutputFolder,
        data: Data,
        implementations: list[str],
        settings: Settings,
        cluster: str | None,
        server: mlflow_runs.Server | None,
        screen: Screen,
    ) -> None:
        """`cluster` is the address of the Ray cluster that trains, None where it is done here."""
        super().__init__(folder)
        self.results = known_results(folder)
        self.data, self.implementations, self.settings, self.cluster = data, implementations, settings, cluster
        self.server, self.screen = server, screen
        self.checkpoints = Checkpoints(folder, screen.note)
        self.planned: Planned | None = None  # once the device is settled
        self.compared: ParityResult | None = None

    @abstractmethod
    def settle(self, executor: Executor) -> Planned:
        """What the study is, now that its workers are there to be asked for their devices."""

    def exit_code(self) -> int:
        """Do it, and log it where it is to be logged; the exit code."""
        note_data_warnings([self.data], self.screen)
        ended_early = self.carry_out()
        if ended_early is not None:
            return ended_early
        if self.server is not None and not _log(self.server, self.folder, self.results, self.screen):
            return 1
        well = all(result.status == "ok" for result in self.results)
        return 0 if well and (self.compared is None or self.compared.passed) else 1

    def do(self) -> Iterator[RunResult]:
        with (
            self.executor() as executor,
            progress.shown_on(sys.stderr, self.screen.quiet) as shown,
        ):
            planned = self.planned = self.settle(executor)
            many = len(planned.runs) > condensed.MANY
            condense = condensed.Condenser(planned.judging.target)
            _check_of_plan(self.results, planned)
            done = {result.name for result in self.results}
            left = [[run for run in runs if run.name not in done] for runs in planned.by_seed]
            shown.expect([runs[0].train.seed for runs in left if runs])
            for finished in executor.execute(left, shown):
                result = finished.result
                if finished.weights_file is not None:
                    self.folder.write(result.weights_path, finished.weights_file)
                self.folder.write(f"results/{result.name}.json", result.model_dump_json(indent=1).encode())
                if result.status in ENDED:
                    self.checkpoints.drop(result.run)
                yield condense(result) if many else result
        if planned.parity:
            self.screen.note("Comparing the implementations as functions ...")
            self.compared = _compare(planned, self.data, self.folder, self.settings.timeout_s)

    def write(self) -> None:
        if not self.results or self.planned is None:
            return
        self.screen.note("Drawing pictures and writing the report ...")
        if len(self.planned.runs) > condensed.MANY:  # what is left of them here is not enough, and takes the room
            self.results.clear()
            self.results += condensed.load(self.folder.path, self.planned.judging.target)
        _report(self.planned, self.data.warnings, self.folder, self.results, self.compared, self.screen)

    @property
    def anything_kept(self) -> bool:
        return bool(self.results) or self.checkpoints.any

    @property
    def go_on(self) -> str:
        line = ["python", "-m", "compare", "run", "--resume", mounts.shown(self.folder.path)]
        line += ["--executor", "ray", "--address", self.cluster] if self.cluster else []
        line += ["--mlflow", self.server.uri] if self.server else []
        return f"Go on with: {shlex.join(line)}"

    def executor(self) -> Executor:
        """Where the runs are trained."""
        log_dir, note = self.folder.log_dir, self.screen.note
        if self.cluster is None:
            study = Study(self.implementations, self.data, log_dir, self.settings, note)
            return Local(study, self.checkpoints)
        from compare.training.ray_executor import OnRay

        return OnRay(self.cluster, self.implementations, self.data, log_dir, self.settings, note)


def known_results(folder: OutputFolder) -> list[RunResult]:
    """What was finished in `folder` before, condensed where that is very much; what failed there is tried again, and so
    is what lost its weights."""
    if not any((folder.path / "results").glob("*.json")):
        return []
    known = [result for result in condensed.load(folder.path, target=None) if result.status in ENDED]
    return [result for result in known if result.outcome is None or run_folder.has_weights(folder.path, result)]


def _check_of_plan(results: list[RunResult], planned: Planned) -> None:
    """Raise InputError where one of the results is not of the plan."""
    asked = {run.name: run for run in planned.runs}
    for result in results:
        if (asked.get(result.name), planned.data_digest) != (result.run, result.data_digest):
            raise InputError(
                f"The record of {result.name} is not of what {PLAN} asks for. Move it elsewhere to have that run "
                "trained again, or put the original plan back."
            )


def _compare(planned: Planned, data: Data, folder: OutputFolder, timeout_s: float) -> ParityResult:
    """Whether the implementations are the same function, on the device and in the mode of the runs."""
    first = planned.runs[0]
    return library.check_run(
        first.spec,
        first.train,
        data,
        planned.implementations,
        first.device,
        planned.common_mode,
        folder.log_dir,
        timeout_s,
    )


def _report(
    planned: Planned,
    data_warnings: tuple[str, ...],
    folder: OutputFolder,
    results: list[RunResult],
    compared: ParityResult | None,
    screen: Screen,
) -> None:
    """Print the table, and write everything that is made from records."""
    judging = planned.judging
    results = seeds.in_order(results, judging)
    rows = [row(result) for result in results]
    over_seeds, first = seeds.summaries(results, judging), planned.runs[0]
    done = manifest.describe(planned.command, planned.started, planned.dataset_reason, data_warnings)
    parity = parity_report.within([compared], library.STUDY, done) if compared else None
    folder.write("study.json", judging.model_dump_json(indent=1).encode())
    weights = run_folder.weights_of_first(folder.path, results)
    folder.write_all(report.render(results, weights, done, judging, parity), done)

    console = screen.console()  # only now: its reader may have gone
    tables.print_table(rows, f"{first.model} on {first.data.dataset}, {first.device}", console)
    if report.shows_seeds(results, judging):
        tables.print_summaries(over_seeds, judging.target, console)
    tables.print_machines(machines.told_apart(results), console)
    said = report.verdicts(results, judging, parity)
    for text in said:
        screen.say(text)
    report_line(folder, screen)
    screen.answer(
        folder=folder.path,
        data_warnings=data_warnings,
        verdicts=said,
        runs=[asdict(one) for one in rows],
        over_seeds=[asdict(summary) for summary in over_seeds],
        pairs=[asdict(pair) for pair in seeds.pairs(results, judging)],
    )


def _log(server: mlflow_runs.Server, folder: OutputFolder, results: list[RunResult], screen: Screen) -> bool:
    """Log the study; whether that went well."""
    done = run_folder.load_manifest(folder.path)
    try:
        run_id = mlflow_runs.log_study(server, folder.path, results, done)
    except mlflow_runs.MlflowError as error:
        print(f"MLflow took no more: {error} All of it is in {mounts.shown(folder.path)}.", file=sys.stderr)
        return False
    screen.note(f"MLflow run {run_id} in the experiment '{mlflow_runs.EXPERIMENT}' of {server.uri}")
    return True
