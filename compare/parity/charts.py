"""The charts of parity: a comparison's drift, and the waterfall of recipes."""

from collections.abc import Sequence

from compare.parity.result import ParityResult, PrecisionResult
from compare.parity.waterfall import RecipeStage
from compare.reporting.bars import Bar, BarChart, BarPanel
from compare.reporting.charts import Chart, Line, Panel


def drift(result: ParityResult) -> Chart:
    """Return a chart of each implementation's distance from the float64 consensus over the steps, a panel for each
    precision. The band is the distance of an implementation from itself after a move of its initial weights."""
    names = {name: name for precision in result.precisions for name in precision.curves}
    panels = [_panel(precision) for precision in result.precisions if precision.curves]
    return Chart(f"Drift of {result.model}, seed {result.seed}", panels, names, starts_log=True)


def _panel(precision: PrecisionResult) -> Panel:
    draws = [curve for of_one in precision.self_curves.values() for curve in of_one]
    steps = [step for step in draws[0] if all(step in curve for curve in draws)] if draws else []
    extremes = [(float(step), *(extreme(curve[step] for curve in draws) for extreme in (min, max))) for step in steps]
    band = [(step, low, high) for step, low, high in extremes if low > 0]  # a log scale has no 0
    lines = [
        Line(name, "distance", [(float(step), value) for step, value in curve.items() if value > 0])
        for name, curve in precision.curves.items()
    ]
    title = f"Relative distance of all parameters, {precision.dtype}"
    return Panel(title, "step", "", lines, log=True, log_x=True, less=False, band=band)


def waterfall(stages: Sequence[RecipeStage], model: str) -> BarChart:
    """Return a chart of the distances of losses and accuracies, stage after stage. The bar of a factor begins where the
    stage before it ended, and its whisker is the standard error over seeds."""
    panels = []
    for title, unit, measure in (
        ("Loss of a step, mean difference", "", RecipeStage.loss_gap),
        ("Test accuracy, mean difference", "points", RecipeStage.accuracy_gap),
    ):
        gap = [measure(stage) for stage in stages]
        ends = [(one.mean - one.error, one.mean + one.error) for one in gap]
        bars = [Bar("all their own", gap[0].mean, "difference", ends[0], form="total")]
        for stage, before, now, of_now in zip(stages[1:], gap, gap[1:], ends[1:], strict=False):
            form = "less" if now.mean <= before.mean else "more"
            bars.append(Bar(f"{stage.matched} matched", now.mean, "difference", of_now, before.mean, form))
        bars.append(Bar("left: rounding", gap[-1].mean, "difference", form="total"))
        panels.append(BarPanel(title, unit, bars))
    return BarChart(f"{model}: how far the implementations are apart, stage after stage", {"differences": panels})
