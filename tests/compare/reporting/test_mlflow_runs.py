"""A study in MLflow, read back with MLflow's own client."""

import importlib.util
import socket
import sys
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.folders.manifest import MANIFEST, Manifest
from compare.folders.run_folder import load_record, load_results
from compare.reporting import mlflow_runs
from shared.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_every_run_is_there_with_its_figures_and_the_report_with_the_study(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = mlflow_runs.connect(str(tmp_path / "mlruns"))
    end = server.client.set_terminated

    def end_and_say_so(run_id: str, status: str) -> None:
        print("View run at ...")  # as MLflow does if there is a server
        end(run_id, status)

    server.client.set_terminated = end_and_say_so  # type: ignore[method-assign]
    done = load_results(run_folder)
    study = mlflow_runs.log_study(server, run_folder, done, load_record(run_folder / MANIFEST, Manifest))

    assert capsys.readouterr().out == ""  # standard output is reserved for --json
    client = mlflow_runs.connect(str(tmp_path / "mlruns")).client  # a second study finds the same experiment
    assert client.get_run(study).info.status == "FINISHED"
    assert {artifact.path for artifact in client.list_artifacts(study)} >= {"report.html", "results", "weights"}
    inner = client.search_runs([server.experiment], f"tags.{mlflow_runs.PARENT_TAG} = '{study}'")
    assert {run.info.run_name for run in inner} == {result.name for result in done}
    for result in done:
        assert result.outcome
        (run,) = (run for run in inner if run.info.run_name == result.name)
        assert run.data.params["train.seed"] == str(result.run.train.seed)
        assert run.data.params["model"] == "dense_baseline"
        assert run.data.metrics["test_accuracy"] == result.outcome.test_accuracy
        history = client.get_metric_history(run.info.run_id, "step_loss")
        assert [point.value for point in sorted(history, key=lambda p: p.step)] == list(result.outcome.samples.loss)
        assert run.data.tags["environment.framework"] == "numpy"


def test_a_server_that_does_not_answer_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], numpy_implementation: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    out = tmp_path / "out"
    options = ["--dataset", "digits", "--implementations", numpy_implementation, "--model", "dense_baseline"]
    monkeypatch.setattr(sys, "argv", ["compare", *options, "--mlflow", uri, "--out", str(out)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert f"--mlflow {uri} cannot be used" in error
    assert "Traceback" not in error
    assert not out.exists()


def test_a_lacking_mlflow_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'compare\[mlflow\]'"):
        mlflow_runs.connect("http://127.0.0.1:1")
