"""The picture of a bench of inference."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from compare.bench.inference import verdicts
from compare.bench.inference.record import InferenceResult
from compare.bench.statistics import Interval
from compare.reporting.plots import style_of
from shared.plurals import number_of

Found = Callable[[InferenceResult, str], Interval | None]


def picture(result: InferenceResult) -> Figure:
    """Draw, for each way to serve, the latency of the smallest batch, the images a second of the largest, the start and
    the memory. A dot is the median latency, a bar the 99th percentile; lines are 95 % intervals."""
    names = [name for name in result.names if verdicts.why_not_measured(result, name) is None]
    one, most = result.batch_sizes[0], result.batch_sizes[-1]
    figure = Figure(figsize=(12, 1.5 + 0.35 * max(1, len(names))), layout="constrained")
    latency, rate, start, memory = figure.subplots(1, 4, sharey=True)
    _dots(latency, result, names, lambda r, name: verdicts.latency(r, name, one), 1e3, "o")
    _dots(latency, result, names, lambda r, name: verdicts.slow_latency(r, name, one), 1e3, "|")
    latency.set_xscale("log")
    latency.set_xlabel(f"ms a call, {number_of(one, 'image')}\n(dot: median, bar: 99th percentile)")
    _dots(rate, result, names, lambda r, name: verdicts.throughput(r, name, most), 1.0, "o")
    rate.set_xlabel(f"images a second in batches of {most}")
    _dots(start, result, names, verdicts.start, 1.0, "o")
    start.set_xlabel("s to the first answer")
    _dots(memory, result, names, verdicts.memory, 1 / 2**20, "o")
    memory.set_xlabel("MiB, peak")
    latency.set_yticks(range(len(names)), names, fontsize=8)
    latency.set_ylim(len(names) - 0.5, -0.5)  # the first on top
    for axes in (latency, rate, start, memory):
        axes.grid(alpha=0.3)
        axes.xaxis.label.set_fontsize(8)
        axes.tick_params(axis="x", labelsize=7, which="both")
        if axes is not latency:
            axes.set_xlim(left=0)
    return figure


def _dots(axes: Axes, result: InferenceResult, names: list[str], of: Found, scale: float, marker: str) -> None:
    implementations = {served.name: served.implementation for served in result.served}
    for place, name in enumerate(names):
        if (found := of(result, name)) is None:
            continue
        colour = style_of(implementations[name]).get("color", "#555555")
        low, high = (found.value if end is None else end for end in (found.low, found.high))
        size = 10 if marker == "|" else 5
        axes.plot([found.value * scale], [place], marker, color=colour, markersize=size)
        axes.plot([low * scale, high * scale], [place, place], "-", color=colour, linewidth=1)
