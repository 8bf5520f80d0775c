"""Draw drift against steps, with the envelope."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from compare.parity.result import ParityResult, PrecisionResult
from compare.parity.waterfall import RecipeStage
from compare.reporting.plots import mark_of, style_of
from compare.reporting.waterfalls import bars
from shared.plurals import number_of


def drift(result: ParityResult) -> Figure:
    """Draw each implementation's distance from the float64 consensus over the steps, a panel for each precision. The
    shaded band is the distance of an implementation from itself after a move of its initial weights."""
    figure = Figure(figsize=(5 * len(result.precisions), 4), layout="constrained")
    panels = figure.subplots(1, len(result.precisions), squeeze=False)[0]
    for axes, precision in zip(panels, result.precisions, strict=True):
        _panel(axes, precision)
        axes.set_title(f"{result.model}, {precision.dtype}, seed {result.seed}", fontsize=9)
    panels[0].set_ylabel("relative distance of all parameters")
    return figure


def waterfall(stages: Sequence[RecipeStage], model: str) -> Figure:
    """Draw the distances of the losses along training and of the test accuracies, stage after stage. A factor's bar
    hangs where the stage before it ended, and the whiskers are the standard error over seeds."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    figure.suptitle(
        f"{model}: from each framework's own recipe to the matched one, over {number_of(len(stages[0].runs), 'seed')}"
    )
    titles = ("loss of a step, mean difference", "test accuracy, mean difference (points)")
    measures = (RecipeStage.loss_gap, RecipeStage.accuracy_gap)
    for axes, title, measure in zip(figure.subplots(1, 2), titles, measures, strict=True):
        gap = [measure(stage) for stage in stages]
        means, errors = [a.mean for a in gap], [a.error for a in gap]
        names = ["all their own", *(f"{stage.matched} matched" for stage in stages[1:])]
        bars(axes, [*names, "left: rounding"], means, errors)
        axes.set_ylim(bottom=0)
        axes.set_title(title, fontsize=9)
    return figure


def _panel(axes: Any, precision: PrecisionResult) -> None:
    draws = [curve for of_one in precision.self_curves.values() for curve in of_one]
    if draws:
        steps = [step for step in draws[0] if all(step in curve for curve in draws)]  # one may have ended early
        low, high = ([extreme(curve[step] for curve in draws) for step in steps] for extreme in (min, max))
        axes.fill_between(steps, low, high, color="0.8", label="an implementation from itself, weights moved")
    for name, curve in precision.curves.items():
        marker = mark_of(name)
        axes.plot(list(curve), list(curve.values()), marker=marker, markersize=3, label=name, **style_of(name))
    axes.set_xscale("log")
    if any(value > 0 for curve in precision.curves.values() for value in curve.values()):
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
