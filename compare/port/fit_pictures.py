"""Draw `--fit`: the waterfall from the left's training to the right's, and the losses of the steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compare.port.learning_record import FoundFit, FoundStage
from compare.reporting.bars import Bar, BarChart, BarPanel
from compare.reporting.charts import Chart, Line, Panel
from shared.plurals import number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REST = 1e-9  # share of the loss: a smaller rest has no bar of its own


def drawn(fit: FoundFit) -> list[FoundStage]:
    """Return the stages that have a bar. A last bar, "the rest", is what no exchange explains."""
    *stages, last = fit.stages
    nothing = (last.distance or 0.0) == 0 and (stages[-1].distance or 0.0) <= REST * abs(last.loss)
    return stages if nothing else [*stages, last.model_copy(update={"name": "the rest"})]


def waterfall(fit: FoundFit) -> "Figure":
    """Draw the mean loss of each stage and, if there are classes, the accuracy during it in a second panel."""
    from matplotlib.figure import Figure

    from compare.reporting.waterfalls import bars

    stages = drawn(fit)
    n = len(fit.stages[0].losses)
    panels = [(f"mean loss of {number_of(n, 'step')}", [stage.loss for stage in stages])]
    shares = [stage.accuracy for stage in stages if stage.accuracy is not None]
    if len(shares) == len(stages):
        panels.append((f"accuracy in {number_of(n, 'step')} (%)", [100 * share for share in shares]))
    figure = Figure(figsize=(5.5 * len(panels), 4.5), layout="constrained")
    figure.suptitle("From the left training function to the right one")
    names = [*(stage.name for stage in stages), "right"]
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        bars(axes, names, values, more_is_better=title.startswith("accuracy"))
        axes.set_title(title, fontsize=9)
        axes.set_ylim(*_limits(values))
    return figure


def bar_chart(fit: FoundFit) -> BarChart:
    """Return the waterfall for the page: each exchange's bar begins where the stage before it ended."""
    stages, n = drawn(fit), len(fit.stages[0].losses)
    panels = [_panel(f"Mean loss of {number_of(n, 'step')}", "", stages, [stage.loss for stage in stages], -1)]
    shares = [100 * stage.accuracy for stage in stages if stage.accuracy is not None]
    if len(shares) == len(stages):
        panels.append(_panel(f"Accuracy in {number_of(n, 'step')}", "%", stages, shares, 1))
    return BarChart("From the left training function to the right one", {"exchanges": panels})


def _panel(title: str, unit: str, stages: Sequence[FoundStage], values: Sequence[float], better: int) -> BarPanel:
    """Return one panel; `better` is the sign of an improvement."""
    rows = [Bar(stages[0].name, values[0], "change", form="total")]
    for stage, before, now in zip(stages[1:], values, values[1:], strict=False):
        form = "more" if (now - before) * better < 0 else "less"
        rows.append(Bar(stage.name, now, "change", start=before, form=form))
    return BarPanel(title, unit, [*rows, Bar("right", values[-1], "change", form="total")])


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the limits of an axis: from 0, unless the bars would then hardly differ."""
    low, high = min(values), max(values)
    room = 0.3 * (high - low) or 0.1 * abs(high) or 1.0
    return (min(0.0, low - room) if low < 2 * (high - low) else low - room), high + room


def losses(fit: FoundFit) -> "Figure":
    """Draw the losses of the steps: each training function's own, and those of the stages in between."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for line in _lines(fit):
        axes.plot(*zip(*line.points, strict=True), label=line.name, linewidth=1 if line.form == "thin" else 2)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    return figure


def chart(fit: FoundFit) -> Chart:
    """Return the losses of the steps as a chart for the page."""
    lines = _lines(fit)
    return Chart("Losses of both training functions", [Panel("Loss", "step", "", lines, log=True)], {
        line.name: line.name for line in lines
    })  # fmt: skip


def _lines(fit: FoundFit) -> list[Line]:
    """Return the lines that have a loss in every step."""
    whole = [stage for stage in fit.stages if None not in stage.losses]
    return [
        Line(stage.name, "loss", [(k, loss) for k, loss in enumerate(stage.losses, 1) if loss is not None],
             "marked" if stage.name in ("left", "right") else "thin")
        for stage in whole
    ]  # fmt: skip
