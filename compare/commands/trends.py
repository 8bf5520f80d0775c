"""Changes from each run of one kind to the next: charts and sentences, by the rules of `compare diff`."""

from collections.abc import Sequence
from dataclasses import dataclass

from compare.analysis.diff import Change, accuracy_noise, changes
from compare.analysis.figures import figure_of
from compare.commands.entries import Entry
from compare.reporting.charts import Chart, Line, Panel, Point
from compare.reporting.run_charts import learning_curves
from shared.errors import InputError
from shared.plurals import number_of
from shared.result import RunResult

MOST_RUNS = 20  # of a trend or of joint curves, the newest
MOST_NAMES = 12  # in a chart's legend
MOST_TICKS = 7
MARGIN = 0.003  # the same as for diff


@dataclass(frozen=True)
class Trend:
    """Runs of one network on one data set, oldest first, each against the oldest."""

    about: str
    entries: Sequence[Entry]
    found: Sequence[tuple[Entry, Change]]
    not_compared: Sequence[tuple[Entry, str]]


def groups(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the runs by their subject, oldest first."""
    by_about: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.manifest.started):
        if entry.side is not None and entry.side.done:
            by_about.setdefault(entry.about, []).append(entry)
    return {about: found[-MOST_RUNS:] for about, found in by_about.items()}


def trends(entries: Sequence[Entry]) -> list[Trend]:
    """Return a trend for each network with two or more runs on the same data and training."""
    found: list[Trend] = []
    for about, of_group in groups(entries).items():
        alike: dict[str, list[Entry]] = {}
        for entry in of_group:
            alike.setdefault(_training(entry), []).append(entry)
        found += [_trend(f"{about}, {_epochs(runs[0])}", runs) for runs in alike.values() if len(runs) > 1]
    return found


def _first(entry: Entry) -> RunResult:
    assert entry.side is not None
    return next(iter(entry.side.done.values()))


def _training(entry: Entry) -> str:
    """Return how a run was trained: everything that must be equal within a trend."""
    first = _first(entry)
    return f"{first.run.train.model_dump_json(exclude={'seed'})} {first.n_train} {first.n_test} {first.data_digest}"


def _epochs(entry: Entry) -> str:
    n = _first(entry).run.train.epochs
    return number_of(n, "epoch")


def _trend(about: str, entries: Sequence[Entry]) -> Trend:
    first, *others = entries
    found: list[tuple[Entry, Change]] = []
    not_compared = []
    for entry in others:
        assert first.side is not None
        assert entry.side is not None
        try:
            found += [(entry, change) for change in changes(first.side, entry.side, MARGIN)]
        except InputError as error:  # no run of the same implementation and seed
            not_compared.append((entry, str(error)))
    return Trend(about, entries, found, not_compared)


def chart(trend: Trend) -> Chart:
    """Return a chart of every run's figure, with diff's band of noise for accuracies. It includes the step time
    relative to the oldest run, with diff's intervals."""
    place = {id(entry): float(number) for number, entry in enumerate(trend.entries)}
    values: dict[str, list[Point]] = {}
    figure = figure_of([_first(trend.entries[0])])
    step: dict[str, list[Line]] = {}
    base = []
    for entry in trend.entries:
        for row in entry.rows:
            if row.value is not None:
                values.setdefault(row.name, []).append((place[id(entry)], figure.scale * row.value))
    for row in trend.entries[0].rows:
        if row.accuracy is not None:
            base.append(row.accuracy)
    for entry, change in trend.found:
        if change.what == "step time" and change.value is not None:
            step.setdefault(change.implementation, []).append(
                _interval(change, place[id(entry)], list(values).index(change.implementation))
            )
    names = list(values)[:MOST_NAMES]
    lines = [Line(name, "mean over seeds", values[name]) for name in names]
    ticks = _ticks(trend.entries)
    title, unit = f"Test {figure.metric.title}", "%" if figure.metric.share else ""
    panels = [Panel(title, "", unit, lines, less=False, ticks=ticks, band=_band(trend, base))]
    if step:
        oldest = Line(next(iter(step)), "oldest run", [(0.0, 1.0), (float(len(trend.entries) - 1), 1.0)], "thin")
        bars = [line for name in names for line in step.get(name, [])]
        panels.append(
            Panel("Step time against the oldest run", "", "x as long", [oldest, *bars], less=False, ticks=ticks)
        )
    return Chart(f"{trend.about}: trend over runs", panels, {name: name for name in names})


def _interval(change: Change, x: float, number: int) -> Line:
    """Return a bar from `low` to `high`; each implementation is a little to the side of the one before it."""
    assert change.value is not None
    at = x + 0.06 * number
    ys = [change.value] if change.low is None or change.high is None else [change.low, change.value, change.high]
    return Line(change.implementation, change.moved, [(at, y) for y in ys])


def _band(trend: Trend, base: Sequence[float]) -> list[tuple[float, float, float]]:
    if not base:
        return []
    mean = sum(base) / len(base)
    noise = accuracy_noise(mean, _first(trend.entries[0]).n_test, MARGIN)
    ends = (0.0, float(len(trend.entries) - 1))
    return [(x, 100 * (mean - noise), 100 * min(1.0, mean + noise)) for x in ends]


def _ticks(entries: Sequence[Entry]) -> list[tuple[float, str]]:
    every = -(-len(entries) // MOST_TICKS)
    return [
        (float(number), (entry.manifest.commit or entry.manifest.started[5:10])[:8] if number % every == 0 else "")
        for number, entry in enumerate(entries)
    ]


def joint_curves(entries: Sequence[Entry], name_of: dict[int, str]) -> dict[str, Chart]:
    """Draw the learning curves of each group's runs in one chart: the newest that fit, and their first seeds. `name_of`
    names a folder, by the identity of its entry."""
    found = {}
    for about, of_group in groups(entries).items():
        panels: list[Panel] = []
        n_names = 0
        for entry in reversed(of_group):
            assert entry.side is not None
            seed = min(seed for _, seed in entry.side.done)
            curves = learning_curves(
                [result for (_, of), result in entry.side.done.items() if of == seed], f"{name_of[id(entry)]}: ", False
            )
            if n_names + len(curves.names) > MOST_NAMES:
                break
            n_names += len(curves.names)
            panels = _together(panels, curves.panels)
        if panels:
            found[about] = Chart(f"{about}: learning curves of the first seeds", panels, {}, starts_log=True)
    return found


def _together(panels: Sequence[Panel], others: Sequence[Panel]) -> list[Panel]:
    """Return panels with the lines of both."""
    if not panels:
        return list(others)
    return [
        Panel(one.title, one.x, one.y, [*one.lines, *other.lines], log=one.log, less=one.less)
        for one, other in zip(panels, others, strict=True)
    ]
