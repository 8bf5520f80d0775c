"""Step time, throughput and memory over batch size and threads, from one bench for each pair of them."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from compare.bench import tables
from compare.bench.result import BenchResult
from compare.bench.verdicts import step_time
from compare.plots import STYLES

COLUMNS = ("speed", "step, end to end", "step, compute only", "images/s", "achieved", "peak memory")
HEADINGS = ("threads", "batch size", "contestant", *COLUMNS)


def cells(results: Sequence[BenchResult]) -> list[list[str]]:
    """The lines of the table: threads, batch size and contestant, and its figures there."""
    return [
        [str(c.threads), str(c.batch_size), c.name, *(tables.CELLS[column](result, c) for column in COLUMNS)]
        for result in results
        for c in result.contestants
    ]


def picture(results: Sequence[BenchResult]) -> Figure:
    """Images a second against the batch size, with intervals where there are any: a line for each contestant and number
    of threads."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    threads = sorted({c.threads for result in results for c in result.contestants})
    for name, implementation in {c.name: c.implementation for c in results[0].contestants}.items():
        for number, n_threads in enumerate(threads):
            points = []
            for result in results:
                of_name = next(c for c in result.contestants if c.name == name)
                time = step_time(result, name)
                if of_name.threads == n_threads and time is not None:
                    low, high = time.low or time.value, time.high or time.value
                    points.append([of_name.batch_size, *(of_name.batch_size / t for t in (time.value, low, high))])
            if not points:  # it failed everywhere
                continue
            at, middle, fast, slow = zip(*sorted(points), strict=True)
            style: dict[str, Any] = dict(STYLES.get(implementation, {}))
            label = f"{name}, {n_threads} threads" if n_threads > 1 else f"{name}, 1 thread"
            axes.plot(at, middle, marker="o^sD"[number % 4], label=label, **style)
            axes.fill_between(at, slow, fast, alpha=0.15, lw=0, color=style.get("color"))
    axes.set_xscale("log", base=2)
    sizes = sorted({c.batch_size for result in results for c in result.contestants})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel("batch size")
    axes.set_ylabel("images/s, end to end")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
