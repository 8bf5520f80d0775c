"""How every command ends, from made-up records. The verdict comes first, in the same words on the terminal, in both
reports and in JSON. Tables are not cut at any width."""

import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import made_up
import pytest
from rich.cells import cell_len

from compare.bench import beside, scaling, statistics
from compare.bench import waterfall as speed
from compare.bench.inference.record import RECORD as INFERENCE
from compare.bench.ported import report as times_report
from compare.commands import entries, rendering, report, runs
from compare.commands.bench import RECORD, Bench
from compare.commands.bench_beside import Neighbours
from compare.commands.bench_curves import Points
from compare.commands.bench_inference import Serving
from compare.commands.bench_waterfall import Waterfalls
from compare.commands.lifecycle import Began
from compare.commands.parity import Comparisons
from compare.commands.parity_waterfall import Stages
from compare.commands.port import Port
from compare.commands.study_report import report as end_study
from compare.folders import run_folder
from compare.folders.output import OutputFolder
from compare.options.folders import ReportOptions, RunsOptions
from compare.options.port import PortOptions
from compare.parity.plan import ParityPlan
from compare.reporting import html_page
from compare.reporting.screen import Screen
from compare.training import report as training_report
from shared.result import RunResult

WIDTHS = (60, 80, 100, 200)
NO_DATA: Any = SimpleNamespace(warnings=())
PLAN: Any = SimpleNamespace(
    model=SimpleNamespace(name="cnn_same"),
    subject=lambda *_: None,
    options=SimpleNamespace(verbose=True, steps=4),
    extent=SimpleNamespace(n_steps=20, n_draws=3, top="evaluation"),
)
End = Callable[[Path, Screen], None]
"""End a command as after its work: print, answer, and write its folder, which does not exist yet."""


def began(out: Path) -> Began:
    return Began("python -m compare", out)


def of_study(results: list[RunResult]) -> End:
    def end(out: Path, screen: Screen) -> None:
        names = tuple(dict.fromkeys(one.run.implementation for one in results))
        planned: Any = SimpleNamespace(
            judging=made_up.judging(names),
            runs=[one.run for one in results],
            command="python -m compare",
            started="2026-01-01T00:00:00Z",
            dataset_reason="",
        )
        folder = OutputFolder(out)
        for one in results:
            folder.write(f"results/{one.name}.json", one.model_dump_json().encode())
        end_study(planned, (), folder, results, None, screen)

    return end


def of_bench(out: Path, screen: Screen) -> None:
    work = Bench(PLAN, "digits", NO_DATA, began(out), screen)
    work.results = [made_up.bench()]
    work.folder.write(RECORD, work.results[0].model_dump_json().encode())
    work.write()


def of_beside(out: Path, screen: Screen) -> None:
    work = Neighbours(PLAN, (0, 1), "digits", NO_DATA, began(out), screen)
    work.results = [made_up.beside_result()]
    work.folder.write(beside.RECORD, work.results[0].model_dump_json().encode())
    work.write()


def of_curves(out: Path, screen: Screen) -> None:
    work = Points(PLAN, "digits", NO_DATA, began(out), screen)
    work.results = made_up.curves()
    work.folder.write(scaling.RECORD, scaling.RECORDS.dump_json(work.results))
    work.write()


def of_speed(out: Path, screen: Screen) -> None:
    work = Waterfalls(PLAN, "digits", NO_DATA, began(out), screen)
    work.results = made_up.speed_waterfall()
    work.folder.write(speed.RECORD, speed.RECORDS.dump_json(work.results))
    work.write()


def of_inference(out: Path, screen: Screen) -> None:
    work = Serving(PLAN, "digits", NO_DATA, began(out), screen)
    work.results = [made_up.inference()]
    work.folder.write(INFERENCE, work.results[0].model_dump_json().encode())
    work.write()


def of_parity(beyond: bool) -> End:
    def end(out: Path, screen: Screen) -> None:
        work = Comparisons(PLAN, {}, began(out), screen)
        work.results = [made_up.parity(beyond)]
        work.write()

    return end


def of_recipes(out: Path, screen: Screen) -> None:
    subject: Any = SimpleNamespace(data=NO_DATA, spec=SimpleNamespace(name="dense_baseline"))
    plan: ParityPlan = PLAN
    work = Stages(plan, subject, began(out), screen)
    work.results = list(made_up.recipes().stages)
    work.write()


def of_port(fit: bool = False, steps: int = 0, timed: bool = False) -> End:
    def end(out: Path, screen: Screen) -> None:
        options = PortOptions(left="a.py:A", right="b.py:B", verbose=True)
        request: Any = None
        work = Port(options, request, began(out), screen)
        work.results = [made_up.port(fit, steps)]
        work.show(work.results[0])
        if timed:
            work.times = made_up.port_times()
            for name, content in times_report.files(work.times).items():
                work.folder.write(name, content)
        work.write()

    return end


def of_several(out: Path, screen: Screen) -> None:
    parts = {"a-run": of_study(made_up.runs()), "a-bench": of_bench, "a-port": of_port(timed=True)}
    folders = [out.parent / f"{out.name}-{name}" for name in parts]
    for folder, end in zip(folders, parts.values(), strict=True):
        if not folder.exists():
            end(folder, Screen(quiet=True))
    assert report.command(ReportOptions(folders=tuple(folders), out=out), screen) == 0


