"""A resumed study ends with the same losses and weights as an uninterrupted one, to the bit."""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import running, still_there, workers_of
from essence import essences
from patience import GENEROUS_S
from results import run

from compare.__main__ import main
from compare.commands.verify import problems
from compare.folders.output import OutputFolder
from compare.processes import ray_cluster
from compare.reporting import mlflow_runs
from compare.training import study
from compare.training.checkpoint import Checkpoint, Checkpoints
from compare.training.planned import PLAN
from shared.data import DataSpec, load

QUICK = (
    "--dataset digits --model dense_baseline --implementations numpy,numpy_again --epochs 4 --seeds 2 --batch-size 32 "
    "--limit 640"
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with running(*arguments_for(out)) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    return essences(out)


def arguments_for(out: Path) -> list[object]:
    """Return the arguments that begin or resume the study."""
    return ["run", "--resume", out] if (out / PLAN).exists() else [*QUICK.split(), "--out", out]


def disturb(out: Path, by: random.Random) -> None:
    """Begin or resume the study, and kill the parent or a worker at a random moment."""
    with running(*arguments_for(out)) as process:
        time.sleep(by.uniform(0.2, 6.0))
        workers = workers_of(process)
        if process.poll() is None:
            os.kill(process.pid if by.random() < 0.6 or not workers else by.choice(workers), signal.SIGKILL)
        _, error = process.communicate(timeout=GENEROUS_S)
    assert not still_there(workers), "a worker outlived its study"
    assert "Traceback" not in error, error
    if out.exists() and not (out / PLAN).exists():  # killed before anything had begun
        shutil.rmtree(out)


@pytest.mark.slow
@pytest.mark.usefixtures("numpy_implementations")
def test_killed_at_random_moments_and_resumed(undisturbed: dict[str, dict[str, object]], tmp_path: Path) -> None:
    _survive(tmp_path, undisturbed, random.Random(1), n_kills=2)


@pytest.mark.long
@pytest.mark.usefixtures("numpy_implementations")
def test_killed_a_hundred_times(undisturbed: dict[str, dict[str, object]], tmp_path: Path) -> None:
    by = random.Random(0)
    for number in range(20):
        _survive(tmp_path / str(number), undisturbed, by, n_kills=5)


def _survive(folder: Path, undisturbed: dict[str, dict[str, object]], by: random.Random, n_kills: int) -> None:
    folder.mkdir(exist_ok=True)
    out = folder / "out"
    for _ in range(n_kills):
        disturb(out, by)
    for _ in range(3):  # a worker killed in the last disturbance has its run retried
        with running(*arguments_for(out)) as process:
            _, error = process.communicate(timeout=GENEROUS_S)
        if process.returncode == 0:
            break
    assert process.returncode == 0, error
    assert essences(out) == undisturbed
    assert not (out / "checkpoints").exists()
    assert problems(out) == []


def resume(monkeypatch: pytest.MonkeyPatch, out: Path, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", "run", "--resume", str(out), "--quiet", *options])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_what_failed_is_tried_again_and_what_ended_is_not(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = essences(run_folder)
    path = run_folder / "results" / "numpy-seed1.json"
    failed = json.loads(path.read_text()) | {"status": "failed", "error": "asked to", "outcome": None}
    path.write_text(json.dumps(failed))
    kept = (run_folder / "results" / "numpy-seed0.json").read_bytes()
    assert resume(monkeypatch, run_folder) == 0
    assert essences(run_folder) == before
    assert (run_folder / "results" / "numpy-seed0.json").read_bytes() == kept
    assert problems(run_folder) == []


def test_what_cannot_be_resumed(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resume(monkeypatch, run_folder, "--epochs", "3") == 2
    assert "--epochs cannot be combined with --resume" in capsys.readouterr().err
    plan = json.loads((run_folder / PLAN).read_text())
    (run_folder / PLAN).write_text(json.dumps(plan | {"data_digest": "0" * 64}))
    assert resume(monkeypatch, run_folder) == 2
    assert "is not the one of the study" in capsys.readouterr().err
    (run_folder / PLAN).unlink()
    assert resume(monkeypatch, run_folder) == 2
    assert f"{run_folder} has no {PLAN}" in capsys.readouterr().err


def test_a_stopped_worker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """A stopped worker cannot read its next request, so it does not notice the end of its input."""
    with running(*QUICK.split(), "--epochs", "1000", "--out", tmp_path / "out") as process:
        deadline = time.monotonic() + GENEROUS_S
        while not (tmp_path / "out" / PLAN).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = workers_of(process)
        assert len(workers) == 2
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        process.kill()
        process.communicate()
    assert not still_there(workers)


@pytest.mark.usefixtures("numpy_implementations")
@pytest.mark.parametrize(("took_s", "share", "n_kept"), [(0.3, study.KEEP_AFTER, 4), (0.0, 0, 20)])
def test_checkpoints_are_few_where_they_would_take_much_of_the_training(
    took_s: float, share: float, n_kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training of less than 15 s has one, after its first epoch. Longer ones have one after every epoch but the
    last."""
    saved: list[int] = []

    def save(self: Checkpoints, checkpoint: Checkpoint, state: dict[str, np.ndarray]) -> None:
        time.sleep(took_s)
        saved.append(len(checkpoint.epochs))

    monkeypatch.setattr(Checkpoints, "save", save)
    monkeypatch.setattr(study, "KEEP_AFTER", share)
    arguments = [*QUICK.split(), "--epochs", "6", "--quiet", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert len(saved) == n_kept
    assert set(saved) == ({1} if share else {1, 2, 3, 4, 5})


def test_an_altered_checkpoint_is_reported_and_not_gone_on_from(tmp_path: Path) -> None:
    """Otherwise a flipped bit in it would give weights that look normal."""
    said: list[str] = []
    checkpoints = Checkpoints(OutputFolder(tmp_path / "out"), said.append)
    of = run("numpy").model_copy(update={"model": "dense_baseline"})
    state = {"dense1/kernel": np.arange(6.0), "step": np.array(3)}
    checkpoints.save(Checkpoint(run=of, data_digest="0" * 64, epochs=(), slices=()), state)
    known = checkpoints.load(of, "0" * 64)
    assert known is not None
    assert {name: value.tolist() for name, value in known[1].items()} == {n: v.tolist() for n, v in state.items()}
    assert checkpoints.load(of, "1" * 64) is None
    path = next((tmp_path / "out" / "checkpoints").iterdir())
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    assert checkpoints.load(of, "0" * 64) is None
    assert ["belongs to another run, or to other data" in said[0], "was altered" in said[1]] == [True, True]


def test_no_address_is_taken_from_a_plan(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise the process that wrote the folder would receive its content, and its answers would be trusted."""

    def connected(*_: object) -> None:
        raise AssertionError("it connected to an address that the folder names")

    monkeypatch.setattr(mlflow_runs, "connect", connected)
    monkeypatch.setattr(ray_cluster, "connected", connected)
    plan = json.loads((run_folder / PLAN).read_text())
    (run_folder / PLAN).write_text(json.dumps(plan | {"executor": "ray", "address": "somewhere:1"}))
    assert resume(monkeypatch, run_folder) == 2
    assert "Give --executor ray --address somewhere:1 to continue there" in capsys.readouterr().err
    assert resume(monkeypatch, run_folder, "--executor", "local") == 0
    (run_folder / PLAN).write_text(json.dumps(plan | {"mlflow": "http://somewhere:1"}))
    monkeypatch.setattr(sys, "argv", ["compare", "run", "--resume", str(run_folder)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert "Its plan names the MLflow server http://somewhere:1." in capsys.readouterr().err


def test_a_run_that_lost_its_weights_is_trained_again(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = essences(run_folder)
    (run_folder / "weights" / "numpy-seed0.safetensors").unlink()
    (run_folder / "weights" / "numpy-seed1.safetensors").write_bytes(b"altered")
    assert resume(monkeypatch, run_folder) == 0
    assert essences(run_folder) == before
    assert problems(run_folder) == []


NOT_THIS_STUDY = {
    "other epochs": (
        lambda plan: plan["runs"][0]["train"].update(epochs=3),
        "numpy-seed0 does not match plan.json",
    ),
    "no runs": (lambda plan: plan.update(runs=[]), "runs: Tuple should have at least 1 item"),
    "a run twice": (lambda plan: plan.update(runs=plan["runs"][:1] * 2), "a run is there twice"),
    "nobody's": (
        lambda plan: plan["runs"][1].update(implementation="nope"),
        "is of an implementation or architecture that this version",
    ),
    "two data sets": (lambda plan: plan["runs"][1]["data"].update(dataset="photographs"), "not of one architecture"),
    "a batch too large": (
        lambda plan: [run["train"].update(batch_size=100_000) for run in plan["runs"]],
        f"{PLAN}: a batch size of 100,000 is larger than the 1,437 training images.",
    ),
    "no threads": (lambda plan: plan.update(threads=0), "threads: Input should be greater than or equal to 1"),
}


@pytest.mark.parametrize("case", NOT_THIS_STUDY)
def test_a_plan_that_is_another(
    case: str, run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = NOT_THIS_STUDY[case]
    plan = json.loads((run_folder / PLAN).read_text())
    change(plan)
    (run_folder / PLAN).write_text(json.dumps(plan))
    kept = essences(run_folder)
    assert resume(monkeypatch, run_folder) == 2
    assert said in capsys.readouterr().err
    assert essences(run_folder) == kept


def test_a_last_batch_that_cannot_be_trained_on(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message is that of a new study, before a worker starts. An earlier version began such studies."""
    plan = json.loads((run_folder / PLAN).read_text())
    for one in plan["runs"]:
        one.update(model="cnn_bn_cifar", recipe="idiomatic", implementation="torch")
        one["data"].update(dataset="photographs", n_train=72)
        one["train"].update(optimizer=None, schedule="constant")
    data = load(DataSpec(dataset="photographs", n_train=72), run_folder)
    (run_folder / PLAN).write_text(json.dumps(plan | {"data_digest": data.digest()}))
    assert resume(monkeypatch, run_folder) == 2
    said = capsys.readouterr().err
    assert f"{PLAN}: the study trains on 65 of the 72 training images in batches of 64. So the last batch" in said
    assert "Begin another study, with another --batch-size or --limit, or leave torch out" in said
