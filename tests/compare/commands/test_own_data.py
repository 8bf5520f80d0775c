"""Data of somebody's own, from the command line: what is said of them, and that they are found again."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import own_files
import pytest
from simulation import simulated_bench

from compare.__main__ import main
from compare.commands import bench
from compare.commands.verify import problems
from compare.training.planned import PLAN, Planned

RUN = ["--model", "dense_baseline", "--device", "cpu", "--implementations", "numpy", "--epochs", "1"]
SMALL = ["--model", "dense_baseline", "--implementations", "numpy,numpy_again", "--device", "cpu"]
PREFIX = "Check the data: "


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def doubtful(folder: Path) -> str:
    """Own IDX files, of which two things are to be said."""
    arrays = own_files.arrays()
    arrays["x_test"] = (arrays["x_test"] > 127).astype(np.uint8)
    return own_files.save_idx(folder, arrays)


@pytest.mark.usefixtures("numpy_implementation")
def test_warnings_are_on_the_console_in_the_record_and_in_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, dataset = tmp_path / "out", doubtful(tmp_path / "mine")
    assert command(monkeypatch, "run", *RUN, "--batch-size", "8", "--dataset", dataset, "--out", out) == 0
    on_console = [line for line in capsys.readouterr().err.splitlines() if line.startswith(PREFIX)]
    recorded = json.loads((out / "manifest.json").read_text())["data_warnings"]
    assert on_console == [f"{PREFIX}{text}" for text in recorded]
    assert len(recorded) == 2
    assert recorded[0].startswith("The largest pixel of the test images is 1 of 255")
    assert recorded[1].startswith("The training images are about 255 times as bright as the test images")
    report, page = (out / "report.md").read_bytes(), (out / "report.html").read_text()
    for text in recorded:
        assert f"- **Check the data**: {text}" in report.decode()
        assert text in page
    assert Planned.model_validate_json((out / PLAN).read_text()).runs[0].data.dataset == dataset

    (out / "report.md").write_text("lost")
    assert command(monkeypatch, "report", out) == 0
    assert (out / "report.md").read_bytes() == report
    assert problems(out) == []
    assert command(monkeypatch, "verify", out, "--rerun") == 0

    # What is gone is trained again, from the same files and with the same things to be said.
    for folder in ("results", "weights"):
        shutil.rmtree(out / folder)
    capsys.readouterr()
    assert command(monkeypatch, "run", "--resume", out) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith(PREFIX)] == on_console
    assert json.loads((out / "manifest.json").read_text())["data_warnings"] == recorded
    assert problems(out) == []

    (tmp_path / "mine").rename(tmp_path / "elsewhere")
    assert command(monkeypatch, "verify", out, "--rerun") == 2
    assert f"There is no folder {tmp_path / 'mine'}" in capsys.readouterr().err


@pytest.mark.usefixtures("numpy_implementation")
def test_the_folder_is_named_after_the_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = own_files.save_idx(tmp_path / "mine", own_files.arrays())
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, "run", *RUN, "--batch-size", "8", "--dataset", dataset, "--quiet") == 0
    (out,) = (tmp_path / "runs").iterdir()
    assert out.name.endswith("-dense_baseline-mine")
    assert "Check the data" not in (out / "report.md").read_text()


@pytest.mark.usefixtures("numpy_implementations")
@pytest.mark.parametrize(
    "arguments",
    [("parity", "--steps", "2", "--draws", "1", "--batch-size", "8"), ("bench", "--batch-sizes", "8")],
    ids=["parity", "bench"],
)
def test_the_other_commands_that_read_data(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The launches of the bench are made up: nothing is said of how long they took."""
    monkeypatch.setattr(bench, "repeat", lambda *_: iter([simulated_bench()]))
    dataset, out = doubtful(tmp_path / "mine"), tmp_path / "out"
    assert command(monkeypatch, *arguments, *SMALL, "--dataset", dataset, "--out", out) == 0
    on_console = [line for line in capsys.readouterr().err.splitlines() if line.startswith(PREFIX)]
    assert len(on_console) == 2
    recorded = json.loads((out / "manifest.json").read_text())["data_warnings"]
    assert on_console == [f"{PREFIX}{text}" for text in recorded]
    assert all(f"- **Check the data**: {text}" in (out / "report.md").read_text() for text in recorded)
    assert problems(out) == []


def test_a_shape_that_no_architecture_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arrays = own_files.arrays()
    small = arrays | {name: arrays[name][:, :14, :14] for name in ("x_train", "x_test")}
    assert command(monkeypatch, "run", "--dataset", own_files.save_idx(tmp_path / "mine", small)) == 2
    said = capsys.readouterr().err
    assert (
        "are (14, 14, 1). No architecture takes images of that shape. Have them changed with --resize 28, or give"
        in said
    )
