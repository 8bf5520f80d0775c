"""Bar charts: positions of values, tooltips, and views."""

import re

import pytest

from compare.parity import charts
from compare.parity.waterfall import RecipeStage, TrainingCurve
from compare.reporting.bars import Bar, BarChart, BarPanel

BARS = [Bar("plain", 20.0, "torch", (18.0, 22.0)), Bar("instead: xla", 10.0, "torch", form="pale")]


def tips(markup: str) -> list[str]:
    """Return the tooltips."""
    return re.findall(r'<text class="tip"[^>]*>([^<]*)</text>', markup)


def test_lengths_are_in_proportion_and_values_are_shown() -> None:
    markup = BarChart("steps", {"step time": [BarPanel("torch", "ms", BARS)]}).markup("c")
    long, short = (float(width) for width in re.findall(r'<rect class="bar [^>]* width="([\d.]+)"', markup))
    assert long == pytest.approx(2 * short, abs=0.2)
    assert tips(markup) == ["plain: 20 ms [18, 22]", "instead: xla: 10 ms"]
    assert "radio" not in markup
    assert "checkbox" not in markup  # there is only one name


def test_views_and_names_can_be_chosen() -> None:
    of_keras = [Bar("fit", 0.5, "keras", form="dot")]
    views = {"linear": [BarPanel("a", "s", BARS)], "log scale": [BarPanel("a", "s", [*BARS, *of_keras], log=True)]}
    markup = BarChart("steps", views, {"torch": "torch", "keras": "keras"}, starts=1).markup("c")
    assert re.findall(r'value="(\d)" checked', markup) == ["1"]
    assert markup.count("data-line") == 2
    dot = float(re.findall(r'<circle cx="([\d.]+)"', markup)[0])
    drawn = re.findall(r'<rect class="bar [^>]* x="([\d.]+)" y="\d+" width="([\d.]+)"', markup)
    *_, first, second = (float(x) + float(width) for x, width in drawn)
    assert dot < second < first


def test_text_from_outside_stays_text_and_nothing_is_drawn_of_nothing() -> None:
    hostile = "<script>"
    panel = BarPanel(hostile, hostile, [Bar(hostile, 1.0, hostile)])
    assert hostile not in BarChart(hostile, {hostile: [panel]}).markup("c")
    assert BarChart("x", {"linear": [BarPanel("a", "s", [])]}).markup("c") == ""


def test_a_bar_of_a_waterfall_begins_where_the_one_before_ended() -> None:
    def stage(matched: str | None, gap: float) -> RecipeStage:
        return RecipeStage(matched, ({"a": TrainingCurve((0.0,), 0.0), "b": TrainingCurve((gap,), gap)},))

    chart = charts.waterfall([stage(None, 1.0), stage("x", 0.25), stage("y", 0.5)], "net")
    loss, _ = chart.views["differences"]
    assert [(bar.start, bar.value) for bar in loss.bars] == [(0, 1.0), (1.0, 0.25), (0.25, 0.5), (0, 0.5)]
    assert [bar.form for bar in loss.bars] == ["total", "less", "more", "total"]
    assert "x matched: 0.25 [0.25, 0.25] from 1" in tips(chart.markup("c"))