TASKS = {
    "regression": [made_up.of_task("regression", "mse", 0.5, name) for name in ("torch", "keras")],
    "multilabel": [made_up.of_task("multilabel", "binary_cross_entropy", 0.5, name) for name in ("torch", "keras")],
}
ENDS: dict[str, End] = {
    "run": of_study(made_up.runs("torch", "keras", "tf_lowlevel")),
    "run of one": of_study(made_up.runs("keras_functional")),
    "run of many": of_study(made_up.runs("torch", "keras", "tf_lowlevel", n_seeds=3)),
    **{f"own network, {task}": of_study(results) for task, results in TASKS.items()},
    "parity": of_parity(False),
    "parity, beyond": of_parity(True),
    "recipes": of_recipes,
    "bench": of_bench,
    "beside": of_beside,
    "curves": of_curves,
    "speed": of_speed,
    "inference": of_inference,
    "port": of_port(),
    "port --steps": of_port(steps=3),
    "port --fit": of_port(fit=True),
    "port --bench": of_port(timed=True),
    "several": of_several,
}


class Lists(HTMLParser):
    """Collects the words of the first list's items on a page, and whether a table came before it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.items: list[str] = []
        self.after_table = self.within = self.done = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "ul" and ("class", "verdict") in attributes:
            self.within = True
        elif tag == "table" and not self.done:
            self.after_table = True
        elif tag == "li" and self.within:
            self.items.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "ul" and self.within:
            self.within, self.done = False, True

    def handle_data(self, data: str) -> None:
        if self.within and self.items:
            self.items[-1] += data


def words(text: str) -> str:
    """Return text as one line without Markdown mark-up."""
    return " ".join(text.replace("\\", "").replace("**", "").split())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "N_RESAMPLES", 100)
    for module in (run_folder, rendering):
        monkeypatch.setattr(module, "weights_of_first", lambda *_: {})


def at_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the printed text without bold."""
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)


def writes_nothing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Make no more reports, because only the output is checked."""
    monkeypatch.setattr(html_page, "page", lambda *_: b"")
    if kind != "several":
        monkeypatch.setattr(training_report, "render", lambda *_: {})


@pytest.mark.parametrize("kind", ENDS)
def test_the_verdict_is_first_and_the_same_everywhere(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    ENDS[kind](out, Screen(as_json=True))
    found = json.loads(capsys.readouterr().out)["headline"]
    assert found
    marks = {"yes": "\u2713", "no": "\u2717", "open": "?"}
    lines = [words(f"{marks[one['state']]} {one['question']}: {one['answer']}") for one in found]

    text = (out / "report.md").read_text()
    assert text.startswith("# ")
    page = Lists((out / "report.html").read_text())
    assert not page.after_table
    first = words(text.partition("\n- ")[2].partition("\n|")[0])
    listed = [words(item) for item in page.items]
    if kind == "several":  # each line begins with its folder
        parts = [(one, line) for one, line in zip(found, lines, strict=True)]
        lines = [line.replace(" ", f" {one['folder']}, ", 1) for one, line in parts]
    assert first.startswith(" - ".join(lines)), "report.md"
    assert listed[: len(lines)] == lines, "report.html"
    if kind != "several":
        entry = entries.read(out)
        assert [words(line.text) for line in entry.headline] == lines, "compare runs"

    writes_nothing(monkeypatch, kind)
    ENDS[kind](tmp_path / "again", Screen())
    said = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    if kind == "several":
        said = [line for line in said if not line.endswith(":")]
        lines = [words(f"{marks[one['state']]} {one['question']}: {one['answer']}") for one in found]
    if kind == "port --bench":  # the differences are printed before the timing
        assert words(said[0]) == lines[0]
        said, lines = said[next(n for n, line in enumerate(said) if "Speed: " in line) :], lines[1:]
    assert [words(line) for line in said[: len(lines)]] == lines, "terminal"


@pytest.mark.parametrize("kind", ENDS)
def test_nothing_is_cut_at_any_width(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writes_nothing(monkeypatch, kind)
    for width in WIDTHS if kind != "several" else WIDTHS[:1]:
        at_terminal(monkeypatch, width)
        ENDS[kind](tmp_path / f"out{width}", Screen())
        shown = printed(capsys)
        assert "\u2026" not in shown
        too_long = [line for line in shown.splitlines() if cell_len(line) > width]
        # Unbreakable words, such as a name or the path of a report, have their own line.
        assert [line for line in too_long if len(line.split()) > 1] == [], width


def test_the_table_of_runs_fits_every_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writes_nothing(monkeypatch, "")
    for kind, end in ENDS.items():
        if kind != "several":
            end(tmp_path / kind.replace(" ", "-").replace(",", ""), Screen(quiet=True))
    made = [name for name in entries.KINDS if any((folder / name).exists() for folder in tmp_path.iterdir())]
    assert made == list(entries.KINDS), "a kind of folder is not among ENDS"
    for width in WIDTHS:
        at_terminal(monkeypatch, width)
        assert runs.command(RunsOptions(folder=tmp_path), Screen()) == 0
        shown = printed(capsys)
        assert "\u2026" not in shown
        assert [line for line in shown.splitlines() if cell_len(line) > width and len(line.split()) > 1] == []
        assert all(name in shown for name in ("run", "port---fit", "inference", "keras_functional"))
