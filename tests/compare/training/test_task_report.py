"""Reports of regressions and of multi-label tasks mention no accuracy.

They judge lower values as better if the metric is an error.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from made_up import of_task as made

from compare.analysis import diff, seeds
from compare.analysis.figures import figure_of
from compare.analysis.headline import headlines
from compare.analysis.rows import columns, line, row
from compare.analysis.seeds import Judging
from compare.folders.manifest import describe
from compare.reporting import pictures, progress, tables
from compare.reporting.screen import PLAIN
from compare.training import report
from shared.choices import LossName, TaskName
from shared.result import RunResult

JUDGING = Judging(implementations=("torch", "keras"))


@pytest.mark.parametrize(
    ("task", "loss", "said", "drawn"),
    [
        ("regression", "mae", ("test RMSE", "mean absolute error", "predicted against true"), "errors"),
        ("multilabel", "binary_cross_entropy", ("test macro F1", "| label | test images |", "66.67%"), "label_scores"),
    ],
)
def test_nothing_speaks_of_accuracy(task: TaskName, loss: LossName, said: tuple[str, ...], drawn: str) -> None:
    results = [made(task, loss, 0.5 + 0.001 * seed, name, seed) for name in ("torch", "keras") for seed in (0, 1)]
    manifest = describe("python -m compare", "2026-01-01T00:00:00Z", "As asked for.", ())
    files = report.render(results, {}, manifest, JUDGING)
    text = files["report.md"].decode().replace("subset accuracy", "")
    console = PLAIN.console(200)
    with console.capture() as capture:
        tables.print_table([row(one) for one in results], "mine", console)
        tables.print_summaries(seeds.summaries(results, JUDGING), None, console, figure_of(results))
    shown = text + capture.get().replace("subset accuracy", "") + files["results.csv"].decode().partition("\n")[0]
    assert "accura" not in shown.lower().replace("subset_accuracy", "")
    assert "confusion" not in shown.lower()
    assert all(one in text for one in said)
    assert f"plots/{drawn}.png" in files
    assert "plots/confusion_matrices.png" not in files
    page = files["report.html"].decode().replace("subset accuracy", "").replace("subset_accuracy", "")
    assert f"loss and {figure_of(results).metric.title} over epochs" in page
    assert not re.search("[^<>]{0,40}(accurac|confusion matri)[^<>]{0,40}", page.partition("<body")[2], re.IGNORECASE)
    outcome = results[0].outcome
    assert outcome is not None
    assert "accuracy" not in progress._figure(results[0].run, outcome.epochs[0])
    titles = [axes.get_title() + axes.get_ylabel() for axes in pictures.overfitting(results).axes]
    assert not any("ccura" in title or "cross-entropy" in title.replace("binary cross-entropy", "") for title in titles)


def test_the_columns_are_the_metrics_of_the_task() -> None:
    known = row(made("regression", "mse", 0.25))
    names = list(columns([known]))
    assert names[12:17] == ["test_rmse", "test_mae", "test_r2", "test_loss", "train_rmse"]
    assert line(known)["test_mae"] == pytest.approx(0.2)
    assert "test_accuracy" not in line(known)


def test_less_of_an_error_is_better() -> None:
    worse = [made("regression", "mse", 0.50 + 0.001 * seed, "torch", seed) for seed in range(5)]
    better = [made("regression", "mse", 0.40 + 0.001 * seed, "keras", seed) for seed in range(5)]
    (pair,) = seeds.pairs([*worse, *better], JUDGING)
    assert pair.difference.mean == pytest.approx(-0.2, abs=0.01), "a fifth of the first"
    figure = figure_of(worse)
    assert "keras has a lower RMSE by -19.9" in seeds.say(pair, figure)
    judged = next(one for one in headlines([*worse, *better], JUDGING, None) if one.question == "RMSE")
    assert judged.answer.startswith("keras -19.9")
    assert judged.state == "no"
    as_torch = [
        one.model_copy(update={"run": one.run.model_copy(update={"implementation": "torch"})}) for one in better
    ]
    manifest = describe("python -m compare", "2026-01-01T00:00:00Z", None, ())
    sides = [diff.Side(name, manifest, results) for name, results in (("a", worse), ("b", as_torch))]
    moved = diff.changes(*sides, margin=0.003)[0]
    assert (moved.what, moved.moved) == ("RMSE", "better")
    assert diff.changes(*reversed(sides), margin=0.003)[0].moved == "worse"
    one_seed = [diff.Side(side.name, manifest, side.results[:1]) for side in sides]
    assert diff.changes(*one_seed, margin=0.003)[0].moved == "not known", "of one seed its scatter is not known"


def test_a_record_needs_the_figures_of_its_task(tmp_path: Path) -> None:
    known = made("regression", "mse", 0.25)
    assert RunResult.model_validate_json(known.model_dump_json()) == known
    assert known.outcome is not None
    lacking = known.outcome.model_copy(update={"test_metrics": {"rmse": 0.25}})
    with pytest.raises(ValueError, match="it is of a regression, and has no MAE"):
        RunResult.model_validate(known.model_copy(update={"outcome": lacking}).model_dump())
    assert np.isfinite(figure_of([known]).of(known.outcome))
