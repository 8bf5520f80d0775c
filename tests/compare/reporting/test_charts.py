"""Charts: positions of values, available views, and foreign text that stays text."""

import math
import re
from itertools import pairwise

import pytest
from results import result

from compare.reporting import run_charts
from compare.reporting.axes import Axis, value_text
from compare.reporting.charts import Chart, Line, Panel

NAMES = {"torch": "torch", "keras": "keras"}


def chart(**changes: object) -> Chart:
    lines = [
        Line("torch", "seed 0", [(1, 0.5), (2, 0.25)]),
        Line("keras", "seed 0", [(1, 0.75), (2, 0.25), (3, 0.1)]),
        Line("keras", "seed 1", [(1, 0.9)]),
    ]
    panel = Panel(**({"title": "Loss", "x": "epoch", "y": "", "lines": lines, "log": True} | changes))
    return Chart("a label", [panel], NAMES)


def tips(markup: str, view: int) -> list[str]:
    """Return the tooltips of a view."""
    (svg,) = re.findall(rf'<svg class="view v{view}".*?</svg>', markup)
    return re.findall(r'<text class="tip"[^>]*>([^<]*)</text>', svg)


def test_every_view_shows_its_values() -> None:
    markup = chart().markup("c")
    assert re.findall(r'value="\d"(?: checked)?> ([^<]*)<', markup) == [
        "linear",
        "log scale",
        "minus torch",
        "minus keras",
    ]
    assert tips(markup, 0) == tips(markup, 1)
    assert tips(markup, 0)[:2] == ["torch, seed 0: 0.5 at 1", "torch, seed 0: 0.25 at 2"]
    # Seed 1 exists only for keras, and so does epoch 3. They cannot be subtracted.
    assert tips(markup, 2) == [
        "torch, seed 0: 0 at 1", "torch, seed 0: 0 at 2", "keras, seed 0: 0.25 at 1", "keras, seed 0: 0 at 2"
    ]  # fmt: skip


def test_no_view_without_sense() -> None:
    lines = [Line("torch", "seed 0", [(1, 0.0), (2, 0.25)])]
    assert 'type="radio"' not in chart(lines=lines).markup("c")  # 0 has no logarithm, and there is only one name
    assert "minus" not in chart(less=False).markup("c")


def test_a_line_without_points_draws_no_path() -> None:
    lines = [Line("torch", "seed 0", [(1, 0.5), (2, 0.25)]), Line("keras", "seed 0", [])]
    markup = chart(lines=lines).markup("c")
    assert 'd="M"' not in markup  # a browser reports an error
    assert len(re.findall(r'<path class="line" stroke-dasharray="[^"]*" d="M[\d.]', markup)) > 0


def test_names_from_outside_stay_text() -> None:
    hostile = '<script>"x"'
    lines = [Line(hostile, hostile, [(1, 1), (2, 2)])]
    markup = Chart(hostile, [Panel(hostile, hostile, hostile, lines)], {}).markup("c")
    assert "<script" not in markup
    assert '"x"' not in markup


def test_a_picture_shows_as_much_as_too_many_points() -> None:
    lines = [Line("torch", "seed 0", [(float(x), float(x)) for x in range(6_001)])]
    assert chart(lines=lines).markup("c") == ""


def test_nothing_is_drawn_of_nothing() -> None:
    """An example is the drift of a parity check of one step, whose lines have no points."""
    assert chart(lines=[Line("torch", "seed 0", [])]).markup("c") == ""
    assert Axis.over([], 0, 100, log=True, room=0).low == 1


def test_the_values_are_there_as_a_table_too() -> None:
    markup = chart().markup("c")
    (table,) = re.findall(r"<table>.*?</table>", markup)
    assert re.findall(r"<tr><td>(.*?)</td></tr>", table)[2].split("</td><td>") == ["3", "-", "0.1", "-"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (97.2, 98.1), (-0.3, 0.2), (1e-17, 5e-17), (12, 31_000), (5, 5)])
@pytest.mark.parametrize("log", [False, True])
def test_an_axis_holds_its_values_and_has_ticks(low: float, high: float, log: bool) -> None:
    if log and low <= 0:
        low = 1e-3
        high = 0.5
    axis = Axis.over([low, high], 100, 0, log, room=0.05)
    assert 0 <= axis(high) <= axis(low) <= 100
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 13
    assert len({text for _, text in ticks}) == len(ticks)
    assert all(-1e-6 <= axis(value) <= 100 + 1e-6 for value, _ in ticks)


def test_whole_numbers_alone_for_epochs() -> None:
    assert [text for _, text in Axis.over([1, 3], 0, 1, False, room=0.03).ticks(whole=True)] == ["1", "2", "3"]


def test_values_have_four_digits() -> None:
    assert [value_text(x) for x in (0, 0.5, 98.061, 12_345.6, 1.23e-7, 0.30000000000000004)] == [
        "0", "0.5", "98.06", "12,346", "1.2e-7", "0.3"
    ]  # fmt: skip


def test_a_study_s_charts_have_its_figures() -> None:
    results = [result(implementation=name, seed=0, accuracy=0.975) for name in ("torch", "keras")]
    curves = run_charts.learning_curves(results)
    assert curves.names == ["torch", "keras"]
    of_torch = next(line for line in curves.panels[1].lines if line.name == "torch")
    outcome = results[0].outcome
    assert outcome is not None
    assert [y / 100 for _, y in of_torch.points] == pytest.approx([epoch.test_accuracy for epoch in outcome.epochs])
    times = run_charts.step_times(results)
    assert times is not None
    ms = [y for _, y in times.panels[0].lines[0].points]
    assert ms == sorted(ms)
    assert math.isfinite(ms[-1])


def test_names_under_an_axis_are_not_over_each_other() -> None:
    def heights(names: list[str], title: str = "") -> list[float]:
        ticks = [(float(n), name) for n, name in enumerate(names)]
        panel = Panel("p", title, "", [Line("a", "k", [(0.0, 1.0), (5.0, 2.0)])], ticks=ticks)
        markup = Chart("c", [panel], {}).markup("x").partition('class="view')[2].partition("</svg>")[0]
        return [float(y) for y, text in re.findall(r'class="tick mid" x="[^"]*" y="([^"]*)">([^<]*)', markup) if text]

    assert len(set(heights(["a", "b", "c"]))) == 1
    long = heights(["torch-eager", "torch-tuned", "keras-graph", "keras-tuned", "tf_lowlevel-graph", "tf_lowlevel"])
    assert all(one != other for one, other in pairwise(long))
    assert len(set(heights(["a" * 40, "b" * 40], "batch size")[:2])) == 1  # the title is below them
