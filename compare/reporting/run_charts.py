"""Make the charts of a study from its records: learning curves, step times and confusion matrices."""

from collections.abc import Sequence
from html import escape

import numpy as np

from compare.analysis.figures import figure_of
from compare.analysis.timing import steady_slices
from compare.reporting.charts import Chart, Line, Panel
from compare.reporting.plots import after_each_epoch, training_loss
from shared.result import RunResult

N_QUANTILES = 41  # points per distribution
FEW_RUNS = 6  # up to so many, the loss during an epoch is drawn, too
MOST_CLASSES = 20  # with more, cells are too small to point at
WITH_COUNTS = 12
CELL, EDGE = 24, 30  # for a confusion matrix


def learning_curves(results: Sequence[RunResult], prefix: str = "", training: bool = True) -> Chart:
    """Return a chart of loss and accuracy (or another task's figure) after each epoch, a line for each completed run.
    `training` adds the loss during an epoch, if there is room. `prefix` is put before names if several folders share
    the chart."""
    done = [result for result in results if result.outcome]
    shown = figure_of(done)
    training = training and len(done) <= FEW_RUNS
    loss: list[Line] = []
    figure: list[Line] = []
    watched = "test"
    for result in done:
        assert result.outcome is not None
        name, key = prefix + result.run.implementation, f"seed {result.run.train.seed}"
        epochs = [float(epoch.epoch) for epoch in result.outcome.epochs]
        watched, losses, values = after_each_epoch(result.outcome, shown)
        if training:
            during = zip(*(map(float, of) for of in training_loss(result)), strict=True)
            loss.append(Line(name, f"{key}, training", list(during), "thin"))
        loss.append(Line(name, key, list(zip(epochs, losses, strict=True))))
        figure.append(Line(name, key, [(x, shown.scale * y) for x, y in zip(epochs, values, strict=True)]))
    panels = [
        Panel(f"Loss ({watched}{'; thin: training' if training else ''})", "epoch", "", loss, log=True),
        Panel(f"{shown.title} ({watched})", "epoch", "%" if shown.metric.share else "", figure),
    ]
    implementations = {prefix + result.run.implementation: result.run.implementation for result in done}
    return Chart(
        f"Learning curves: loss and {shown.metric.title} over epochs", panels, implementations, starts_log=True
    )


def step_times(results: Sequence[RunResult]) -> Chart | None:
    """Return a chart of the quantiles of the steady steps' times, a line for each run; None if no steps were timed."""
    shares = np.linspace(0, 1, N_QUANTILES)
    lines = []
    for result in results:
        if result.outcome and (slices := steady_slices(result)):
            times = np.quantile(np.concatenate(slices) * 1e3, shares)
            points = [(float(100 * share), float(ms)) for share, ms in zip(shares, times, strict=True)]
            lines.append(Line(result.run.implementation, f"seed {result.run.train.seed}", points))
    if not lines:
        return None
    panel = Panel("Time that so many steps take at most", "% of the steps", "ms", lines, log=True)
    return Chart("Step times", [panel], {line.name: line.name for line in lines}, starts_log=True)


def confusion_matrices(results: Sequence[RunResult], names: Sequence[str]) -> str:
    """Return one matrix for each result as HTML; the darker a cell, the larger its share of the true class. The number
    and the share of a cell show under the pointer. Return "" if there are too many classes."""
    n = len(names)
    if n > MOST_CLASSES:
        return ""
    parts = ['<figure class="chart"><div class="panels">']
    for result in results:
        assert result.outcome is not None
        name, share = result.run.implementation, result.outcome.test_accuracy
        counts = np.array(result.outcome.confusion)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        size = EDGE + CELL * n
        parts.append(
            f'<svg class="matrix" viewBox="0 0 {size + 4} {size + 34}" role="img" '
            f'aria-label="confusion matrix of {escape(name)}">'
            f'<text class="title" x="0" y="12">{escape(name)}: {share:.2%}</text>'
        )
        for row in range(n):
            middle = EDGE + CELL * row + CELL / 2 + 4
            parts.append(f'<text class="tick end" x="{EDGE - 4}" y="{middle + 16:.0f}">{row}</text>')
            parts.append(f'<text class="tick mid" x="{middle - 4:.0f}" y="{EDGE + 12}">{row}</text>')
        for (row, column), count in np.ndenumerate(counts):
            parts.append(_cell(row, column, int(count), float(shares[row, column]), names))
        parts.append("</svg>")
    classes = ", ".join(f"{number} {name}" for number, name in enumerate(names) if name != str(number))
    said = f" Classes: {classes}." if classes else ""
    return "".join(
        [*parts, f"</div><figcaption>Rows: true class; columns: predicted.{escape(said)}</figcaption></figure>"]
    )


def _cell(row: int, column: int, count: int, share: float, names: Sequence[str]) -> str:
    x, y = EDGE + CELL * column, EDGE + 16 + CELL * row
    number = ""
    if count and len(names) <= WITH_COUNTS:
        dark = " dark" if share > 0.25 else ""
        number = f'<text class="count{dark}" x="{x + CELL / 2:.0f}" y="{y + CELL / 2 + 3:.0f}">{count}</text>'
    tip = escape(f"{names[row]} as {names[column]}: {count:,} ({share:.1%})")
    # The square root makes rare confusions visible.
    return (
        f'<g class="p"><rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" style="fill-opacity:{share**0.5:.2f}"/>'
        f'{number}<text class="tip" x="{EDGE}" y="{EDGE + CELL * len(names) + 30}">{tip}</text></g>'
    )
