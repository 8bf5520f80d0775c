"""Tables, CSV, Markdown and pictures from records alone."""

import io
from dataclasses import fields

import pandas as pd
import pytest
from results import failure, result
from rich.console import Console

from compare.analysis.rows import COLUMNS, row
from compare.analysis.seeds import Judging
from compare.folders.manifest import Manifest
from compare.reporting import plots, tables
from compare.training import report
from shared.result import RunResult, Samples

MANIFEST = Manifest(
    command="python -m compare --dataset digits",
    started="2026-01-01T00:00:00Z",
    ended="2026-01-01T00:01:00Z",
    version="0",
    commit=None,
    dataset_reason="The data set is digits, as requested.",
    files={},
)
RESULTS = [result(), result(implementation="tf_lowlevel", accuracy=0.99), failure("OSError: the disk | is full")]

# The columns in the order that DESIGN promises.
PROMISED = [
    *("implementation", "framework_version", "model", "dataset", "recipe", "mode", "device", "seed", "epochs"),
    *("batch_size", "n_params", "n_trainable", "test_accuracy", "test_loss", "train_accuracy"),
    *("step_ms_median", "step_ms_ci_low", "step_ms_ci_high", "images_per_s", "first_step_s", "train_s"),
    *("peak_rss_bytes", "peak_device_bytes", "status", "error", "waiting"),
]


