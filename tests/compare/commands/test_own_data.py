"""A user's own data on the command line: warnings about them, and finding them again."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import own_files
import own_pictures
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
    """Write the user's own IDX files with two problems, and return what --dataset takes."""
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

    # A missing run is trained again from the same files, with the same warnings.
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


def test_a_path_that_is_not_there_is_a_folder_and_no_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, "data", "flowers/") == 2
    assert "There is no folder flowers. Give one" in capsys.readouterr().err
    assert command(monkeypatch, "data", "flowers") == 2
    assert "There is no data set to fetch 'flowers'" in capsys.readouterr().err


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
    """The launches of the bench are made up, and their times are not checked."""
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
    assert "are (14, 14, 1). No built-in architecture takes images of that shape." in said
    assert "Convert them with --resize 28, or give" in said


@pytest.mark.usefixtures("numpy_implementation")
def test_a_folder_of_pictures_from_the_run_to_the_prediction(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The names of its classes are in the record, the report and the answer. Other names are refused."""
    names = ("a|b", "cost $x$", "ring")
    own_pictures.save(tmp_path / "mine", 10, (20, 30), names)
    out, picture = tmp_path / "out", tmp_path / "mine" / "ring" / "03.png"
    reading = ["--resize", "28", "--channels", "grey", "--split", "0.3"]
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, "run", *RUN, "--batch-size", "7", "--dataset", "mine", *reading, "--out", out) == 0
    assert "It has 30 images of 28 x 28 x 1 in 3 classes (a|b, cost $x$, ring). 9 of them" in capsys.readouterr().err
    planned = Planned.model_validate_json((out / PLAN).read_text())
    spec = planned.runs[0].data
    assert (spec.dataset, spec.resize, spec.split, spec.classes) == ("folder:mine", (28, 28), 0.3, names)
    report = (out / "report.md").read_text()
    assert "| class | test images | numpy |" in report
    assert r"| a\|b | 3 | " in report
    assert "| cost $x$ | 3 | " in report
    assert problems(out) == []
    assert command(monkeypatch, "verify", out, "--rerun") == 0

    capsys.readouterr()
    assert command(monkeypatch, "visualize", out, "--predict", picture) == 0
    said = capsys.readouterr().out
    assert any(f"{name} " in said for name in (*names, "(no class 3)"))
    assert "negative" not in said, "a picture is read as those of the folder, not as ink"

    (out / "results" / "numpy-seed0.json").unlink()
    assert command(monkeypatch, "run", "--resume", out) == 0
    assert problems(out) == []

    (tmp_path / "mine" / "ring").rename(tmp_path / "mine" / "rings")
    capsys.readouterr()
    assert command(monkeypatch, "verify", out, "--rerun") == 2
    assert "The classes of folder:mine are not those of the record" in capsys.readouterr().err


@pytest.mark.usefixtures("numpy_implementations")
def test_parity_of_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own_pictures.save(tmp_path / "mine")
    few = ("--steps", "2", "--draws", "1", "--batch-size", "8", "--resize", "28", "--channels", "grey")
    dataset, out = f"folder:{tmp_path / 'mine'}", tmp_path / "out"
    assert command(monkeypatch, "parity", *SMALL, *few, "--dataset", dataset, "--out", out) == 0
    assert problems(out) == []


def test_own_data_are_described(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own_pictures.save(tmp_path / "mine")
    assert command(monkeypatch, "data", tmp_path / "mine") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"folder:{tmp_path / 'mine'}: 24 training and 6 test images of 12 x 10 x 3, 3 classes",
        *(f"  {name}: 8 and 2" for name in own_pictures.NAMES),
        "Architectures that take them: none of the built-in ones. Convert them with --resize 32 for --model "
        "cnn_bn_cifar, or give another data set, or a network of your own (docs/your-own-network.md).",
    ]
    assert command(monkeypatch, "data", tmp_path / "mine", "--resize", "32", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["classes"] == {name: [8, 2] for name in own_pictures.NAMES}
    assert "cnn_bn_cifar" in found["architectures"]
    assert command(monkeypatch, "data", "digits", "--resize", "32") == 2
    assert "--resize can only be given with data of your own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "are (12, 10, 3). No built-in architecture takes images of that shape. Convert them with --resize 28 "
             "--channels grey or --resize 32 for --model cnn_bn_cifar, or give another data set, or a "
             "network of your own"),
        (("--resize", "0"), "--resize 0 is not possible. Give a number of pixels from 1 to 2,000, or height and width"),
        (("--resize", "28x"), "--resize 28x is not possible"),
        (("--split", "1"), "--split 1 is not possible. Give a share above 0 and below 1: 0.2 stands for 20 %."),
    ],
)  # fmt: skip
def test_images_that_do_not_fit(
    options: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    own_pictures.save(tmp_path / "mine")
    assert command(monkeypatch, "run", "--dataset", tmp_path / "mine", *options) == 2
    assert message in capsys.readouterr().err


def test_more_classes_than_the_network_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dataset = own_pictures.save(tmp_path / "mine", 2, (32, 32), tuple(f"class {number}" for number in range(11)))
    assert command(monkeypatch, "run", "--model", "cnn_bn_cifar", "--dataset", dataset) == 2
    said = capsys.readouterr().err
    assert f"'cnn_bn_cifar' has 10 classes, and {dataset} has 11. No architecture has that many for this shape." in said
    arrays = own_files.arrays()
    from_1 = arrays | {name: arrays[name] + 1 for name in ("y_train", "y_test")}
    assert command(monkeypatch, "run", "--dataset", own_files.save_npz(tmp_path / "mine.npz", from_1)) == 2
    assert "labels of" in (said := capsys.readouterr().err)
    assert "go up to 10. If yours count from 1, subtract 1 from all labels, training and test" in said
