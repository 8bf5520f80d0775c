"""Draw pictures from records alone."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from compare.analysis.figures import KeyFigure, figure_of
from compare.analysis.timing import steady_slices
from compare.registry import IMPLEMENTATIONS, Style
from compare.reporting.charts import Chart
from shared.batches import n_batches
from shared.result import Outcome, RunResult
from shared.task import LOSSES_IN_WORDS


def style_of(implementation: str) -> dict[str, Any]:
    """Return the line style of an implementation, as Matplotlib's arguments; {} if Matplotlib chooses it."""
    style = _style(implementation)
    return {"color": style.color, "linestyle": style.linestyle} if style else {}


def mark_of(implementation: str) -> str:
    """Return the marker of an implementation, as Matplotlib names it."""
    style = _style(implementation)
    return style.marker if style else "o"


def _style(implementation: str) -> Style | None:
    return IMPLEMENTATIONS[implementation].style if implementation in IMPLEMENTATIONS else None


PNG_DPI = 120
MOST_POINTS = 300  # per distribution: more are not visible, and a drawing of a hundred seeds has to open


def learning_curves(results: Sequence[RunResult]) -> Figure:
    """Draw loss on the left, accuracy (or another task's figure) on the right, over epochs; training figures are thin,
    those after each epoch dotted."""
    shown, loss = figure_of(results), loss_of(results)
    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    labelled: set[str] = set()
    watched = "test"
    for result in results:
        if result.outcome is None:
            continue
        style, marker = style_of(result.run.implementation), mark_of(result.run.implementation)
        epochs = [e.epoch for e in result.outcome.epochs]
        label = None if result.run.implementation in labelled else result.run.implementation
        labelled.add(result.run.implementation)
        watched, losses, accuracies = after_each_epoch(result.outcome, shown)
        loss_axes.plot(*training_loss(result), linewidth=1, alpha=0.6, **style)
        loss_axes.plot(epochs, losses, marker=marker, label=label, **style)
        training = np.array([e.figure("train", shown.metric.name) for e in result.outcome.epochs], np.float64)
        accuracy_axes.plot(epochs, training * shown.scale, linewidth=1, alpha=0.6, **style)
        accuracy_axes.plot(epochs, np.array(accuracies) * shown.scale, marker=marker, label=label, **style)
    for axes, what in ((loss_axes, loss), (accuracy_axes, shown.axis)):
        axes.set_xlabel("epoch")
        axes.set_ylabel(what)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    loss_axes.set_yscale("log")
    loss_axes.set_title(f"Loss: training (thin, during the epoch), {watched} (dots)", fontsize=9)
    accuracy_axes.set_title(f"{shown.title}: training (thin, during the epoch), {watched} (dots)", fontsize=9)
    accuracy_axes.legend()
    return figure


def step_times(results: Sequence[RunResult]) -> Figure | None:
    """Draw, for each implementation and seed, the share of its steady steps within each duration; None if single steps
    were not timed."""
    timed = [(r, np.concatenate(s)) for r in results if r.outcome and (s := steady_slices(r))]
    if not timed:
        return None
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axes = figure.subplots()
    labelled: set[str] = set()
    for result, step_s in timed:
        name = result.run.implementation
        style: dict[str, Any] = style_of(name)
        shares = np.linspace(0, 1, min(len(step_s), MOST_POINTS))
        axes.plot(np.quantile(step_s * 1e3, shares), shares, label=None if name in labelled else name, **style)
        labelled.add(name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="x", which="minor", labelsize=7)
    axes.set_xlabel("time of a step (ms)")
    axes.set_ylabel("share of steps")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    return figure


def of_chart(chart: Chart) -> Figure:
    """Draw a chart of the page, for report.md."""
    figure = Figure(figsize=(5 * len(chart.panels), 4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(chart.panels), squeeze=False)[0], chart.panels, strict=True):
        for line in panel.lines:
            colour, _ = chart.style_of(line.name)
            axes.plot(*zip(*line.points, strict=True), marker="o", markersize=3, color=colour, label=line.name)
        axes.set_title(f"{panel.title} {panel.y}".strip(), fontsize=9)
        axes.set_xlabel(panel.x)
        axes.grid(alpha=0.3)
        if panel.log and chart.starts_log:
            axes.set_yscale("log")
    axes.legend(fontsize=7)
    return figure


def to_png(figure: Figure) -> bytes:
    """Return the figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    if engine := figure.get_layout_engine():
        # The layout is computed once. With an engine, Matplotlib draws twice for each file: the first time to find
        # the positions.
        figure.set_dpi(PNG_DPI)
        engine.execute(figure)
        figure.set_layout_engine(None)
    figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> bytes:
    """Return the figure as an SVG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "compare"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _numbered_clips(buffer.getvalue())


def _numbered_clips(svg: bytes) -> bytes:
    """Rename the drawing's clipping paths by number. Matplotlib names them by a hash of their exact positions, whose
    last bit varies between runs of the layout's solver."""
    known: dict[bytes, bytes] = {}

    def numbered(found: re.Match[bytes]) -> bytes:
        name = known.setdefault(found[2], b"clip%d" % (len(known) + 1))
        return found[1] + name

    return re.sub(rb'(url\(#|<clipPath id=")(p[0-9a-f]{10})', numbered, svg)


def loss_of(results: Sequence[RunResult]) -> str:
    """Return the loss that these networks were trained with, in words."""
    return LOSSES_IN_WORDS[results[0].run.spec.loss if results else "cross_entropy"]


def after_each_epoch(outcome: Outcome, shown: KeyFigure) -> tuple[str, list[float], list[float]]:
    """Return what was evaluated after each epoch (validation or test images), the losses, and the `shown` figures."""
    epochs = outcome.epochs
    if epochs[0].validation_loss is not None:
        figures = [(e.validation_loss, e.figure("validation", shown.metric.name)) for e in epochs]
        watched = "validation"
    else:
        figures = [(e.test_loss, e.figure("test", shown.metric.name)) for e in epochs]
        watched = "test"
    known = [(loss, value) for loss, value in figures if loss is not None and value is not None]
    losses, values = zip(*known, strict=True)
    return watched, list(losses), list(values)


def training_loss(result: RunResult) -> tuple[np.ndarray, np.ndarray]:
    """Return epochs (fractional) and training loss: means of tenths of an epoch if steps are known, else of epochs."""
    assert result.outcome is not None
    if not result.outcome.samples.loss:
        epochs = result.outcome.epochs
        return np.array([e.epoch - 0.5 for e in epochs]), np.array([e.train_loss for e in epochs])
    loss = np.array(result.outcome.samples.loss)
    per_epoch = n_batches(result.n_train, result.run.train.batch_size)
    width = max(1, per_epoch // 10)
    means = np.array([loss[i : i + width].mean() for i in range(0, len(loss), width)])
    middles = np.array([i + min(width, len(loss) - i) / 2 for i in range(0, len(loss), width)])
    return middles / per_epoch, means
