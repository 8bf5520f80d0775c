"""Whole runs: quick ones on the NumPy implementation of tests/support, and one of all three frameworks."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import rest_of, running, still_there, workers_of
from numpy_specs import numpy_spec
from patience import GENEROUS_S, patience
from reference import LAYERS, Network

from compare.__main__ import main
from compare.analysis.seeds import Judging
from compare.bench import building, launcher, tuned
from compare.bench.statistics import Interval
from compare.bench.tuned import TunedMemory
from compare.folders.manifest import Manifest
from compare.registry import IMPLEMENTATIONS, Candidate
from compare.rpc import messages
from compare.training.outcome import foreign_load
from compare.training.planned import PLAN, Planned
from shared.data import Data
from shared.result import RunResult, Tuned
from shared.weights import from_safetensors

ROOT = Path(__file__).parents[3]
QUICK = ("--dataset", "digits", "--model", "dense_baseline", "--device", "cpu")


SLOW_REPORT_S = 600
PLOTS = ("learning_curves", "step_times", "confusion_matrices", "filters")


def run(monkeypatch: pytest.MonkeyPatch, out: Path, *options: str) -> int:
    """Run quickly with the output folder `out`, and return the exit code."""
    monkeypatch.setattr(sys, "argv", ["compare", "run", *QUICK, "--out", str(out), *options])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def results(out: Path) -> dict[str, RunResult]:
    return {p.stem: RunResult.model_validate_json(p.read_text()) for p in sorted((out / "results").iterdir())}


@pytest.fixture
def two(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register two implementations: `numpy`, which may misbehave, and `sound`, the same code under another name."""
    monkeypatch.setitem(IMPLEMENTATIONS, "sound", numpy_spec("sound", "sound_impl"))


@pytest.fixture
def sound_impl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two: None) -> None:
    """Write a package that is numpy_misbehaving without its faults."""
    package = tmp_path / "packages" / "sound_impl"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import os\nos.environ['NUMPY_IMPL_FAULT'] = ''\n"
        "from numpy_misbehaving import create, framework, matrix_product\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(package.parent)]))


def test_what_others_took_is_reported_of_the_whole_run() -> None:
    """Others took 0.3 s of the 3 s in which slices were trained. If one slice does not know, nothing is reported."""

    def part(foreign_s: float | None, slice_s: float) -> messages.Slice:
        return messages.Slice(
            epoch=1, step=1, loss=(1.0,), step_s=(0.1,), slice_s=slice_s, foreign_s=foreign_s, epoch_end=None
        )

    assert foreign_load([part(0.1, 1.0), part(0.2, 2.0)]) == pytest.approx(0.1)
    assert foreign_load([part(-0.1, 1.0)]) == 0.0
    assert foreign_load([part(0.1, 1.0), part(None, 2.0)]) is None


def test_the_foreign_load_of_the_idiomatic_recipe_is_that_of_all_its_epochs() -> None:
    def epoch(foreign_s: float | None, elapsed_s: float) -> messages.Fitted:
        return messages.Fitted(
            train_loss=1.0,
            train_accuracy=0.5,
            validation_loss=1.0,
            validation_accuracy=0.5,
            n_steps=10,
            train_s=elapsed_s / 2,
            elapsed_s=elapsed_s,
            foreign_s=foreign_s,
        )

    assert foreign_load([], [epoch(0.5, 1.0), epoch(1.0, 2.0)]) == pytest.approx(0.5)
    assert foreign_load([], [epoch(0.5, 1.0), epoch(None, 2.0)]) is None
    assert foreign_load([]) is None


def test_what_a_study_is_judged_by_is_kept(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["--implementations", "numpy", "--epochs", "1", "--margin", "0.02", "--target", "0.5"]
    assert run(monkeypatch, out, *options) == 0
    kept = Judging.model_validate_json((out / "study.json").read_text())
    assert kept == Judging(implementations=("numpy",), margin=0.02, target=0.5)
    assert "training until 50.00%" in (out / "report.md").read_text()


def test_the_output_folder(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "2", "--seeds", "2", "--seed", "3") == 0
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {
        "manifest.json", "manifest.sha256", "report.html", "report.md", "results.csv",
        "results.parquet", "study.json", "plan.json", "logs/numpy.log",
        *(f"plots/{name}.png" for name in PLOTS), *(f"plots/{name}.svg" for name in PLOTS),
        "results/numpy-seed3.json", "results/numpy-seed4.json",
        "weights/numpy-seed3.safetensors", "weights/numpy-seed4.safetensors",
    }  # fmt: skip
    manifest = Manifest.model_validate_json((out / "manifest.json").read_text())
    assert manifest.files == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in files - {"manifest.json", "manifest.sha256"}
    }
    for result in results(out).values():
        assert result.outcome is not None
        assert result.outcome.weights_sha256 == manifest.files[result.weights_path]
    frame = pd.read_csv(out / "results.csv")
    assert frame["seed"].tolist() == [3, 4]
    assert frame["test_loss"].nunique() == 2  # two seeds are two runs
    shown = capsys.readouterr()
    assert "101,770" in shown.out
    assert "numpy-seed4 after epoch 2/2" in shown.err


