"""Pictures and tables of predictions, for regressions and for several labels an image, mostly from records alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from compare.analysis.figures import figure_of
from compare.reporting.inspection import Inspected
from compare.reporting.markdown import plain
from compare.reporting.pictures import N_MISTAKES, draw_picture, label_of
from compare.reporting.plots import style_of
from shared.choices import TaskName
from shared.result import RunResult

MOST_DRAWN = 3  # outputs of a regression, a row each
MOST_LABELS = 60  # in one drawing
MOST_LINES = 1_000


def output_names(names: Sequence[str], n: int) -> list[str]:
    """Return the names of outputs: those of the data, else their numbers."""
    return [names[k] if k < len(names) else f"output {k}" for k in range(n)]


def errors(results: Sequence[RunResult], names: Sequence[str]) -> Figure:
    """Draw predicted against true numbers of a regression, a column for each implementation and a row for each output.
    On the line they are equal."""
    shown = figure_of(results)
    outcomes = [(result.run.implementation, result.outcome) for result in results if result.outcome]
    n_rows = min(MOST_DRAWN, *(len(outcome.points) for _, outcome in outcomes))
    figure = Figure(figsize=(4.2 * len(outcomes), 4.0 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, len(outcomes), squeeze=False)
    for column, (name, outcome) in enumerate(outcomes):
        for row, output in enumerate(output_names(names, n_rows)):
            axes, points = grid[row, column], outcome.points[row]
            both = (*points.true, *points.predicted)
            ends = min(both), max(both)
            axes.plot(ends, ends, color="0.5", linewidth=0.8)
            axes.plot(points.true, points.predicted, ".", markersize=3, color=style_of(name).get("color", "0.3"))
            axes.set_xlabel(f"true {label_of(output)}")
            axes.set_ylabel("predicted")
            axes.grid(alpha=0.3)
            if row == 0:
                axes.set_title(f"{name}: {shown.metric.title} {shown.text_of(shown.of(outcome))}", fontsize=10)
    return figure


def label_scores(results: Sequence[RunResult], names: Sequence[str]) -> Figure:
    """Draw F1 of each of several labels, a bar for each implementation."""
    outcomes = [(result.run.implementation, result.outcome) for result in results if result.outcome]
    n = min(len(outcomes[0][1].label_counts), MOST_LABELS)
    figure = Figure(figsize=(max(5.0, 0.28 * n * len(outcomes) + 2), 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(outcomes)
    for number, (name, outcome) in enumerate(outcomes):
        scores = f1_of(outcome.label_counts)[:n]
        axes.bar(np.arange(n) + number * width, scores * 100, width, label=name, color=style_of(name).get("color"))
    labels = [label_of(name) for name in output_names(names, n)]
    axes.set_xticks(np.arange(n) + 0.4 - width / 2, labels, rotation=90, fontsize=8)
    axes.set_ylabel("F1 (%)")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3, axis="y")
    axes.legend()
    return figure


def f1_of(label_counts: Sequence[Sequence[int]]) -> np.ndarray:
    """Return F1 of each label (K,), from the counts of: predicted and there, predicted only, there only, neither."""
    true, false, missed, _ = np.array(label_counts, np.float64).T
    scores: np.ndarray = 2 * true / np.maximum(2 * true + false + missed, 1)
    return scores


def label_cells(results: Sequence[RunResult], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and a line for each of several labels: the number of test images that have it, and F1 of
    each of `results`. The cells are Markdown."""
    outcomes = [(result.run.implementation, result.outcome) for result in results if result.outcome]
    if not outcomes or not outcomes[0][1].label_counts:
        return [], []
    headings = ["label", "test images", *(name for name, _ in outcomes)]
    scores = [f1_of(outcome.label_counts) for _, outcome in outcomes]
    counts = outcomes[0][1].label_counts
    return headings, [
        [plain(name), f"{counts[k][0] + counts[k][2]:,}", *(f"{of_one[k]:.2%}" for of_one in scores)]
        for k, name in enumerate(output_names(names, len(counts))[:MOST_LINES])
    ]


def largest_errors(
    networks: Sequence[Inspected], images: np.ndarray, labels: np.ndarray, names: Sequence[str], task: TaskName
) -> Figure:
    """Draw the test images (N, H, W, C) with each implementation's largest errors, a row each; labels are (N, K)."""
    figure = Figure(figsize=(1.5 * N_MISTAKES, 2.3 * len(networks)), layout="constrained")
    rows = figure.subfigures(len(networks), 1, squeeze=False)[:, 0]
    for row, network in zip(rows, networks, strict=True):
        off = np.square(network.probabilities - labels).mean(axis=1)
        worst = np.argsort(-off, kind="stable")[:N_MISTAKES]
        row.suptitle(f"{network.name}: farthest off (true, and what was predicted)", fontsize=10)
        for axes, place in zip(row.subplots(1, N_MISTAKES), range(N_MISTAKES), strict=True):
            axes.axis("off")
            if place < len(worst):
                index = int(worst[place])
                draw_picture(axes, images[index], "gray")
                said = [_label_text(values, names, task) for values in (labels[index], network.probabilities[index])]
                axes.set_title(f"#{index}: {said[0]}\nas {said[1]}", fontsize=7)
    return figure


def numbers(networks: Sequence[Inspected], image: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw one image (H, W, C) in [0, 1] as the networks see it, and the numbers that each network gives."""
    figure = Figure(figsize=(3 + 3.2 * len(networks), 3.4), layout="constrained")
    axes = figure.subplots(1, len(networks) + 1)
    draw_picture(axes[0], image, "gray")
    axes[0].images[0].set_clim(0, 1)
    axes[0].set_title("what the networks see", fontsize=9)
    axes[0].axis("off")
    shown = [label_of(name) for name in names[:MOST_LABELS]]
    for one, network in zip(axes[1:], networks, strict=True):
        values = network.extra_probabilities[0][: len(shown)]
        bars = one.barh(range(len(shown)), values, color=style_of(network.name).get("color", "0.4"))
        one.bar_label(bars, [f"{value:.4g}" for value in values], fontsize=8)
        one.set_yticks(range(len(shown)), shown, fontsize=8)
        one.invert_yaxis()
        one.margins(x=0.25)
        one.set_title(network.name, fontsize=9)
    return figure


def _label_text(values: np.ndarray, names: Sequence[str], task: TaskName) -> str:
    """Return the labels of one image (K,), or a network's answer, in a few words."""
    if task == "regression":
        return ", ".join(f"{value:.3g}" for value in values[:MOST_DRAWN])
    there = [label_of(names[int(k)]) for k in np.flatnonzero(values >= 0.5)]
    return ", ".join(there[:MOST_DRAWN]) + (" ..." if len(there) > MOST_DRAWN else "") if there else "none"
