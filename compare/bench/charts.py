"""The chart of a bench: every round, and each contestant's speed with its interval."""

import statistics

import numpy as np

from compare.bench.result import BenchResult
from compare.bench.verdicts import ratio_to_baseline, step_time
from compare.reporting.charts import Chart, Line, Panel, Point


def steps(result: BenchResult) -> Chart:
    """Return a chart of step times, end to end: a dot for each round, a mark for each launch's median, a bar for the
    95 % interval. A second panel has the speed against the baseline."""
    names = [contestant.name for contestant in result.contestants]
    ticks = [(float(place), name) for place, name in enumerate(names)]
    times: list[Line] = []
    speeds: list[Line] = []
    for place, name in enumerate(names):
        launches = [rounds for rounds in result.samples(name, "end_to_end") if rounds]
        half = 0.3 if len(launches) > 1 else 0.0  # a single launch stands above its name
        across = [float(place + at) for at in np.linspace(-half, half, len(launches))]
        dots = [(x, 1e3 * one) for x, rounds in zip(across, launches, strict=True) for one in rounds]
        medians = [(x, 1e3 * statistics.median(rounds)) for x, rounds in zip(across, launches, strict=True)]
        times += [Line(name, "round", dots, "dots")]
        times += [Line(name, "median of a launch", [point]) for point in medians]
        time = step_time(result, name)
        if time is not None and time.low is not None and time.high is not None:
            times.append(
                Line(name, "95 % interval", _bar(place + 0.42, 1e3 * time.low, 1e3 * time.value, 1e3 * time.high))
            )
        found = None if name == result.baseline else ratio_to_baseline(result, name)
        if found is not None and found.low is not None and found.high is not None:
            speeds.append(Line(name, "speed and 95 % interval", _bar(place, found.low, found.value, found.high)))
    panels = [Panel("Step, end to end", "", "ms", times, log=True, less=False, ticks=ticks)]
    if speeds:
        base = Line(result.baseline, "baseline", [(-0.4, 1.0), (len(names) - 0.6, 1.0)], "thin")
        panels.append(
            Panel(
                f"Speed against {result.baseline}", "", "x as fast", [base, *speeds], log=True, less=False, ticks=ticks
            )
        )
    implementations = {contestant.name: contestant.implementation for contestant in result.contestants}
    return Chart(f"Step times of {result.model}", panels, implementations)


def _bar(x: float, low: float, value: float, high: float) -> list[Point]:
    return [(x, low), (x, value), (x, high)]