def test_saved_weights_give_the_accuracy_of_the_table(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: Data
) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "3") == 0
    outcome = results(out)["numpy-seed0"].outcome
    assert outcome is not None
    network = Network(
        LAYERS["dense_baseline"], from_safetensors((out / "weights" / "numpy-seed0.safetensors").read_bytes())
    )
    right = (network.logits(digits.x_test).argmax(axis=1) == digits.y_test).sum()
    assert right == round(outcome.test_accuracy * 360) == np.trace(np.array(outcome.confusion))
    assert outcome.epochs[-1].test_accuracy == outcome.test_accuracy
    assert outcome.epochs[-1].train_loss < outcome.epochs[0].train_loss


def test_a_tuned_study_is_made_as_it_was_found_fastest(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its workers start with the tuned settings, its records and report name them, and the weights are the same."""
    chosen = {"MKL_CHOSEN": "1"}
    listed = (
        Candidate("plain", "eager", {}, {}),
        Candidate("fast", "eager", {"way": "quick"}, chosen, fewer_threads=True),
    )
    tunable = replace(IMPLEMENTATIONS["numpy"], candidates={"cpu": listed})
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", tunable)
    memory = TunedMemory(tmp_path / "tuned.json")
    monkeypatch.setattr(tuned, "default_memory", lambda: memory)
    monkeypatch.setattr(launcher, "ROUNDS_S", 0.1)
    monkeypatch.setattr(building, "MOST_WARMUP_S", 0.1)
    monkeypatch.setattr(tuned, "ratio", lambda of_one, first: Interval(1.0 if of_one is first else 2.0))
    options = ["--implementations", "numpy", "--epochs", "1", "--seeds", "2", "--threads", "2"]
    assert run(monkeypatch, tmp_path / "tuned", *options, "--mode", "tuned") == 0
    assert run(monkeypatch, tmp_path / "plain", *options, "--threads", "1") == 0
    found, expected = results(tmp_path / "tuned"), results(tmp_path / "plain")
    for name, result in found.items():
        assert result.run.tuned == Tuned(factor="fast", tuning={"way": "quick"}, variables=chosen, threads=1)
        assert result.environment is not None
        assert result.environment.variables["MKL_CHOSEN"] == "1"
        assert result.environment.threads == 1
        assert result.outcome is not None
        other = expected[name].outcome
        assert other is not None
        assert result.outcome.weights_sha256 == other.weights_sha256
    assert pd.read_csv(tmp_path / "tuned" / "results.csv")["mode"].tolist() == ["eager, tuned"] * 2
    report = (tmp_path / "tuned" / "report.md").read_text()
    assert "- **numpy**: fast (eager, way quick, 1 thread, MKL_CHOSEN=1)." in report
    assert "tuning {'way': 'quick'}" in (tmp_path / "tuned" / "logs" / "numpy.log").read_text()
    for done in (["verify", str(tmp_path / "tuned"), "--rerun"], ["run", "--resume", str(tmp_path / "tuned")]):
        monkeypatch.setattr(sys, "argv", ["compare", *done])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 0
    assert [choice["factor"] for choice in json.loads(memory.path.read_text()).values()] == ["fast"]


def test_a_study_in_float64(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "1", "--precision", "float64") == 0
    weights = from_safetensors((out / "weights" / "numpy-seed0.safetensors").read_bytes())
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float64)}
    assert "computing in float64" in (out / "report.md").read_text()


def test_stopping_early(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It stops after the first epoch that reaches the accuracy. Until then it equals a run without stopping."""
    full, short = tmp_path / "full", tmp_path / "short"
    options = ("--implementations", "numpy", "--epochs", "6", "--learning-rate", "0.002")
    assert run(monkeypatch, full, *options) == 0
    assert run(monkeypatch, short, *options, "--stop-at", "0.9") == 0
    whole, stopped = (results(out)["numpy-seed0"].outcome for out in (full, short))
    assert whole is not None
    assert stopped is not None
    accuracies = [e.train_accuracy for e in whole.epochs]
    reached = next(n for n, accuracy in enumerate(accuracies, 1) if accuracy >= 0.9)
    assert 1 < reached < 6
    assert stopped.epochs == whole.epochs[:reached]
    assert pd.read_csv(short / "results.csv")["epochs"].tolist() == [reached]
    assert "a training accuracy of 90.00% or better" in (short / "report.md").read_text()


def test_with_validation_the_test_set_is_used_once(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "2", "--validation", "143") == 0
    result = results(out)["numpy-seed0"]
    assert (result.n_train, result.n_validation, result.n_test) == (1_294, 143, 360)
    assert result.outcome is not None
    for epoch in result.outcome.epochs:
        assert epoch.test_accuracy is None
        assert epoch.validation_accuracy is not None
        assert (epoch.validation_accuracy * 143) == pytest.approx(round(epoch.validation_accuracy * 143))
    assert sum(map(sum, result.outcome.confusion)) == 360
    report = (out / "report.md").read_text()
    assert "The test set was used once, at the end. The curves are those of 143 training images" in report


@pytest.mark.parametrize(("options", "kept"), [((), True), (("--allocator", "system"), False)])
def test_freed_memory_is_kept_unless_the_system_has_its_way(
    options: tuple[str, ...], kept: bool, numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "1", *options) == 0
    environment = results(out)["numpy-seed0"].environment
    assert environment is not None
    assert ("MALLOC_TRIM_THRESHOLD_" in environment.variables) is kept
    planned = Planned.model_validate_json((out / PLAN).read_bytes())  # used to resume an interrupted study
    assert (planned.allocator == "kept") is kept
    assert ("kept by glibc" in (out / "report.md").read_text()) is kept


FAULTS = {
    "import": "ImportError: numpy_misbehaving was asked to fail",
    "create": "RuntimeError: asked to fail",
    "exit": "the worker exited with code 7",
    "kill": "the worker was ended by signal 9",
    "hang": "no answer within 5 s when asked to train slice; the worker was ended",
    "nan": "the loss of epoch 1, step 3 is nan; not finite: the loss alone",
    "miscount": "dense_baseline has 101,771 parameters (101,770 trainable) here, and its contract says 101,770 "
    "(101,770)",
}


@pytest.mark.usefixtures("sound_impl")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_does_not_take_the_others_down(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMPY_IMPL_FAULT", fault)
    out, timeout_s = tmp_path / "out", patience(5) if fault == "hang" else GENEROUS_S
    error = FAULTS[fault].replace("5 s", f"{timeout_s:g} s")
    assert (
        run(monkeypatch, out, "--implementations", "numpy,sound", "--epochs", "1", "--timeout", f"{timeout_s:g}") == 1
    )
    failed, sound = results(out)["numpy-seed0"], results(out)["sound-seed0"]
    status = "diverged" if fault == "nan" else "failed"
    assert (failed.status, failed.error, failed.outcome) == (status, error, None)
    if fault == "nan":
        assert failed.history
        assert len(failed.history.samples.loss) == 2  # those before the failure
    assert (sound.status, sound.error) == ("ok", None)
    assert sound.outcome is not None
    shown = capsys.readouterr()
    assert f"numpy-seed0 {status}: {error}" in shown.err
    assert f"numpy-seed0 {status}: {error}" in shown.out
    assert error.split("(")[0] in (out / "report.md").read_text()
    assert not (out / "weights" / "numpy-seed0.safetensors").exists()
    if fault == "exit":
        assert "numpy-seed0 | about to go" in shown.err  # the worker's output, with its run


@pytest.mark.usefixtures("sound_impl")
def test_what_a_worker_writes_is_shown_with_its_run(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMPY_IMPL_FAULT", "print")
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy,sound", "--epochs", "1") == 0
    error = capsys.readouterr().err
    assert "numpy-seed0 | a warning on standard error" in error
    assert "sound-seed0 |" not in error


@pytest.mark.usefixtures("sound_impl")
def test_a_worker_that_died_is_started_again_for_the_next_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMPY_IMPL_FAULT", "exit")
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--implementations", "numpy,sound", "--epochs", "1", "--seeds", "2") == 1
    assert {name: r.error for name, r in results(out).items()} == {
        "numpy-seed0": "the worker exited with code 7",
        "numpy-seed1": "the worker exited with code 7",
        "sound-seed0": None,
        "sound-seed1": None,
    }


def test_seeds_share_a_process_but_not_their_peak(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The peak restarts with each seed, so the second one's excludes the first one's 300 MB."""
    out = tmp_path / "out"
    monkeypatch.setenv("NUMPY_IMPL_FAULT", "hungry")  # takes 300 MB at its third step, in the first seed only
    assert run(monkeypatch, out, "--implementations", "numpy", "--epochs", "1", "--seeds", "2") == 0
    first, second = (r.outcome.peak_rss_bytes for r in results(out).values() if r.outcome)
    assert first is not None
    assert second is not None
    assert second < first - 200e6


@pytest.mark.parametrize("name", ["[/x]", "[red]b", "a b"])
def test_names_that_look_like_markup(
    name: str, numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    images, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
    source = tmp_path / f"{name.replace('/', '')}.npz"
    np.savez(source, x_train=images, y_train=labels, x_test=images, y_test=labels)
    options = [*QUICK[2:], "--implementations", "numpy", "--epochs", "1", "--batch-size", "8"]
    out = tmp_path / f"out{name}"
    monkeypatch.setattr(sys, "argv", ["compare", "--dataset", str(source), *options, "--out", str(out)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert str(source) in shown
    assert f"Report: {out / 'report.md'}" in shown


def test_a_full_disk_stops_with_one_message(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert run(monkeypatch, tmp_path / "out", "--implementations", "numpy", "--epochs", "1") == 1
    error = capsys.readouterr().err
    assert "cannot be written: No space left on device. No run had ended; nothing was kept." in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_finished(sent: signal.Signals, tmp_path: Path) -> None:
    """After Ctrl-C in a real process, the first record is kept, the exit code is 130, and no worker is left."""
    out = tmp_path / "out"
    first = out / "results" / "numpy-seed0.json"
    options = [*QUICK, "--implementations", "numpy", "--epochs", "2", "--seeds", "1000", "--out", out]
    with running("run", *options, executed=sent == signal.SIGINT) as process:
        deadline = time.monotonic() + GENEROUS_S
        while not first.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = workers_of(process)
        process.send_signal(sent)
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 130, error
    assert "Interrupted. What was finished is kept in" in error
    assert "Traceback" not in error
    assert json.loads(first.read_text())["status"] == "ok"
    assert (out / "manifest.json").exists()
    assert "Resume with: python -m compare run --resume" in error
    assert not still_there(workers)


def test_a_second_interrupt_stops_at_once_and_loses_nothing(tmp_path: Path) -> None:
    """The report takes very long here, and resuming writes it."""
    out = tmp_path / "out"
    slow = f"import time; from compare.training import report; report.render = lambda *_: time.sleep({SLOW_REPORT_S})"
    options = [*QUICK, "--implementations", "numpy", "--epochs", "1", "--seeds", "60", "--out", out]
    with running("run", *options, first=slow) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("test accuracy" in line for line in lines)  # a tenth of the runs have ended
        process.send_signal(signal.SIGINT)
        assert any("Interrupt again to stop at once." in line for line in lines)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, error = rest_of(process)
    assert process.returncode == 130, error
    assert time.monotonic() - start < SLOW_REPORT_S  # otherwise it would have waited that long
    assert "Stopped at once" in error
    assert "Resume with: python -m compare run --resume" in error
    assert "Traceback" not in error
    assert not (out / "manifest.json").exists()
    assert results(out)["numpy-seed1"].status == "ok"


@pytest.mark.long  # 20 s of processor time; .ci/run has a step with it
def test_all_three_frameworks_from_the_shell(tmp_path: Path, digits: Data) -> None:
    """This is a shortened main run. The independent NumPy reference then evaluates the saved weights."""
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "compare",
        "--dataset",
        "digits",
        "--epochs",
        "3",
        "--limit",
        "640",
        "--out",
        str(out),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=GENEROUS_S)
    assert done.returncode == 0, done.stderr
    found = results(out)
    assert set(found) == {f"{name}-seed0" for name in ("torch", "keras", "tf_lowlevel")}
    accuracies, filters = [], []
    for name, result in found.items():
        assert result.outcome is not None
        network = Network(LAYERS["cnn_same"], from_safetensors((out / "weights" / f"{name}.safetensors").read_bytes()))
        right = (network.logits(digits.x_test).argmax(axis=1) == digits.y_test).sum()
        assert right == round(result.outcome.test_accuracy * 360)
        accuracies.append(result.outcome.test_accuracy)
        assert len(result.outcome.samples.step_s) == 3 * 10
        filters.append(network.p["conv1/kernel"])
    assert all(abs(other - filters[0]).max() < 0.05 * abs(filters[0]).max() for other in filters)
    assert min(accuracies) > 0.8
    assert max(accuracies) - min(accuracies) < 0.03
    assert "421,642" in done.stdout
