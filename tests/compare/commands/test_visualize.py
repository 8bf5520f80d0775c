"""`compare visualize` and `compare models`, run as a user would."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from patience import GENEROUS_S
from PIL import Image, ImageDraw

from compare.__main__ import main
from compare.commands.verify import problems
from compare.commands.visualize import MOST_IMAGES, _check_images, _scaled
from compare.folders.manifest import MANIFEST, SEAL
from compare.folders.picture_file import read_picture
from compare.folders.run_folder import load_results, load_weights
from compare.registry import IMPLEMENTATIONS
from compare.reporting import pictures
from compare.reporting.inspection import Inspected, inspect
from shared.data import Data, DataSpec, load
from shared.errors import InputError

ROOT = Path(__file__).parents[3]
PICTURES = {"filters", "learning_curves", "confusion_matrices", "mistakes"}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def trained(run_folder: Path) -> Path:
    """Return the folder of a run of the NumPy implementation."""
    return run_folder


def test_pictures_of_a_run(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file() and p.name not in (MANIFEST, SEAL)}
    assert run(monkeypatch, "visualize", str(trained)) == 0
    made = {p.name for p in (trained / "pictures").iterdir()}
    assert made == {f"{name}.{suffix}" for name in PICTURES for suffix in ("png", "svg")}
    assert {p: p.read_bytes() for p in before} == before
    assert problems(trained) == []  # the manifest has the pictures
    assert "Pictures of numpy" in capsys.readouterr().out


def test_what_is_looked_into_is_what_was_trained(trained: Path, digits: Data) -> None:
    result, _ = load_results(trained)
    (seen,) = inspect([result], [load_weights(trained, result)], digits, digits.x_test[:5], digits.x_test[:1])
    right = seen.probabilities.argmax(axis=1) == digits.y_test
    assert result.outcome is not None
    assert right.mean() == result.outcome.test_accuracy
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(seen.extra_probabilities[0], seen.probabilities[0], rtol=1e-5)
    assert {name: a.shape for name, a in seen.activations.items()} == {
        "flatten": (5, 784),
        "dense1": (5, 128),
        "dense2": (5, 10),
    }


BAD = {
    "--images 0,360": "--images 360 is not possible: the test images are 0 ... 359.",
    "--images -1": "--images -1 is not possible",
    "--images one": "--images 'one' is not possible. Give whole numbers.",
    "--cmap infreno": "There is no colour map 'infreno'. Did you mean 'inferno'?",
    "--seed 5": "There is no run of seed 5 that ended well; there are 0, 1.",
    "--predict nothing.png": "nothing.png cannot be read: No such file or directory",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_options(line: str, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    capsys.readouterr()
    assert run(monkeypatch, "visualize", str(trained), *line.split()) == 2
    shown = capsys.readouterr()
    assert BAD[line] in shown.err
    assert shown.err.count("\n") == 1
    assert not (trained / "pictures").exists()


def _seven(path: Path, ink: int, paper: int) -> Path:
    picture = Image.new("L", (112, 112), paper)
    ImageDraw.Draw(picture).line([(30, 32), (30, 20), (80, 20), (50, 95)], fill=ink, width=9)
    picture.save(path)
    return path


def test_a_picture_is_drawn_as_the_networks_were_given_it(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    """The same 7 on paper in dim light and on a blackboard gives the same answer and the same image in the picture."""
    drawn: list[np.ndarray] = []
    draw = pictures.prediction

    def noted(networks: list[Inspected], image: np.ndarray, names: tuple[str, ...]) -> Figure:
        figure = draw(networks, image, names)
        drawn.append(np.asarray(figure.axes[0].images[0].get_array()))
        return figure

    monkeypatch.setattr(pictures, "prediction", noted)
    answers = []
    for name, ink, paper in (("paper", 20, 110), ("board", 255, 0)):
        path = _seven(tmp_path / f"{name}.png", ink, paper)
        capsys.readouterr()
        assert run(monkeypatch, "visualize", str(trained), "--predict", str(path)) == 0
        said = capsys.readouterr().out
        assert ("The picture is dark on light; the networks were shown its negative." in said) == (name == "paper")
        (answer,) = (line for line in said.splitlines() if line.startswith("numpy: "))
        answers.append(answer)
        np.testing.assert_array_equal(drawn[-1], read_picture(path, (28, 28, 1))[0][..., 0])
    assert {f"prediction.{suffix}" for suffix in ("png", "svg")} <= {p.name for p in (trained / "pictures").iterdir()}
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-6)
    assert answers[0] == answers[1]


def test_an_empty_picture_is_refused_before_anything_is_drawn(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    path = _seven(tmp_path / "empty.png", 255, 255)
    assert run(monkeypatch, "visualize", str(trained), "--predict", str(path)) == 2
    assert "empty.png is empty: nothing on it differs clearly from its background. Give" in capsys.readouterr().err
    assert not (trained / "pictures").exists()


def test_folders_that_are_no_runs(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    def error(folder: Path) -> str:
        capsys.readouterr()
        assert run(monkeypatch, "visualize", str(folder)) == 2
        return str(capsys.readouterr().err)

    assert "holds no records" in error(tmp_path / "nothing")
    no_weights = shutil.copytree(trained, tmp_path / "no weights")
    shutil.rmtree(no_weights / "weights")
    assert "Give a run folder that has the weights of numpy-seed0" in error(no_weights)
    altered = shutil.copytree(trained, tmp_path / "altered")
    weights = altered / "weights" / "numpy-seed0.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert "does not match its record: its SHA-256 is" in error(altered)
    other_data = shutil.copytree(trained, tmp_path / "other data")
    path = other_data / "results" / "numpy-seed0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data_digest": "0" * 64}))
    assert "The data set 'digits' is not the one of the run" in error(other_data)
    path.write_text("{")
    assert "is not a record that this version can read" in error(other_data)


def test_models(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run(monkeypatch, "models") == 0
    assert "2,171,178" in capsys.readouterr().out
    assert run(monkeypatch, "models", "cnn_deep_dropout") == 0
    shown = capsys.readouterr().out
    assert "3 x 3 x 128" in shown
    assert "405,898" in shown
    assert "Dropout at rate 0.5" in shown


@pytest.mark.long
def test_an_idiomatic_run(tmp_path: Path) -> None:
    """It is trained and drawn. The network is rebuilt with its own layers, and images are scaled as in training."""
    command, out = [sys.executable, "-m", "compare"], tmp_path / "out"
    run_it = [
        "--dataset",
        "digits",
        "--recipe",
        "idiomatic",
        "--implementations",
        "torch",
        "--epochs",
        "2",
        "--limit",
        "300",
    ]
    for arguments in ([*run_it, "--out", str(out)], ["visualize", str(out), "--filter", "3"]):
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=GENEROUS_S
        )
        assert done.returncode == 0, done.stderr
    assert (out / "pictures" / "feature_maps.png").stat().st_size > 10_000
    (result,) = load_results(out)
    assert result.outcome is not None
    assert (result.outcome.scale, len(result.outcome.samples.epoch_s)) == ("standard", 2)
    report = (out / "report.md").read_text()
    assert "**Recipe `idiomatic`**" in report
    assert "torch.optim.Adam with its defaults" in report


@pytest.mark.slow
def test_models_as_a_framework_counts_them(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in set(IMPLEMENTATIONS) - {"tf_lowlevel"}:  # the others are tested in tests/conformance
        monkeypatch.delitem(IMPLEMENTATIONS, name)
    assert run(monkeypatch, "models", "cnn_bn_cifar", "--check") == 0
    assert "tf_lowlevel count the same, layer by layer" in capsys.readouterr().out


def test_a_framework_that_cannot_be_asked_is_no_agreement(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    for name in set(IMPLEMENTATIONS) - {numpy_implementation}:
        monkeypatch.delitem(IMPLEMENTATIONS, name)
    monkeypatch.setenv("NUMPY_IMPL_FAULT", "create")
    assert run(monkeypatch, "models", "dense_baseline", "--check") == 1
    shown = capsys.readouterr()
    assert "numpy could not count" in shown.err
    assert "Different from the contract" in shown.out


@pytest.mark.parametrize("field", ["model", "implementation"])
def test_a_record_of_something_unknown(trained: Path, field: str) -> None:
    path = trained / "results" / "numpy-seed0.json"
    record = json.loads(path.read_text())
    record["run"][field] = "unheard_of"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"numpy-seed0\.json names something that this version does not have"):
        load_results(trained)


def test_a_picture_is_scaled_as_the_data_are(digits: Data) -> None:
    picture = digits.x_train[:1]
    standard = load(DataSpec(dataset="digits", scale="standard"), Path())
    np.testing.assert_allclose(
        _scaled(picture, DataSpec(dataset="digits", scale="standard"), Path()), standard.x_train[:1]
    )
    np.testing.assert_array_equal(_scaled(picture, DataSpec(dataset="digits"), Path()), picture)


def test_feature_maps_of_so_many_images_and_no_more() -> None:
    _check_images(tuple(range(MOST_IMAGES)), 100)
    with pytest.raises(InputError, match="names 25, and one drawing holds the feature maps of 24 at most"):
        _check_images(tuple(range(MOST_IMAGES + 1)), 100)
