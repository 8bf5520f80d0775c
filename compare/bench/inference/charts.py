"""The chart of a bench of inference."""

from collections.abc import Callable
from dataclasses import replace

from compare.bench.inference import verdicts
from compare.bench.inference.record import InferenceResult
from compare.bench.statistics import Interval
from compare.reporting.bars import Bar, BarChart, BarPanel
from shared.plurals import number_of

Found = Callable[[InferenceResult, str], Interval | None]


def serving(result: InferenceResult) -> BarChart:
    """Return the figures of each way to serve, with 95 % intervals: latency of the smallest batch, images a second of
    the largest, start and memory. They can be shown relative to the baseline, too."""
    names = [name for name in result.names if verdicts.why_not_measured(result, name) is None]
    implementations = {served.name: served.implementation for served in result.served}
    one, most = result.batch_sizes[0], result.batch_sizes[-1]
    images = number_of(one, "image")
    measures: list[tuple[str, str, float, Found]] = [
        (f"Latency of {images}, p50", "ms", 1e3, lambda r, name: verdicts.latency(r, name, one)),
        (f"Latency of {images}, p99", "ms", 1e3, lambda r, name: verdicts.slow_latency(r, name, one)),
        (f"Throughput in batches of {most}", "images/s", 1.0, lambda r, name: verdicts.throughput(r, name, most)),
        ("Start to the first answer", "s", 1.0, verdicts.start),
        ("Peak memory", "MiB", 1 / 2**20, verdicts.memory),
    ]
    panels, ratios = [], []
    for title, unit, scale, of in measures:
        found = {name: interval for name in names if (interval := of(result, name)) is not None}
        bars = [
            Bar(name, interval.value * scale, implementations[name], _ends(interval, scale), form="dot")
            for name, interval in found.items()
        ]
        if not bars:
            continue
        panels.append(BarPanel(title, unit, bars))
        base = next((bar for bar in bars if bar.label == result.baseline), bars[0])
        against = [replace(bar, value=bar.value / base.value, ends=None) for bar in bars]
        ratios.append(BarPanel(f"{title}, times {base.label}'s", "x", against, log=True))
    logs = [replace(panel, log=True) for panel in panels]
    views = {"linear": panels, "log scale": logs, f"times {result.baseline}'s": ratios} if panels else {}
    shown = {implementation: implementation for implementation in implementations.values()}
    return BarChart(f"Serving {result.model}", views, shown, starts=1)


def _ends(found: Interval, scale: float) -> tuple[float, float] | None:
    return None if found.low is None or found.high is None else (found.low * scale, found.high * scale)
