"""`compare run --resume`: back to a study that was interrupted."""

from compare.commands.study import StudyWork
from compare.folders.output import OutputFolder
from compare.folders.run_folder import MAX_LIST_BYTES, load_record
from compare.options.run import RunOptions
from compare.reporting import mlflow_runs
from compare.reporting.screen import Screen
from compare.training.executor import Executor
from compare.training.planned import PLAN, Planned
from compare.training.study import Settings
from shared.data import Data, load
from shared.errors import InputError


def command(options: RunOptions, screen: Screen) -> int:
    """Do what `compare run --resume` says; return the exit code. Raises InputError before anything is written."""
    path = options.resume
    assert path is not None
    if not (path / PLAN).is_file():
        raise InputError(
            f"{path} has no {PLAN}: no study had begun there, so there is nothing to resume. Start it with --out "
            f"{path}, which takes a folder in which nothing had begun, or with another one."
        )
    planned = load_record(path / PLAN, Planned, MAX_LIST_BYTES)
    spec = planned.runs[0].data
    data = load(spec, options.data_folder)
    if data.digest() != planned.data_digest:
        raise InputError(
            f"The data set '{spec.dataset}' is not what the study was begun with: its digest is {data.digest()}, and "
            f"{PLAN} says {planned.data_digest}. Give the original data with --data-dir."
        )
    server = None if planned.mlflow is None else mlflow_runs.connect(planned.mlflow)
    folder = OutputFolder.reopened(path)
    return ResumedStudy(planned, data, folder, server, options.timeout, screen).exit_code()


class ResumedStudy(StudyWork):
    """A study that goes on: its plan is known."""

    def __init__(
        self,
        known: Planned,
        data: Data,
        folder: OutputFolder,
        server: mlflow_runs.Server | None,
        timeout_s: float,
        screen: Screen,
    ) -> None:
        settings = Settings(known.threads, known.allocator, known.runs[0].device == "cpu", timeout_s)
        cluster = known.address if known.executor == "ray" else None
        super().__init__(folder, data, known.implementations, settings, cluster, server, screen)
        self.known = known

    def settle(self, executor: Executor) -> Planned:
        executor.choose_device(self.known.runs[0].device)
        return self.known
