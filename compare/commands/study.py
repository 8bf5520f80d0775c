"""Run a study, or the rest of it, and write its results."""

import shlex
import sys
from abc import abstractmethod
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

from compare.analysis import condensed
from compare.commands.lifecycle import Work, note_data_warnings
from compare.folders import run_folder
from compare.folders.output import OutputFolder
from compare.reporting import mlflow_runs, progress
from compare.reporting.screen import Screen
from compare.training.checkpoint import Checkpoints
from compare.training.executor import Executor, Local
from compare.training.planned import PLAN, Planned
from compare.training.study import Settings, Study
from shared.data import Data
from shared.errors import InputError
from shared.result import RunResult
from shared.storage import mounts

if TYPE_CHECKING:
    from compare.parity.result import ParityResult  # its package draws, and takes long to import

ENDED = ("ok", "diverged")  # a retry would give the same


class StudyWork(Work[RunResult]):
    """The training of every run without a result in the folder, and the report on all."""

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
        """`cluster` is the address of the Ray cluster that trains; None to train here."""
        super().__init__(folder)
        self.results = known_results(folder)
        self.data, self.implementations, self.settings, self.cluster = data, implementations, settings, cluster
        self.server, self.screen = server, screen
        self.checkpoints = Checkpoints(folder, screen.note)
        self.planned: Planned | None = None  # set once the device is known
        self.compared: ParityResult | None = None

    @abstractmethod
    def settle(self, executor: Executor) -> Planned:
        """Return the study's plan, now that its workers can be asked for their devices."""

    def exit_code(self) -> int:
        """Do the work, log it to the server if one was asked for, and return the exit code."""
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
            Thread(target=_import_what_reports, daemon=True).start()
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
            from compare.commands.study_report import compared

            self.screen.note("Comparing the implementations as functions ...")
            self.compared = compared(planned, self.data, self.folder, self.settings.timeout_s)

    def write(self) -> None:
        if not self.results or self.planned is None:
            return
        from compare.commands.study_report import report

        self.screen.note("Drawing pictures and writing the report ...")
        if len(self.planned.runs) > condensed.MANY:  # the rest of them in memory is insufficient, and takes the room
            self.results.clear()
            self.results += condensed.load(self.folder.path, self.planned.judging.target)
        report(self.planned, self.data.warnings, self.folder, self.results, self.compared, self.screen)

    @property
    def anything_kept(self) -> bool:
        return bool(self.results) or self.checkpoints.any

    @property
    def go_on(self) -> str:
        line = ["python", "-m", "compare", "run", "--resume", mounts.with_addresses(self.folder.path)]
        line += ["--executor", "ray", "--address", self.cluster] if self.cluster else []
        line += ["--mlflow", self.server.uri] if self.server else []
        return f"Resume with: {shlex.join(line)}"

    def executor(self) -> Executor:
        """The place where the runs are trained."""
        log_dir, note = self.folder.log_dir, self.screen.note
        if self.cluster is None:
            study = Study(self.implementations, self.data, log_dir, self.settings, note)
            return Local(study, self.checkpoints)
        from compare.training.ray_executor import OnRay

        return OnRay(self.cluster, self.implementations, self.data, log_dir, self.settings, note)


def _import_what_reports() -> None:
    """Import Matplotlib and the modules that draw with it while the workers import their frameworks. This process only
    waits at that time."""
    from compare.commands import study_report  # noqa: F401  for modules that import it later


def known_results(folder: OutputFolder) -> list[RunResult]:
    """Return the runs finished in `folder` before, condensed if there are very many. Runs that failed or lost their
    weights are retried."""
    if not any((folder.path / "results").glob("*.json")):
        return []
    known = [result for result in condensed.load(folder.path, target=None) if result.status in ENDED]
    return [result for result in known if result.outcome is None or run_folder.has_weights(folder.path, result)]


def _check_of_plan(results: list[RunResult], planned: Planned) -> None:
    """Raise InputError if one of the results is not in the plan."""
    asked = {run.name: run for run in planned.runs}
    for result in results:
        if (asked.get(result.name), planned.data_digest) != (result.run, result.data_digest):
            raise InputError(
                f"The record of {result.name} does not match {PLAN}. Move it elsewhere to train that run again, or "
                "restore the original plan."
            )


def _log(server: mlflow_runs.Server, folder: OutputFolder, results: list[RunResult], screen: Screen) -> bool:
    """Log the study, and return whether that succeeded."""
    done = run_folder.load_manifest(folder.path)
    try:
        run_id = mlflow_runs.log_study(server, folder.path, results, done)
    except mlflow_runs.MlflowError as error:
        print(f"MLflow stopped: {error} All results are in {mounts.with_addresses(folder.path)}.", file=sys.stderr)
        return False
    screen.note(f"MLflow run {run_id} in the experiment '{mlflow_runs.EXPERIMENT}' of {server.uri}")
    return True
