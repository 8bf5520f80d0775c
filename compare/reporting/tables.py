"""The table of a run, as text cells: the console and the report show the same ones."""

import math
import statistics
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from compare.analysis.figures import ACCURACY, KeyFigure
from compare.analysis.machines import OnMachine
from compare.analysis.rows import Row
from compare.analysis.seeds import Summary
from compare.reporting.screen import print_first, print_lines, table, width
from shared.task import TASKS

Cell = Callable[[Row], str]


def _cell(show: Callable[[Row], str], *needed: str) -> Cell:
    """Return a cell that shows a dash if a figure it needs is missing."""
    return lambda row: "-" if any(getattr(row, name) is None for name in needed) else show(row)


def _memory(row: Row) -> str:
    parts = []
    if row.peak_rss_bytes is not None:
        parts.append(f"{row.peak_rss_bytes / 2**20:,.0f} MiB")
    if row.peak_device_bytes is not None:
        parts.append(f"{row.peak_device_bytes / 2**20:,.0f} MiB on {row.device}")
    return " + ".join(parts) or "-"


# In order of importance: a narrow window shows the first of them.
CELLS: dict[str, Cell] = {
    "implementation": lambda row: row.implementation,
    "test accuracy": _cell(lambda row: f"{row.test_accuracy:.2%}", "test_accuracy"),
    "step, median": _cell(lambda row: f"{row.step_ms_median:.2f} ms", "step_ms_median"),
    "seed": lambda row: str(row.seed),
    "95 % interval": _cell(
        lambda row: f"{row.step_ms_ci_low:.2f} to {row.step_ms_ci_high:.2f} ms", "step_ms_ci_low", "step_ms_ci_high"
    ),
    "images/s": _cell(lambda row: f"{row.images_per_s:,.0f}", "images_per_s"),
    "parameters": _cell(lambda row: f"{row.n_params:,}", "n_params"),
    "test loss": _cell(lambda row: f"{row.test_loss:.4f}", "test_loss"),
    "first step": _cell(lambda row: f"{row.first_step_s:.2f} s", "first_step_s"),
    "training": _cell(lambda row: f"{row.train_s:.1f} s", "train_s"),
    "peak memory": _memory,
    "mode": lambda row: row.mode,
    "waiting": _cell(lambda row: row.waiting or "", "waiting"),
    "epochs": lambda row: str(row.epochs),
    "status": lambda row: row.status,
}


def columns(rows: Sequence[Row]) -> dict[str, Cell]:
    """Return the columns of the table of these rows: CELLS, with the metrics of their task."""
    task = TASKS[rows[0].task] if rows else ACCURACY.task
    if task.classifies:
        return CELLS
    first, *others = (_metric(KeyFigure(task, metric)) for metric in task.metrics)
    found: dict[str, Cell] = {}
    for heading, show in CELLS.items():
        if heading == "test accuracy":
            found |= first
        else:
            found[heading] = show
        if heading == "seed":
            for other in others:
                found |= other
    return found


def _metric(figure: KeyFigure) -> dict[str, Cell]:
    """Return the column of a metric, by its heading."""
    name = f"test_{figure.metric.name}"

    def show(row: Row) -> str:
        value = row.metrics.get(name)
        return "-" if value is None else figure.text_of(value)

    return {f"test {figure.metric.title}": show}


def _summary_cells(figure: KeyFigure) -> dict[str, Callable[[Summary], str]]:
    least, most = (0.0, 1.0) if figure.metric.share else (-math.inf, math.inf)
    deviation = (lambda value: f"{value * 100:.2f} points") if figure.metric.share else figure.text_of
    return {
        "implementation": lambda of: of.implementation,
        f"test {figure.metric.title}, mean": lambda of: figure.text_of(of.mean),
        "step, median": lambda of: "-" if of.step_s is None else f"{of.step_s * 1e3:.2f} ms",
        "seeds": lambda of: str(of.n),
        "95 % interval": lambda of: (
            "-"
            if of.low is None or of.high is None
            else f"{figure.text_of(max(least, of.low))} to {figure.text_of(min(most, of.high))}"
        ),
        "deviation": lambda of: "-" if of.deviation is None else deviation(of.deviation),
    }


MACHINE_CELLS: dict[str, Callable[[OnMachine], str]] = {
    "machine": lambda of: of.machine,
    "implementation": lambda of: of.implementation,
    "runs": lambda of: str(of.n),
    "step, median": lambda of: "-" if of.step_s is None else f"{of.step_s * 1e3:.2f} ms",
}
LEFT_ALIGNED = ("machine", "implementation", "mode", "waiting", "status")
MAX_COLUMNS = 4
MOST_PRINTED = 300


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of the table by row."""
    return [[show(row) for show in columns(rows).values()] for row in rows]


def summary_cells(
    summaries: Sequence[Summary], target: float | None, figure: KeyFigure = ACCURACY
) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the lines of the table over seeds; with the time until `target` if there is one."""
    cells_ = _summary_cells(figure)
    headings = [*cells_, *([] if target is None else [f"training until {target:.2%}"])]
    lines = [[show(summary) for show in cells_.values()] for summary in summaries]
    if target is not None:
        lines = [[*line, _reached(summary)] for line, summary in zip(lines, summaries, strict=True)]
    return headings, lines


def machine_cells(found: Sequence[OnMachine]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the lines of the table by kind of machine."""
    return list(MACHINE_CELLS), [[show(one) for show in MACHINE_CELLS.values()] for one in found]


def print_machines(found: Sequence[OnMachine], console: Console) -> None:
    """Print the table by kind of machine, if there is more than one."""
    if found:
        print_lines(console, *machine_cells(found), LEFT_ALIGNED, "By machine")


def _reached(summary: Summary) -> str:
    times, n = summary.reached_s, summary.n
    if not times:
        return f"never (0 of {n})"
    spread = f"{statistics.median(times):.1f} s" + (
        f" ({min(times):.1f} to {max(times):.1f})" if len(times) > 1 else ""
    )
    return spread if len(times) == n else f"{spread}, {len(times)} of {n}"


def print_summaries(
    summaries: Sequence[Summary], target: float | None, console: Console, figure: KeyFigure = ACCURACY
) -> None:
    """Print the table over seeds, with as many columns as fit."""
    print_first(console, *summary_cells(summaries, target, figure), LEFT_ALIGNED, "Over seeds")


def print_table(rows: Sequence[Row], title: str, console: Console) -> list[str]:
    """Print the table, and below it why any run failed or diverged.

    It has a line for each run. If that is wider than the terminal, few runs get a column each, and many runs only the
    columns that fit. Return the names of the others.
    """
    headings, lines = list(columns(rows)), cells(rows[:MOST_PRINTED])
    wide = width(console, table(headings, lines, LEFT_ALIGNED, title)).maximum > console.width
    if wide and len(rows) <= MAX_COLUMNS:
        turned = [list(line) for line in zip(headings, *lines, strict=True)]
        if width(console, table(turned[0], turned[1:], LEFT_ALIGNED, title)).maximum <= console.width:
            headings, *lines = turned
    left_out = print_first(console, headings, lines, LEFT_ALIGNED, title)
    if len(rows) > MOST_PRINTED:
        console.print(f"({len(rows) - MOST_PRINTED:,} more runs are in results.csv.)")
    failed = [row for row in rows if row.error]
    for row in failed[:MOST_PRINTED]:
        console.print(Text(f"{row.implementation}-seed{row.seed} {row.status}: {row.error}"))
    if len(failed) > MOST_PRINTED:
        console.print(f"({len(failed) - MOST_PRINTED:,} more did not end well.)")
    return left_out
