"""Draw the pictures of a bench."""

import numpy as np
from matplotlib.figure import Figure

from compare.bench.result import BenchResult
from compare.bench.verdicts import step_time
from compare.reporting.plots import style_of


def steps(result: BenchResult) -> Figure:
    """Draw every round's step time, end to end: a column of dots for each launch, and a bar over them for its median.
    The interval of each contestant is behind them."""
    n = len(result.contestants)
    figure = Figure(figsize=(2.5 + 1.8 * n, 4), layout="constrained")
    axes = figure.subplots()
    for place, contestant in enumerate(result.contestants):
        colour = style_of(contestant.implementation).get("color", "#555555")
        launches = [rounds for rounds in result.samples(contestant.name, "end_to_end") if rounds]
        time = step_time(result, contestant.name)
        if time is not None and time.low is not None and time.high is not None:
            axes.fill_between(
                [place - 0.4, place + 0.4], time.low * 1e3, time.high * 1e3, color=colour, alpha=0.2, lw=0
            )
        half = 0.3 if len(launches) > 1 else 0.0  # a single launch stands above its name
        for at, rounds in zip(np.linspace(place - half, place + half, len(launches)), launches, strict=True):
            axes.plot([at] * len(rounds), np.array(rounds) * 1e3, ".", markersize=3, alpha=0.5, color=colour)
            axes.plot([at], [np.median(rounds) * 1e3], "_", markersize=8, color=colour)
    axes.set_xticks(range(n), [contestant.name for contestant in result.contestants])
    axes.set_ylabel("ms a step, end to end")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.3)
    axes.set_title(f"{result.model}: every round of every launch; shaded the 95 % interval", fontsize=9)
    return figure
