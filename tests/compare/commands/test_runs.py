"""`compare runs`: a table of every run, comparison and bench below a folder, and its page."""

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.analysis.figures import of_task
from compare.commands import trends
from compare.commands.combining import combined
from compare.commands.entries import cells, headings, read
from compare.commands.finding import find
from compare.commands.rendering import rendered
from compare.commands.verify import problems
from compare.folders.manifest import MANIFEST


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def change(folder: Path, **fields: str) -> None:
    """Change fields of the manifest."""
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.fixture
def root(run_folder: Path, tmp_path: Path) -> Path:
    """Return a folder with two runs of two commits, one of them nested, broken folders and links not to follow."""
    root = tmp_path / "runs & more"
    shutil.copytree(run_folder, root / "old" / "a")
    shutil.copytree(run_folder, root / "b <i>")
    change(root / "old" / "a", commit="aaaaaaaaaaaa", started="2020-01-01T00:00:00Z")
    change(root / "b <i>", commit="bbbbbbbbbbbb")
    shutil.copytree(run_folder, root / "cut")
    (root / "cut" / "study.json").write_text("{")
    outside = tmp_path / "outside"
    shutil.copytree(run_folder, outside)
    (root / "link").symlink_to(outside)
    (root / "empty").mkdir()
    return root


def test_everything_is_listed_newest_first(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "runs", root, "--json") == 0
    said, noted = capsys.readouterr()
    found = json.loads(said)
    assert list(dict.fromkeys(row["folder"] for row in found["rows"])) == ["b <i>", "old/a"]
    assert {row["commit"] for row in found["rows"]} == {"aaaaaaaaaaaa", "bbbbbbbbbbbb"}
    assert all(re.fullmatch(r"\d\d\.\d\d%", row["test accuracy"]) for row in found["rows"])
    assert sorted(found["not_read"]) == [str(root / "cut"), str(root / "link")]
    assert "symbolic link" in found["not_read"][str(root / "link")]
    assert f"Not read: {root / 'cut'}: " in noted

    page = (root / "index.html").read_text()
    assert re.findall(r'href="([^"]*)"', page)[:1] == ["./b%20%3Ci%3E/report.html"]
    assert "./old/a/report.html" in page
    assert "<td>b <i>" not in page
    assert "outside" not in page
    assert "minus" in page  # joint curves
    assert page.count('<figure class="chart"') == 2  # and a trend


def test_a_page_is_written_again_but_no_other_file_is_overwritten(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = root / "index.html"
    assert command(monkeypatch, "runs", root, "--quiet") == 0
    assert command(monkeypatch, "runs", root, "--quiet") == 0
    page.write_text("<title>mine</title>")
    assert command(monkeypatch, "runs", root) == 2
    assert "was not written by 'compare runs'" in capsys.readouterr().err
    page.unlink()
    page.symlink_to(root.parent / "elsewhere.html")
    assert command(monkeypatch, "runs", root) == 2
    assert not (root.parent / "elsewhere.html").exists()


def test_no_page_is_written_into_a_run(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "runs", run_folder) == 0
    assert "is a run itself" in capsys.readouterr().out
    assert problems(run_folder) == []


def test_nothing_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "runs", tmp_path) == 0
    assert "No run, comparison or bench" in capsys.readouterr().out
    assert not (tmp_path / "index.html").exists()
    assert command(monkeypatch, "runs", tmp_path / "nowhere") == 2
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_named(root: Path) -> None:
    (root / "empty").chmod(0)
    assert "cannot be read" in find(root).broken[str(root / "empty")]


def test_columns_are_left_out_by_importance(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for columns in (60, 80, 100, 200):
        _check_columns(columns, root, monkeypatch, capsys)


def _check_columns(
    columns: int, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert command(monkeypatch, "runs", root) == 0
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "…" not in out
    assert all(len(line.rstrip()) <= columns for line in out.splitlines() if str(root.parent) not in line)
    for heading in ("folder", "test accuracy", "step"):
        assert heading in out
    assert ("The page has more columns" in out) == (columns < 200)


def test_a_trend_is_what_diff_says(root: Path) -> None:
    found = find(root)
    (trend,) = trends.trends(found.entries)
    assert [entry.folder.name for entry in trend.entries] == ["a", "b <i>"]
    assert {change.moved for _, change in trend.found if change.what == "accuracy"} == {"within noise"}
    chart = trends.chart(trend)
    (low, high) = chart.panels[0].band[0][1:]
    assert all(low <= y <= high for line in chart.panels[0].lines for _, y in line.points)
    assert [text for _, text in chart.panels[0].ticks] == ["aaaaaaaa", "bbbbbbbb"]


def test_figures_of_another_task_are_not_called_accuracies(root: Path) -> None:
    entry = next(one for one in find(root).entries if one.side is not None)
    assert headings([entry])[2] == "test accuracy"
    row = replace(entry.rows[0], value=0.25, figure=of_task("regression"))
    other = replace(entry, rows=[row])
    column = headings([entry, other]).index("test figure")
    assert [one[column] for one in cells(other, "other")] == ["RMSE 0.25"]
    assert row.accuracy is None


def test_one_report_of_several_has_one_table_and_joint_curves(root: Path) -> None:
    folders = {"one": root / "old" / "a", "other": root / "b <i>"}
    made = combined({name: rendered(folder) for name, folder in folders.items()}, [read(of) for of in folders.values()])
    text = made["report.md"].decode()
    before = text.partition("\n## ")[0]
    verdicts, table = before.partition("\n\n| folder | implementation | test accuracy |")[::2]
    assert verdicts.startswith("# 2 reports\n\n- \u2713 **one, Accuracy**: ")
    assert "- \u2713 **other, Accuracy**: " in verdicts
    assert table
    assert before.count("| one |") == before.count("| other |") > 0
    assert "![Learning curves of" in before
    assert made["plots/joint-curves-1.png"].startswith(b"\x89PNG")
    page = made["report.html"].decode()
    assert "one: numpy" in page
    assert len(set(re.findall(r'type="radio" name="([^"]*)"', page))) >= 3
