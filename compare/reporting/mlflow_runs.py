"""Log a study as MLflow runs: one that holds the report, and within it one for each training run."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from compare.analysis.figures import flat_epoch
from compare.extras import require
from compare.folders.manifest import MANIFEST, SEAL, Manifest, names
from shared.errors import InputError
from shared.result import RunResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

EXPERIMENT = "compare"
PARENT_TAG = "mlflow.parentRunId"  # MLflow's pages nest runs by it
BATCH = 1_000  # metrics in one request: MLflow's maximum
# MLflow reads these when it is imported. Data are only sent to the named server, a server that does not answer is given
# up soon, and folders are allowed as a place to write to.
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ALLOW_FILE_STORE": "true",
}


class MlflowError(Exception):
    """The server refused data."""


@dataclass(frozen=True)
class Server:
    """An MLflow server or folder that answers, and the identifier of the experiment there."""

    uri: str
    client: "MlflowClient"
    experiment: str


def connect(uri: str) -> Server:
    """Connect to the server or folder `uri`, and create the experiment `compare` if it does not exist.

    Raises InputError if MLflow is not installed or `uri` cannot be used.
    """
    require("mlflow", "--mlflow")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    try:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(EXPERIMENT)
        return Server(uri, client, known.experiment_id if known else client.create_experiment(EXPERIMENT))
    except Exception as error:  # any error of the store behind it: from MLflow, requests or the system
        raise InputError(
            f"--mlflow {uri} cannot be used: {_first_line(error)} Give the address of a running MLflow server, "
            "or a folder."
        ) from None


def log_study(server: Server, folder: Path, results: Sequence[RunResult], manifest: Manifest) -> str:
    """Log the study in `folder`, and return the identifier of its run. Raises MlflowError."""
    with redirect_stdout(sys.stderr):  # MLflow prints on its own; standard output is for our results
        return _log_study(server, folder, results, manifest)


def _log_study(server: Server, folder: Path, results: Sequence[RunResult], manifest: Manifest) -> str:
    client = server.client
    try:
        study = _begin(server, folder.name, {"compare.command": manifest.command})
        for name in (*names(folder), MANIFEST, SEAL):  # links are excluded
            where = PurePosixPath(name).parent.as_posix()
            client.log_artifact(study, str(folder / name), None if where == "." else where)
        for result in results:
            _log_run(server, study, result, manifest)
        client.set_terminated(study, "FINISHED" if all(r.status == "ok" for r in results) else "FAILED")
    except Exception as error:  # any error of the store behind it
        raise MlflowError(_first_line(error)) from None
    return study


def _begin(server: Server, name: str, tags: dict[str, str]) -> str:
    run_id: str = server.client.create_run(server.experiment, run_name=name, tags=tags).info.run_id
    return run_id


def _log_run(server: Server, study: str, result: RunResult, manifest: Manifest) -> None:
    from mlflow.entities import Param, RunTag

    client = server.client
    tags = {PARENT_TAG: study, "compare.version": manifest.version, "compare.commit": str(manifest.commit)}
    run_id = _begin(server, result.name, tags)
    environment = result.environment.model_dump() if result.environment else {}
    client.log_batch(
        run_id,
        params=[Param(key, value) for key, value in _flat(result.run.model_dump())],
        tags=[RunTag(f"environment.{key}", value) for key, value in _flat(environment)],
    )
    metrics = list(_metrics(result))
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])
    if result.error:
        client.set_tag(run_id, "compare.error", result.error)
    client.set_terminated(run_id, "FINISHED" if result.status == "ok" else "FAILED")


def _metrics(result: RunResult) -> Iterator["Metric"]:
    from mlflow.entities import Metric

    outcome = result.outcome
    if outcome is None:
        return
    for epoch in outcome.epochs:
        for name, value in flat_epoch(epoch).items():
            if name == "epoch" or value is None:
                continue
            yield Metric(f"epoch_{name}", value, 0, epoch.epoch)
    for step, (loss, step_s) in enumerate(zip(outcome.samples.loss, outcome.samples.step_s, strict=True), 1):
        yield Metric("step_loss", loss, 0, step)
        yield Metric("step_milliseconds", step_s * 1e3, 0, step)
    for name in ("test_accuracy", "test_loss", "train_s", "n_params", "peak_rss_bytes", "peak_device_bytes"):
        if (value := getattr(outcome, name)) is not None:
            yield Metric(name, value, 0, 0)
    for name, value in outcome.test_metrics.items():
        yield Metric(f"test_{name}", value, 0, 0)


def _flat(fields: dict[str, object], stem: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested fields under names joined by dots, as texts."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{stem}{name}.")
        else:
            yield f"{stem}{name}", str(value)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
