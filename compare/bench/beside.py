"""Step times beside busy processes: how much each contestant is slowed down, and which one is the faster there."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field, model_validator

from compare.analysis.headline import Headline, stated
from compare.bench.entry import Entry
from compare.bench.launcher import Launcher
from compare.bench.report import why_ended
from compare.bench.result import BenchResult, Contestant
from compare.bench.shape import Shape
from compare.bench.statistics import Interval, ratio
from compare.bench.tables import milliseconds
from compare.bench.verdicts import is_settled, names, ratio_to_baseline, say, step_time, warnings
from compare.folders.manifest import Manifest
from compare.processes.busy import busy
from compare.reporting import plots, waiting
from compare.reporting.charts import Chart, Line, Panel
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment
from compare.reporting.plots import mark_of, style_of
from shared.record import Count, Record

RECORD = "beside.json"
HEADINGS = ("busy processes", "contestant", "step, end to end", "as long as alone", "speed")
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
CYCLES = 2  # through all levels per launch, in random order, to spread a slow minute over levels
LEAST_OF_A_BLOCK = 2  # rounds


class BesideResult(Record):
    """A bench beside several numbers of busy processes. Each window of `result` says how many there were."""

    levels: Annotated[tuple[Count, ...], Field(min_length=2, max_length=256)]
    result: BenchResult

    @model_validator(mode="after")
    def _of_its_levels(self) -> "BesideResult":
        found = {
            w.beside
            for launch in self.result.launches
            for measured in launch.measured.values()
            for w in measured.windows
        }
        if self.levels[0] != 0 or list(self.levels) != sorted(set(self.levels)) or not found <= set(self.levels):
            raise ValueError("its levels do not rise from 0, or are not those of its windows")
        return self

    def at(self, level: int) -> BenchResult:
        """Return the bench beside `level` busy processes alone, without what was timed at other levels."""
        launches = []
        for launch in self.result.launches:
            measured = {
                name: one.model_copy(update={"windows": tuple(w for w in one.windows if w.beside == level)})
                for name, one in launch.measured.items()
            }
            launches.append(launch.model_copy(update={"measured": measured}))
        return self.result.model_copy(update={"launches": tuple(launches)})


class BesideLauncher(Launcher):
    """Launches whose rounds go through all levels, each of which is a number of busy processes."""

    levels: tuple[int, ...] = (0,)
    compute_every = 0

    def _rounds(self, entries: list[Entry], launch: int, shape: Shape, failed: dict[str, str]) -> None:
        block_s = self.rounds_s / (CYCLES * len(self.levels))
        number = 0
        for cycle in range(CYCLES):
            if launch == 0 and cycle and self.clock() > self.budget_s:
                break
            for place in self._random.permutation(len(self.levels)):
                number = self._block(entries, self.levels[place], block_s, number, shape.steps, failed)
        for entry in entries:
            entry.beside = 0

    def _block(
        self, entries: list[Entry], level: int, block_s: float, first: int, steps: int, failed: dict[str, str]
    ) -> int:
        """Run rounds beside `level` busy processes for `block_s` seconds, at least two. Return the next number."""
        number = first
        with busy(level):
            begin = time.monotonic()
            while number < first + LEAST_OF_A_BLOCK or time.monotonic() - begin < block_s:
                for entry in entries:
                    entry.beside = level
                self._round(entries, number, steps, failed)
                number += 1
        return number


def slowdown(beside: BesideResult, name: str, level: int) -> Interval | None:
    """Return the ratio of a step's time beside `level` busy processes to its time beside none; None if it was not
    measured at both."""
    alone, there = (beside.at(at).samples(name, "end_to_end") for at in (0, level))
    pairs = [pair for pair in zip(alone, there, strict=True) if all(pair)]
    if not pairs:
        return None
    cut = [tuple(times[: min(map(len, pair))] for times in pair) for pair in pairs]
    return ratio([one for one, _ in cut], [other for _, other in cut])


def precise(beside: BesideResult) -> bool:
    """Return whether every slowdown, and every ratio at every level, is precise enough."""
    result = beside.result
    others = [name for name in names(result) if name != result.baseline]
    found = [slowdown(beside, name, level) for name in names(result) for level in beside.levels[1:]]
    found += [ratio_to_baseline(beside.at(level), name) for name in others for level in beside.levels]
    known = [one for one in found if one]
    return bool(known) and all(one.half_width <= result.precision for one in known)


def headlines(beside: BesideResult) -> list[Headline]:
    """Return the verdict: how much each is slowed down at each level, and which is faster there."""
    others = [name for name in names(beside.result) if name != beside.result.baseline]
    lines = []
    for level in beside.levels[1:]:
        found = {name: slowdown(beside, name, level) for name in names(beside.result)}
        slower = ", ".join(f"{name} {ratio_text(one)}" for name, one in found.items())
        known = all(one is not None and one.low is not None for one in found.values())
        lines.append(stated(f"A step beside {in_words(level)}", f"{slower} as long as alone", known))
    for level in beside.levels:
        at = beside.at(level)
        lines += [
            stated(f"Speed beside {in_words(level)}", say(at, name), is_settled(ratio_to_baseline(at, name)))
            for name in others
        ]
    return lines


def verdicts(beside: BesideResult) -> list[str]:
    """Return the verdict in sentences."""
    return [line.sentence for line in headlines(beside)]


def in_words(level: int) -> str:
    """Return a level in words: 2 -> two busy processes."""
    number = WORDS[level] if level < len(WORDS) else str(level)
    return f"{number} busy process{'es' * (level != 1)}"


def ratio_text(found: Interval | None) -> str:
    """Return a ratio as text, with its interval if it has one."""
    if found is None:
        return "(not measured)"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}x"
    return f"{found.value:.2f}x [{found.low:.2f}, {found.high:.2f}]"


def cells(beside: BesideResult) -> list[list[str]]:
    """Return the lines of the table: a level, a contestant, and its figures there."""
    return [_line(beside, level, contestant) for level in beside.levels for contestant in beside.result.contestants]


def _line(beside: BesideResult, level: int, contestant: Contestant) -> list[str]:
    result, name = beside.at(level), contestant.name
    step = step_time(result, name)
    if step is None:
        return [str(level), name, "-", "-", "-"]
    speed = "1 (baseline)" if name == result.baseline else ratio_text(ratio_to_baseline(result, name))
    return [
        str(level),
        name,
        milliseconds(step),
        "1" if level == 0 else ratio_text(slowdown(beside, name, level)),
        speed,
    ]


def notes(beside: BesideResult) -> list[str]:
    """Return the warnings; the foreign load at other levels is intended."""
    return warnings(beside.at(0))


def render(beside: BesideResult, manifest: Manifest) -> Rendered:
    """Return the content of every file that is made from the record."""
    figure, result = picture(beside), beside.result
    text = (
        markdown_environment()
        .get_template("beside.md.j2")
        .render(
            result=result,
            headlines=headlines(beside),
            warnings=notes(beside),
            ended=why_ended(result),
            headings=HEADINGS,
            lines=cells(beside),
            cycles=CYCLES,
            waiting=waiting.sentence(contestant.waiting for contestant in result.contestants),
            threads=result.contestants[0].threads,
            batch_size=result.contestants[0].batch_size,
            cores=max((e.cores for e in result.environments.values()), default=None),
            manifest=manifest,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            "plots/beside.png": plots.to_png(figure),
            "plots/beside.svg": plots.to_svg(figure),
        },
        {"plots/beside.png": chart(beside).markup},
    )


def chart(beside: BesideResult) -> Chart:
    """Return what `picture` shows as a chart for the page."""
    times: list[Line] = []
    slower: list[Line] = []
    for contestant in beside.result.contestants:
        name = contestant.name
        steps = {level: step_time(beside.at(level), name) for level in beside.levels}
        alone: dict[int, Interval | None] = {0: Interval(1.0)} if steps[0] else {}
        ratios = alone | {level: slowdown(beside, name, level) for level in beside.levels[1:]}
        times.append(_line_of(name, "step", steps, 1e3))
        slower.append(_line_of(name, "as long as alone", ratios, 1.0))
    panels = [
        Panel("Step, end to end", "busy processes", "ms", times, log=True),
        Panel("A step, times as long as alone", "busy processes", "", slower, log=True),
    ]
    implementations = {one.name: one.implementation for one in beside.result.contestants}
    return Chart(f"Step times of {beside.result.model} beside busy processes", panels, implementations)


def _line_of(name: str, key: str, found: Mapping[int, Interval | None], scale: float) -> Line:
    known = {level: one for level, one in found.items() if one is not None}
    points = [(float(level), one.value * scale) for level, one in known.items()]
    ends = [tuple(scale * (one.value if end is None else end) for end in (one.low, one.high)) for one in known.values()]
    return Line(name, key, points, ends=[(low, high) for low, high in ends])


def picture(beside: BesideResult) -> Figure:
    """Draw the time of a step, and its ratio to that without busy processes, against the number of busy processes."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for contestant in beside.result.contestants:
        style, mark = style_of(contestant.implementation), mark_of(contestant.implementation)
        times = {level: step_time(beside.at(level), contestant.name) for level in beside.levels}
        alone: dict[int, Interval | None] = {0: Interval(1.0)} if times[0] else {}
        slower = alone | {level: slowdown(beside, contestant.name, level) for level in beside.levels[1:]}
        for axes, points, scale in ((left, times, 1e3), (right, slower, 1.0)):
            known = {level: one for level, one in points.items() if one is not None}
            middle, low, high = (
                np.array([getattr(one, end) or one.value for one in known.values()]) * scale
                for end in ("value", "low", "high")
            )
            around = [middle - low, high - middle]
            axes.errorbar(list(known), middle, around, marker=mark, capsize=3, label=contestant.name, **style)
    for axes, what in ((left, "ms a step, end to end"), (right, "times as long as alone")):
        axes.set_xticks(beside.levels)
        axes.set_xlabel("busy processes")
        axes.set_ylabel(what)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    left.legend(fontsize=8)
    return figure


def levels_of(asked: Sequence[int]) -> tuple[int, ...]:
    """Return the levels in rising order."""
    return tuple(sorted(asked))
