"""Step time, throughput and memory over batch size and threads, from one bench for each pair of them."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from matplotlib.figure import Figure
from pydantic import Field, TypeAdapter

from compare.analysis.headline import NOT_CHECKED_BY_BENCH, Headline, stated
from compare.bench import statistics, tables
from compare.bench.result import BenchResult, Contestant
from compare.bench.verdicts import is_settled, ratio_to_baseline, step_time, warnings
from compare.folders.manifest import Manifest
from compare.reporting import plots, waiting
from compare.reporting.charts import Chart, Line, Panel
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment
from compare.reporting.plots import style_of
from shared.plurals import number_of

COLUMNS = ("speed", "step, end to end", "step, compute only", "images/s", "achieved", "peak memory")
Span = tuple[float, float, float]  # a value, and its interval's ends
HEADINGS = ("threads", "batch size", "contestant", *COLUMNS)


RECORD = "scaling.json"
RECORDS: TypeAdapter[list[BenchResult]] = TypeAdapter(Annotated[list[BenchResult], Field(min_length=1)])
LEAST_OF_A_POINT = 2  # launches per pair, because there are many pairs


def render(results: Sequence[BenchResult], manifest: Manifest) -> Rendered:
    """Return the content of every file that is made from the records."""
    figure = picture(results)
    first = results[0]
    text = (
        markdown_environment()
        .get_template("scaling.md.j2")
        .render(
            model=first.model,
            least=LEAST_OF_A_POINT,
            least_for_interval=statistics.LEAST_FOR_INTERVAL,
            baseline=first.baseline,
            conditions=f"On the device {first.device}, {first.dataset}.",
            waiting=waiting.sentence(contestant.waiting for contestant in first.contestants),
            headings=HEADINGS,
            lines=cells(results),
            headlines=headlines(results),
            warnings=warnings_once(results),
            cpu=first.cpu,
            manifest=manifest,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            "plots/scaling.png": plots.to_png(figure),
            "plots/scaling.svg": plots.to_svg(figure),
        },
        {"plots/scaling.png": chart(results).markup},
    )


def headlines(results: Sequence[BenchResult]) -> list[Headline]:
    """Return the verdict: the lowest and the highest speed of each contestant against the baseline, and where. It is
    settled if the same one is the faster at every point."""
    baseline = results[0].baseline
    found = [Headline("Same function", NOT_CHECKED_BY_BENCH, "open")]
    for name in dict.fromkeys(c.name for result in results for c in result.contestants):
        ratios = [(ratio, result) for result in results if (ratio := ratio_to_baseline(result, name))]
        if name == baseline or not ratios:
            continue
        (least, at_least), (most, at_most) = (end(ratios, key=lambda one: one[0].value) for end in (min, max))
        known = all(is_settled(ratio) for ratio, _ in ratios) and (least.value > 1) == (most.value > 1)
        said = (
            f"{name} is from {least.value:.2f}x ({_point(at_least)}) to {most.value:.2f}x ({_point(at_most)}) as fast "
            f"as {baseline}"
        )
        found.append(stated("Speed", said, known))
    return found if len(found) > 1 else [_alone(results)]


def _alone(results: Sequence[BenchResult]) -> Headline:
    """Return the headline if there is nothing to compare."""
    name = results[0].baseline
    times = [time.value for result in results if (time := step_time(result, name))]
    if not times:
        return stated("Speed", f"{name} was not measured", False)
    return stated("Speed", f"{name} takes from {min(times) * 1e3:.2f} to {max(times) * 1e3:.2f} ms a step", True)


def _point(result: BenchResult) -> str:
    one = result.contestants[0]
    return f"batches of {one.batch_size}, {number_of(one.threads, 'thread')}"


def warnings_once(results: Sequence[BenchResult]) -> list[str]:
    """Return each warning once. Of several that differ only by numbers, return the largest, and their count."""
    found: dict[str, list[str]] = {}
    for result in results:
        for text in warnings(result):
            found.setdefault(re.sub(r"\d+", "#", text), []).append(text)
    worst = {max(texts, key=lambda text: [int(n) for n in re.findall(r"\d+", text)]): texts for texts in found.values()}
    return [f"{text}{f' This holds at {len(texts)} points.' * (len(texts) > 1)}" for text, texts in worst.items()]


def chart(results: Sequence[BenchResult]) -> Chart:
    """Return what `picture` shows as a chart for the page."""
    threads = sorted({c.threads for result in results for c in result.contestants})
    sizes = sorted({c.batch_size for result in results for c in result.contestants})
    ticks = [(float(size), str(size)) for size in sizes]
    several = len(threads) > 1
    panels = []
    for what, of_point in PANELS.items():
        lines = []
        for contestant in results[0].contestants:
            for n in threads:
                name = f"{contestant.name}, {number_of(n, 'thread')}" if several else contestant.name
                points = _points(results, contestant.name, n, of_point)
                if points:
                    ends = [(low, high) for _, _, low, high in points]
                    lines.append(Line(name, "measured", [(at, middle) for at, middle, *_ in points], ends=ends))
        title, _, unit = what.rpartition(", ")
        panels.append(Panel(title, "batch size", unit, lines, log=True, log_x=True, ticks=ticks))
    # With several numbers of threads each line has a colour of its own.
    implementations = {} if several else {c.name: c.implementation for c in results[0].contestants}
    return Chart(f"{results[0].model} over batch sizes and threads", panels, implementations)


def cells(results: Sequence[BenchResult]) -> list[list[str]]:
    """Return the lines of the table: threads, batch size and contestant, and its figures there."""
    return [
        [str(c.threads), str(c.batch_size), c.name, *(tables.CELLS[column](result, c) for column in COLUMNS)]
        for result in results
        for c in result.contestants
    ]


def picture(results: Sequence[BenchResult]) -> Figure:
    """Draw images a second, the time of a step and peak memory against the batch size, with intervals if there are any.
    Each contestant and number of threads is a line."""
    figure = Figure(figsize=(14, 4.5), layout="constrained")
    panels = figure.subplots(1, len(PANELS))
    threads = sorted({c.threads for result in results for c in result.contestants})
    for axes, (what, of_point) in zip(panels, PANELS.items(), strict=True):
        for name, implementation in {c.name: c.implementation for c in results[0].contestants}.items():
            for number, n_threads in enumerate(threads):
                points = _points(results, name, n_threads, of_point)
                if not points:  # it failed at every point
                    continue
                at, middle, low, high = zip(*points, strict=True)
                style: dict[str, Any] = style_of(implementation)
                label = f"{name}, {number_of(n_threads, 'thread')}"
                axes.plot(at, middle, marker="o^sD"[number % 4], label=label, **style)
                axes.fill_between(at, low, high, alpha=0.15, lw=0, color=style.get("color"))
        axes.set_xscale("log", base=2)
        sizes = sorted({c.batch_size for result in results for c in result.contestants})
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_xlabel("batch size")
        axes.set_ylabel(what)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    return figure


def _points(
    results: Sequence[BenchResult], name: str, threads: int, of_point: Callable[[BenchResult, Contestant], Span | None]
) -> list[tuple[float, ...]]:
    """Return the batch size, the value and its interval's ends at every point that was measured."""
    points = []
    for result in results:
        contestant = next(c for c in result.contestants if c.name == name)
        if contestant.threads == threads and (span := of_point(result, contestant)) is not None:
            points.append((float(contestant.batch_size), *span))
    return sorted(points)


def _images_per_s(result: BenchResult, contestant: Contestant) -> Span | None:
    span = _step_ms(result, contestant)
    if span is None:
        return None
    middle, fast, slow = (contestant.batch_size / ms * 1e3 for ms in span)
    return middle, slow, fast


def _step_ms(result: BenchResult, contestant: Contestant) -> Span | None:
    time = step_time(result, contestant.name)
    if time is None:
        return None
    return time.value * 1e3, (time.low or time.value) * 1e3, (time.high or time.value) * 1e3


def _memory_mib(result: BenchResult, contestant: Contestant) -> Span | None:
    measured = [launch.measured[contestant.name] for launch in result.launches if contestant.name in launch.measured]
    peaks = [m.peak_rss_bytes / 2**20 for m in measured if m.peak_rss_bytes is not None]
    return (max(peaks), min(peaks), max(peaks)) if peaks else None


PANELS: dict[str, Callable[[BenchResult, Contestant], Span | None]] = {
    "Throughput, end to end, images/s": _images_per_s,
    "Step, end to end, ms": _step_ms,
    "Peak memory of the host, MiB": _memory_mib,
}
