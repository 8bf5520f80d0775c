"""Each matched factor of the waterfall makes one more thing equal, and in the end everything is."""

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy_specs import numpy_spec

from compare.__main__ import main
from compare.commands.rendering import rendered
from compare.commands.verify import problems
from compare.options.parity import ParityOptions
from compare.options.run import RunOptions
from compare.parity.plan import make_plan
from compare.parity.waterfall import FACTORS, RecipeStage, TrainingCurve, _data, stages
from compare.parity.waterfall_report import cells
from compare.registry import IMPLEMENTATIONS
from compare.training import plan as run_plan
from shared.data import Data, DataSpec, load
from shared.errors import InputError
from shared.storage.files import sha256


def test_the_stages_go_from_all_to_none() -> None:
    every = stages()
    assert every[0] == (None, tuple(FACTORS))
    assert every[-1] == (list(FACTORS)[-1], ())
    for (_, before), (matched, after) in pairwise(every):
        assert before == (matched, *after)


def test_gaps_are_means_over_pairs() -> None:
    """The pairs are (a, b), (a, c), (b, c), with two seeds. Losses are those of two steps."""
    run = {
        "a": TrainingCurve((1.0, 2.0), 0.5),
        "b": TrainingCurve((2.0, 2.0), 0.6),
        "c": TrainingCurve((1.0, 5.0), 0.5),
    }
    same = dict.fromkeys("abc", run["a"])
    stage = RecipeStage(None, (run, same))
    one_seed = (0.5 + 1.5 + 2.0) / 3
    assert stage.loss_gap().mean == pytest.approx(one_seed / 2)
    assert stage.loss_gap().error == pytest.approx(one_seed / 2)
    assert stage.accuracy_gap().mean == pytest.approx(100 * (0.1 + 0 + 0.1) / 3 / 2)


def test_shares_add_up_to_the_whole() -> None:
    def stage(matched: str | None, gap: float) -> RecipeStage:
        return RecipeStage(matched, ({"a": TrainingCurve((0.0,), 0.0), "b": TrainingCurve((gap,), gap)},))

    rows = cells([stage(None, 1.0), stage("x", 0.25), stage("y", 0.0)])
    assert [row[0] for row in rows] == ["nothing", "x", "y"]
    assert [row[2] for row in rows] == ["", "75%", "25%"]


def test_only_those_with_a_recipe_of_their_own_take_part(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An implementation of another package may have only the matched recipe. It is left out, or refused if named."""
    monkeypatch.setitem(IMPLEMENTATIONS, numpy_implementation, numpy_spec("numpy", idiomatic_scale=None))
    assert numpy_implementation in make_plan(ParityOptions()).all_implementations
    asked = ParityOptions(waterfall=True)
    assert sorted(make_plan(asked).all_implementations) == ["keras", "tf_lowlevel", "torch"]
    with pytest.raises(InputError, match=r"which numpy lacks\. Known: "):
        make_plan(replace(asked, implementations=("torch", "numpy")))
    with pytest.raises(InputError, match="--recipe idiomatic needs a framework's own recipe"):
        run_plan.check_options(RunOptions(recipe="idiomatic", implementations=("torch", "numpy")))


def test_the_data_of_each_package(digits: Data) -> None:
    n = len(digits.x_train)
    matched = _data(digits, IMPLEMENTATIONS["torch"], [], 0)
    assert len(matched.x_train) == n - n // 10
    np.testing.assert_array_equal(matched.x_train, digits.x_train[: n - n // 10])
    own = _data(digits, IMPLEMENTATIONS["torch"], list(FACTORS), 0)
    assert abs(own.x_train.mean()) < 1e-6
    assert own.x_train.std() == pytest.approx(1, abs=1e-5)
    held_out = _data(digits, IMPLEMENTATIONS["torch"], ["held-out tenth"], 0)
    both = {image.tobytes() for image in matched.x_train} & {image.tobytes() for image in held_out.x_train}
    assert 0.78 < len(both) / n < 0.84  # two independent choices of a tenth
    np.testing.assert_array_equal(_data(digits, IMPLEMENTATIONS["keras"], list(FACTORS), 0).x_train, matched.x_train)


@pytest.mark.pictures
def test_the_command(numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The three implementations differ only in their order and their weights."""
    out = tmp_path / "out"
    options = [
        "--model",
        "dense_baseline",
        "--implementations",
        numpy_implementations,
        "--steps",
        "5",
        "--out",
        str(out),
    ]
    monkeypatch.setattr(sys, "argv", ["compare", "parity", "--waterfall", *options])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    record = json.loads((out / "waterfall.json").read_text())
    done = record["stages"]
    assert (record["model"], record["steps"]) == ("dense_baseline", 5)
    assert [stage["matched"] for stage in done] == [None, *FACTORS]
    assert all(len(stage["runs"]) == 3 for stage in done)
    *_, last = (
        RecipeStage(s["matched"], tuple({k: TrainingCurve(**t) for k, t in r.items()} for r in s["runs"])) for s in done
    )
    assert last.loss_gap().mean == 0
    first = {name: trained["losses"] for name, trained in done[0]["runs"][0].items()}
    assert len({tuple(losses) for losses in first.values()}) == 3
    assert "| batch order |" in (out / "report.md").read_text()
    assert (out / "waterfall.png").stat().st_size > 10_000
    assert problems(out) == []  # its report matches its record
    (out / "report.md").write_text("altered")
    assert problems(out) == [
        f"report.md was altered: its SHA-256 is {sha256(out / 'report.md')}, and the manifest says "
        f"{json.loads((out / 'manifest.json').read_text())['files']['report.md']}."
    ]
    assert "Explained" in rendered(out)["report.md"].decode()


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("bench --waterfall --implementations torch,keras --batch-sizes", "--batch-sizes"),
        ("parity --waterfall --implementations torch,keras --steps 100000 --batch-size", "--batch-size"),
    ],
)
def test_a_waterfall_refuses_a_batch_of_one_before_it_starts_anything(
    command: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins with PyTorch's own batch normalisation, on nine tenths of the images."""
    n_images = len(load(DataSpec(dataset="photographs"), Path()).x_train)
    n_kept = n_images - n_images // 10
    out = tmp_path / "out"
    arguments = [*command.split(), str(n_kept - 1), "--model", "cnn_bn_cifar", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"--waterfall trains on {n_kept:,} of the {n_images:,} training images" in said
    assert f"Give another {option}, or leave torch out" in said
    assert not out.exists()
