"""`compare run --resume`: continue a study that was interrupted."""

from compare import networks
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
from shared.storage import inside


def command(options: RunOptions, screen: Screen) -> int:
    """Carry out `compare run --resume`, and return the exit code. Raises InputError before anything is written."""
    path = options.resume
    assert path is not None
    inside.check(path)
    if not (path / PLAN).is_file():
        raise InputError(
            f"{path} has no {PLAN}: no study was started there, so there is nothing to resume. Start one with "
            f"--out {path}, or with another folder."
        )
    planned = load_record(path / PLAN, Planned, MAX_LIST_BYTES)
    _check_network(planned, options)
    spec = planned.runs[0].data
    data = load(spec, options.data_folder)
    if data.digest() != planned.data_digest:
        raise InputError(
            f"The data set '{spec.dataset}' is not the one of the study: its digest is {data.digest()}, and "
            f"{PLAN} says {planned.data_digest}. Give the original data with --data-dir."
        )
    planned.check_fit(data)
    cluster = _cluster(planned, options)
    server = None if options.mlflow is None else mlflow_runs.connect(options.mlflow)
    if planned.mlflow and server is None:
        screen.note(f"Its plan names the MLflow server {planned.mlflow}. Give --mlflow to log the study there.")
    folder = OutputFolder.reopened(path)
    return ResumedStudy(planned, data, folder, server, cluster, options.timeout, screen).exit_code()


def _check_network(planned: Planned, options: RunOptions) -> None:
    """Raise InputError if the study is of a network of the user's own whose code has changed or is missing, or was
    never named on this machine."""
    network = networks.at_hand(planned.runs[0].spec, options.model)
    if network != planned.runs[0].spec:
        code = planned.runs[0].spec.code
        assert code is not None, "networks of this package are equal"
        raise InputError(
            f"--model {options.model}: the study continues with the code in {code.folder}, where it "
            "began. Put the folder back there, or begin another study."
        )


def _cluster(planned: Planned, options: RunOptions) -> str | None:
    """Return the address of the Ray cluster to continue on; None if the study continues on this machine.

    No address is taken from a plan: it may come from a stranger, and a cluster receives the data and can run code here.
    Raises InputError if the plan names a cluster and the command line does not say where to continue.
    """
    if planned.executor == "ray" and "executor" not in options.given:
        raise InputError(
            f"By its plan, the study began on the Ray cluster at {planned.address}. Give --executor "
            f"ray --address {planned.address} to continue there, or --executor local to continue here."
        )
    return options.address if options.executor == "ray" else None


class ResumedStudy(StudyWork):
    """A study that continues: its plan is known."""

    def __init__(
        self,
        known: Planned,
        data: Data,
        folder: OutputFolder,
        server: mlflow_runs.Server | None,
        cluster: str | None,
        timeout_s: float,
        screen: Screen,
    ) -> None:
        on_cpu = known.runs[0].device == "cpu"
        settings = Settings(known.threads, known.allocator, on_cpu, timeout_s, known.waiting)
        super().__init__(folder, data, known.implementations, settings, cluster, server, screen)
        self.known = known

    def settle(self, executor: Executor) -> Planned:
        executor.choose_device(self.known.runs[0].device)
        return self.known
