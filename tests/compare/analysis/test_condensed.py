"""Studies of very many runs are reported as if all records were whole."""

from dataclasses import asdict, replace
from pathlib import Path

import many_runs
import numpy as np
import pytest
from results import failure, result

from compare.analysis import condensed, seeds
from compare.analysis.diff import changes, read, settings_changed
from compare.analysis.rows import row
from compare.commands.verify import problems
from compare.folders.run_folder import load_results
from compare.training import report
from shared.result import CondensedResult, RunResult

N_SEEDS = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the records of two implementations over eight seeds, and of one failed run."""
    random = np.random.default_rng(0)
    (tmp_path / "results").mkdir()
    made: list[RunResult] = [failure("no memory", "tf_lowlevel", seed=5)]
    for name in ("torch", "keras"):
        for seed in range(N_SEEDS):
            step_s = random.lognormal(np.log(0.02), 0.1, 46)
            made.append(
                result(
                    step_s,
                    implementation=name,
                    seed=seed,
                    accuracy=round(random.uniform(0.9, 1), 3),
                    yardstick_s=(0.003, 0.004),
                    slice_steps=(6,) * 7 + (4,),
                    foreign_load=0.2,
                )
            )
    for one in made:
        (tmp_path / "results" / f"{one.name}.json").write_text(one.model_dump_json())
    return tmp_path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten runs count as many, of which five stay whole."""
    monkeypatch.setattr(condensed, "MANY", 10)
    monkeypatch.setattr(condensed, "WHOLE", 5)


@pytest.mark.usefixtures("few")
def test_the_first_seeds_stay_whole(folder: Path) -> None:
    found = condensed.load(folder, None)
    assert [r.name for r in found] == [r.name for r in load_results(folder)]
    assert {r.name for r in condensed.whole(found)} == {"torch-seed0", "keras-seed0", "torch-seed1", "keras-seed1"}
    assert all(isinstance(r, CondensedResult) == (r.run.train.seed > 1) for r in found)


@pytest.mark.usefixtures("few")
def test_the_first_seed_stays_whole_however_many_there_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condensed, "WHOLE", 1)
    assert {r.name for r in condensed.whole(condensed.load(folder, None))} == {"torch-seed0", "keras-seed0"}


def test_of_few_all_stay_whole(folder: Path) -> None:
    assert condensed.load(folder, None) == load_results(folder)


@pytest.mark.usefixtures("few")
def test_tables_and_verdicts_are_those_of_whole_records(folder: Path) -> None:
    whole, left = load_results(folder), condensed.load(folder, 0.95)
    without_interval = {"step_ms_ci_low": None, "step_ms_ci_high": None}  # too slow for so many runs
    for before, after in zip(whole, left, strict=True):
        expected = row(before) if after in condensed.whole(left) else replace(row(before), **without_interval)
        assert asdict(row(after)) == pytest.approx(asdict(expected))
    judging = seeds.Judging(implementations=("torch", "keras"), target=0.95)
    assert seeds.summaries(left, judging) == seeds.summaries(whole, judging)
    assert seeds.pairs(left, judging) == seeds.pairs(whole, judging)
    assert report.verdicts(left, judging) == report.verdicts(whole, judging)
    assert any("Foreign load" in said for said in report.verdicts(left, judging))
    assert left[-1].error == whole[-1].error


@pytest.mark.usefixtures("few")
def test_a_study_its_report_and_what_is_compared_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study's own report equals the one made from its records, and two studies are compared."""
    monkeypatch.setattr(report, "MOST_LINES", 7)
    out, other = tmp_path / "out", tmp_path / "other"
    assert many_runs.study(24, out) == 0
    assert many_runs.study(24, other) == 0
    assert problems(out) == []
    text = (out / "report.md").read_text()
    assert "24 of 24 runs were trained" in text
    assert "(17 more runs are in results.csv.)" in text
    assert "The pictures are of the 3 runs of the first seeds." in text
    assert len((out / "results.csv").read_text().splitlines()) == 25
    a, b = read(out), read(other)
    assert settings_changed(a, b) == []
    assert {change.moved for change in changes(a, b, 0.003)} == {"within noise"}
