"""`compare bench` from the command line, on the NumPy implementations of tests/support."""

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from commands import rest_of, running

from compare.__main__ import main
from compare.bench import launcher, scaling, schedule
from compare.bench.plan import make_plan
from compare.bench.result import BenchResult
from compare.commands.verify import problems
from compare.options.bench import BenchOptions

ROOT = Path(__file__).parents[3]
HERE = "--model dense_baseline --threads 1"


def run(monkeypatch: pytest.MonkeyPatch, arguments: str) -> int:
    """Run `python -m compare bench ...` in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["compare", "bench", *arguments.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.slow
@pytest.mark.pictures
def test_a_bench_leaves_its_record_a_report_and_every_window(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    implementations = "numpy,numpy_again"
    monkeypatch.setattr(launcher, "ROUNDS_S", 0.3)
    monkeypatch.setattr(schedule, "LEAST_TO_STOP", 2)
    code = run(monkeypatch, f"{HERE} --implementations {implementations} --budget 60 --interval 1 --out {out}")
    printed = capsys.readouterr()
    assert code == 0, printed.err
    record = BenchResult.model_validate_json((out / "bench.json").read_bytes())
    assert record.ending in {"budget", "precise"}
    assert [contestant.name for contestant in record.contestants] == implementations.split(",")
    windows = pd.read_csv(out / "windows.csv")
    n_windows = sum(len(m.windows) for launch in record.launches for m in launch.measured.values())
    assert len(windows) == n_windows
    assert (windows["elapsed_s"] > 0).all()
    report = (out / "report.md").read_text()
    for text in ("numpy_again", "Turns", "GFLOP/s", "bench --model dense_baseline"):
        assert text in report
    assert (out / "plots" / "steps.png").stat().st_size > 5_000
    assert set(json.loads((out / "manifest.json").read_text())["files"]) >= {"bench.json", "report.md", "windows.csv"}
    assert "x" in printed.out


BAD_OPTIONS = {
    "--model cnn_sam": "Did you mean 'cnn_same'?",
    "--implementations torch": "A bench needs two contestants, and there is one.",
    "--implementations torch --modes xla": "there is none. torch has no mode 'xla', only eager and graph.",
    "--implementations torch,torch": "--implementations torch,torch names one twice",
    "--modes default,eager --implementations torch": "name a contestant twice",
    "--modes turbo": "There is no mode 'turbo'",
    "--baseline jax": "There is no baseline 'jax'. Known: torch, keras, tf_lowlevel.",
    "--aa torch --modes eager,graph": "--aa pits one against itself, not eager and graph.",
    "--aa torch --implementations keras": "--implementations cannot be combined with --aa",
    "--mixed-precision tf32": "--mixed-precision tf32 is a format of CUDA devices only.",
    "--mixed-precision float8": "There is no mixed precision 'float8'. Did you mean 'bfloat16'?",
    "--aa torch --mixed-precision none,bfloat16": "--aa pits one against itself, not none and bfloat16.",
    "--waterfall --aa torch": "--aa cannot be combined with --waterfall",
    "--waterfall --model cnn_bn_cifar --implementations keras,keras_functional": "keras_functional has no waterfall",
    "--batch-sizes 16,64 --profile": "--profile cannot be combined with several batch sizes or threads",
    "--batch-sizes 16,16": "names one twice",
    "--aa jax": "There is no implementation 'jax'",
    "--aa torch --baseline torch": "There is no baseline 'torch'. Did you mean 'torch-b'?",
    "--budget 0": "--budget 0 is not possible",
    "--interval 0": "--interval 0 is not possible",
    "--precision 0": "--interval 0 is not possible",
    "--precision 0.1 --interval 0.1": "--precision is the former name of --interval",
    "--batch-sizes 0": "--batch-sizes 0 is not possible. Give whole numbers from 1 to 1,000,000.",
    "--batch-sizes 64,x": "--batch-sizes 'x' is not possible",
    "--batch-sizes 5000": "--batch-sizes 5,000 is larger than the 1,437 training images",
    "--threads none": "--threads 'none' is not possible",
    "--allocator mine": "There is no allocator 'mine'",
    "--device gpu": "There is no device 'gpu'",
    "--model cnn_bn_cifar --dataset digits": "takes images of (32, 32, 3)",
    "--out o\udcff": "has characters that cannot be shown",
}


@pytest.mark.parametrize(("options", "said"), BAD_OPTIONS.items(), ids=BAD_OPTIONS)
def test_bad_input_is_one_paragraph(
    options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_mixed_precision_is_an_axis() -> None:
    options = BenchOptions(mixed_precision=("none", "bfloat16"))
    plan = make_plan(replace(options, implementations=("torch", "keras")))
    named = {one.name: one.mixed_precision for one in plan.contestants}
    assert named == {"torch": "none", "torch-bfloat16": "bfloat16", "keras": "none", "keras-bfloat16": "bfloat16"}


@pytest.mark.slow
def test_a_budget_too_short_for_one_round_leaves_nothing(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(monkeypatch, f"{HERE} --implementations {numpy_implementations} --budget 1 --out {out}") == 2
    assert "--budget 1 is too short for one round" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.long
def test_a_contestant_that_fails_is_reported_and_the_others_go_on(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUMPY_FAULTY", "create")
    out = tmp_path / "out"
    code = run(monkeypatch, f"{HERE} --implementations {numpy_implementations} --budget 6 --out {out}")
    assert code == 1
    assert "numpy_faulty failed in launch 1: RuntimeError: asked to fail in create" in capsys.readouterr().out
    record = BenchResult.model_validate_json((out / "bench.json").read_bytes())
    assert all(set(launch.measured) == {"numpy", "numpy_again"} for launch in record.launches)


@pytest.mark.long
@pytest.mark.pictures
def test_several_batch_sizes_give_curves(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = f"--implementations numpy,numpy_again --batch-sizes 64,256 --budget 2 --out {out}"
    assert run(monkeypatch, f"{HERE} {options}") == 0
    records = scaling.RECORDS.validate_json((out / scaling.RECORD).read_bytes())
    assert problems(out) == []  # its report matches its records
    for size, record in zip((64, 256), records, strict=True):
        assert len(record.launches) == 2
        assert {contestant.batch_size for contestant in record.contestants} == {size}
    assert "| 1 | 256 | numpy_again |" in (out / "report.md").read_text()
    assert (out / "plots" / "scaling.png").stat().st_size > 5_000
    assert "256" in capsys.readouterr().out


@pytest.mark.long
def test_an_interrupt_keeps_what_was_finished(numpy_implementations: str, tmp_path: Path) -> None:
    """After Ctrl-C following the first launch, its record and a report stay. The exit code is 130."""
    out = tmp_path / "out"
    options = [*HERE.split(), "--implementations", "numpy,numpy_again", "--interval", "0.001", "--out", out]
    with running("bench", *options) as process:
        assert process.stderr is not None
        assert any(line.startswith("launch 1, ") for line in iter(process.stderr.readline, ""))
        process.send_signal(signal.SIGINT)
        printed, said = rest_of(process)
    assert process.returncode == 130, said
    assert f"What was finished is kept in {out}" in said
    assert "It was interrupted." in printed
    record = BenchResult.model_validate_json((out / "bench.json").read_bytes())
    assert record.ending == "interrupted"
    assert len(record.launches) >= 1
    assert (out / "report.md").exists()