def console_text(results: list[RunResult], width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    tables.print_table([row(r) for r in results], "a title", console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def csv_text() -> str:
    return report.render(RESULTS, {}, MANIFEST, Judging())["results.csv"].decode()


def test_csv_columns_and_values() -> None:
    frame = pd.read_csv(io.StringIO(csv_text()))
    assert list(frame.columns) == PROMISED == list(COLUMNS)
    assert frame["test_accuracy"].tolist()[:2] == [0.98, 0.99]
    assert frame["step_ms_median"][0] == pytest.approx(20)
    assert frame["images_per_s"][0] == pytest.approx(64 / 0.02)
    assert frame["n_params"].tolist()[:2] == [421_642, 421_642]


def test_what_was_not_measured_is_empty_never_0() -> None:
    text = csv_text()
    failed = text.splitlines()[3]
    assert failed.endswith(",failed,OSError: the disk | is full,")
    assert "nan" not in text.lower()
    empty = [c for c, v in zip(COLUMNS, failed.split(","), strict=True) if v == ""]
    assert {"n_params", "test_accuracy", "step_ms_median", "peak_rss_bytes", "framework_version"} <= set(empty)


def test_integers_stay_integers_beside_a_failure() -> None:
    assert ",421642,421642," in csv_text()


def test_table_says_failed_and_why() -> None:
    text = console_text(RESULTS, 200)
    assert "421,642" in text
    assert "98.00%" in text
    assert "failed" in text
    assert "keras-seed0 failed: OSError: the disk | is full" in text


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_cut_off(width: int) -> None:
    text = console_text(RESULTS, width)
    for heading in tables.CELLS:
        assert heading in text
    assert "…" not in text


@pytest.mark.parametrize(("width", "n"), [(60, 4), (100, 7), (200, 15)])
def test_of_many_runs_the_first_columns_are_shown_whole(width: int, n: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    left_out = tables.print_table([row(result(seed=seed)) for seed in range(12)], "a title", console)
    assert isinstance(console.file, io.StringIO)
    text, headings = console.file.getvalue(), list(tables.CELLS)
    assert left_out == headings[n:]
    assert all((heading in text) == (heading not in left_out) for heading in headings)
    assert "…" not in text
    assert text.count("98.00%") == text.count("20.00 ms ") == 12


def test_verdict() -> None:
    assert report.verdicts(RESULTS, Judging()) == [
        "2 of 3 runs were trained; test accuracy from 98.00% to 99.00%, 1.00 points apart. Failed: keras-seed0.",
        "One seed shows neither a difference between implementations nor their equivalence. Give --seeds 5.",
    ]


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        (  # identical within each seed, but not between seeds
            {("torch", 0): 0.9444, ("keras", 0): 0.9444, ("torch", 1): 0.9528, ("keras", 1): 0.9528},
            "test accuracy from 94.44% to 95.28%; implementations differ by up to 0.00 points within a seed, and seeds "
            "differ by up to 0.84 points within an implementation.",
        ),
        (  # the other way round
            {("torch", 0): 0.94, ("keras", 0): 0.95, ("torch", 1): 0.94, ("keras", 1): 0.95},
            "test accuracy from 94.00% to 95.00%; implementations differ by up to 1.00 points within a seed, and seeds "
            "differ by up to 0.00 points within an implementation.",
        ),
        (
            {("torch", 0): 0.94, ("torch", 1): 0.95, ("torch", 2): 0.97},
            "test accuracy from 94.00% to 97.00%; seeds differ by up to 3.00 points within an implementation.",
        ),
        ({("torch", 0): 0.94, ("keras", 1): 0.95}, "test accuracy from 94.00% to 95.00%."),  # no two to compare
        ({("torch", 0): 0.94}, "test accuracy from 94.00% to 94.00%."),
        ({("torch", 0): 0.94, ("keras", 0): 0.95}, "test accuracy from 94.00% to 95.00%, 1.00 points apart."),
    ],
)
def test_implementations_and_seeds_are_distinguished(accuracies: dict[tuple[str, int], float], said: str) -> None:
    made = [result(implementation=name, seed=seed, accuracy=share) for (name, seed), share in accuracies.items()]
    assert report.verdicts(made, Judging())[0] == f"{len(made)} of {len(made)} runs were trained; {said}"


@pytest.mark.parametrize(("n_epochs", "shown"), [(1, "-"), (2, "100.00 ms")])
def test_the_epoch_that_compiles_is_no_step_time(n_epochs: int, shown: str) -> None:
    """In the idiomatic recipe the table shows none, and a sentence gives the reason."""
    made = result()
    assert made.outcome is not None
    samples = Samples(epoch_s=(9.0, 2.0)[:n_epochs], epoch_steps=(20, 20)[:n_epochs])
    run = made.run.model_copy(update={"recipe": "idiomatic"})
    made = made.model_copy(update={"run": run, "outcome": made.outcome.model_copy(update={"samples": samples})})
    (cells,) = tables.cells([row(made)])
    assert dict(zip(tables.CELLS, cells, strict=True))["step, median"] == shown
    why = [text for text in report.verdicts([made], Judging()) if text.startswith("No step time of torch: ")]
    assert len(why) == (shown == "-")
    assert all("Give --epochs 2 or more." in text for text in why)


def test_a_busy_machine_is_reported() -> None:
    quiet, busy = result(foreign_load=0.05), result(implementation="keras", foreign_load=0.9)
    assert not any("Foreign load" in text for text in report.verdicts([quiet, result()], Judging()))
    assert report.verdicts([quiet, busy], Judging())[-1].startswith("Foreign load: other processes took up to 90% of")


def test_markdown_has_one_whole_table() -> None:
    lines = report.render(RESULTS, {}, MANIFEST, Judging())["report.md"].decode().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| implementation"))
    table = [line for line in lines[start : start + 5] if line.startswith("|")]
    assert len(table) == 5  # heading, rule and three runs, without a line in between
    assert {line.count("|") for line in table} == {len(tables.CELLS) + 1}


def test_markdown_begins_with_the_verdict_in_three_lines() -> None:
    lines = report.render(RESULTS, {}, MANIFEST, Judging())["report.md"].decode().splitlines()
    assert lines[0] == "# cnn_same on digits"
    starts = ("- ? **Same function**: not checked", "- ? **Accuracy**: no difference seen", "- ? **Speed**: torch ")
    assert [line.startswith(start) for line, start in zip(lines[2:], starts, strict=False)] == [True] * 3
    assert lines.index(str(MANIFEST.dataset_reason)) > next(n for n, line in enumerate(lines) if line.startswith("| "))


def test_the_page_marks_each_verdict_by_its_state() -> None:
    text = report.render(RESULTS, {}, MANIFEST, Judging())["report.html"].decode()
    assert text.count('<li class="open">') == 3


def test_warnings_on_the_data_come_before_the_verdicts() -> None:
    warned = MANIFEST.model_copy(update={"data_warnings": ("All test images are of class 3.", "<b>x</b>")})
    files = report.render(RESULTS, {}, warned, Judging())
    lines = files["report.md"].decode().splitlines()
    assert lines[2] == "- **Check the data**: All test images are of class 3."
    assert "<b>" not in lines[3]
    assert lines[4].startswith("- ? **Same function**")
    assert b"All test images are of class 3." in files["report.html"]


def test_names_and_errors_from_outside_stay_text() -> None:
    hostile = [result(dataset="<script>alert(1)</script>|[x](y).npz"), failure("<b>`|boom|`</b>\n| new | row |")]
    text = report.render(hostile, {}, MANIFEST, Judging())["report.md"].decode()
    assert "<script>" not in text
    assert "<b>" not in text
    assert "\\|boom\\|" in text
    assert "\n| new" not in text


@pytest.mark.pictures
def test_rendering_is_deterministic() -> None:
    first, second = report.render(RESULTS, {}, MANIFEST, Judging()), report.render(RESULTS, {}, MANIFEST, Judging())
    assert first == second
    assert first["plots/learning_curves.png"].startswith(b"\x89PNG")


def test_a_study_of_failures_alone_has_a_report_and_no_picture() -> None:
    files = report.render([failure("x")], {}, MANIFEST, Judging())
    assert sorted(files) == ["report.html", "report.md", "results.csv", "results.parquet"]
    assert "![" not in files["report.md"].decode()


def test_curves_show_what_was_recorded() -> None:
    _, accuracy_axes = plots.learning_curves(RESULTS[:2]).axes
    drawn = [line.get_ydata() for line in accuracy_axes.get_lines() if line.get_marker() == "o"]
    assert [list(y) for y in drawn] == [[98.0, 98.0], [99.0, 99.0]]
    legend = accuracy_axes.get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == ["torch", "tf_lowlevel"]


def test_rows_have_a_field_for_each_column() -> None:
    assert [f.name for f in fields(row(RESULTS[0]))] == PROMISED
