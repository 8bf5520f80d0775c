"""The speed waterfall: from the loop that users write first to the fastest candidate, one factor at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field, TypeAdapter

from compare.analysis.headline import Headline, stated
from compare.bench.report import why_ended
from compare.bench.result import BenchResult, Contestant
from compare.bench.statistics import Interval
from compare.bench.tuned import as_contestant
from compare.bench.verdicts import is_settled, ratio_between, step_time
from compare.folders.manifest import Manifest
from compare.registry import IMPLEMENTATIONS, Candidate
from compare.reporting import plots, waiting
from compare.reporting.bars import Bar, BarChart, BarPanel
from compare.reporting.html_page import Rendered, with_page
from compare.reporting.markdown import markdown_environment
from shared.choices import Device
from shared.record import Record

HEADINGS = ("factor", "step, end to end", "speed against the one before", "against the first")


@dataclass(frozen=True)
class SpeedStage:
    """A candidate, and the factor of the one that it is compared with (None for the first)."""

    candidate: Candidate
    before: str | None


class SpeedWaterfall(Record):
    """The bench of one implementation's stages."""

    result: BenchResult
    stages: tuple[SpeedStage, ...]

    @property
    def implementation(self) -> str:
        """The implementation of all stages."""
        return self.result.contestants[0].implementation


RECORD = "speed.json"
RECORDS: TypeAdapter[list[SpeedWaterfall]] = TypeAdapter(Annotated[list[SpeedWaterfall], Field(min_length=1)])


def stages(implementation: str, device: Device, threads: int) -> list[SpeedStage]:
    """Return the candidates in their order: each is compared with the last one that is not an alternative."""
    spec = IMPLEMENTATIONS[implementation]
    listed = (*spec.plain, *spec.candidates[device])
    found: list[SpeedStage] = []
    last: str | None = None
    for candidate in listed:
        if candidate.fewer_threads and threads == 1:
            continue
        found.append(SpeedStage(candidate, last))
        if not candidate.alternative:
            last = candidate.factor
    return found


def contestants(plain: Contestant, of: list[SpeedStage]) -> list[Contestant]:
    """Return the contestants of a waterfall, named by factor; `plain` sets the threads and images."""
    return [as_contestant(plain, stage.candidate) for stage in of]


def headline(waterfall: SpeedWaterfall) -> Headline:
    """Return the verdict: how much faster than the plain loop the fastest stage is, and what gained most."""
    result, first = waterfall.result, waterfall.stages[0].candidate.factor
    question = f"Speed of {waterfall.implementation}"
    after = [stage for stage in waterfall.stages if stage.before]
    whole = {stage.candidate.factor: ratio_between(result, stage.candidate.factor, first) for stage in after}
    known = {factor: found for factor, found in whole.items() if found is not None}
    if not known:
        return stated(question, f"no stage was measured together with {first}", False)
    fastest = max(known, key=lambda factor: known[factor].value)
    if known[fastest].value <= 1:
        return stated(question, f"no stage was faster than {first}", is_settled(known[fastest]))
    steps = {
        stage.candidate.factor: gained
        for stage in after
        if stage.before and (gained := ratio_between(result, stage.candidate.factor, stage.before)) is not None
    }
    most = max(steps, key=lambda factor: steps[factor].value)
    gain = f"The largest gain comes from {most} ({_ratio_text(steps[most])})"
    said = f"{fastest} is {_ratio_text(known[fastest])} as fast as {first}. {gain}"
    return stated(question, said, is_settled(known[fastest]))


def cells(waterfall: SpeedWaterfall) -> list[list[str]]:
    """Return the lines of the table."""
    result, of = waterfall.result, waterfall.stages
    first = of[0].candidate.factor
    lines = []
    for stage in of:
        factor = stage.candidate.factor
        time = step_time(result, factor)
        against = ratio_between(result, factor, stage.before) if stage.before else None
        whole = ratio_between(result, factor, first) if stage.before else None
        shown = "-" if time is None else f"{time.value * 1e3:.2f} ms"
        lines.append([_label(stage), shown, _ratio_text(against), _ratio_text(whole)])
    return lines


def _ratio_text(found: Interval | None) -> str:
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"{found.value:.2f}x"
    return f"{found.value:.2f}x [{found.low:.2f}, {found.high:.2f}]"


def render(done: Sequence[SpeedWaterfall], manifest: Manifest) -> Rendered:
    """Return the content of every file that is made from the records."""
    figure = picture(done)
    first = done[0].result
    text = (
        markdown_environment()
        .get_template("speed_waterfall.md.j2")
        .render(
            model=first.model,
            batch_size=first.contestants[0].batch_size,
            device=first.device,
            threads=first.contestants[0].threads,
            headings=HEADINGS,
            headlines=[headline(waterfall) for waterfall in done],
            tables={waterfall.implementation: cells(waterfall) for waterfall in done},
            why={waterfall.implementation: why_ended(waterfall.result) for waterfall in done},
            waiting=waiting.WORDS["system"],
            cpu=first.cpu,
            manifest=manifest,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            "plots/waterfall.png": plots.to_png(figure),
            "plots/waterfall.svg": plots.to_svg(figure),
        },
        {"plots/waterfall.png": chart(done).markup},
    )


def chart(done: Sequence[SpeedWaterfall]) -> BarChart:
    """Return the step times of every stage, and its speed against the first, as a chart for the page."""
    names = {waterfall.implementation: waterfall.implementation for waterfall in done}
    times, speeds = [], []
    for waterfall in done:
        result, name = waterfall.result, waterfall.implementation
        first = waterfall.stages[0].candidate.factor
        of_time, of_speed = [], []
        for stage in waterfall.stages:
            factor, form = stage.candidate.factor, "pale" if stage.candidate.alternative else "whole"
            if (time := step_time(result, factor)) is not None:
                of_time.append(Bar(_label(stage), time.value * 1e3, name, _ends(time, 1e3), form=form))
            if stage.before and (speed := ratio_between(result, factor, first)) is not None:
                of_speed.append(Bar(_label(stage), speed.value, name, _ends(speed, 1.0), form="dot"))
        times.append(BarPanel(f"{name}: step, end to end", "ms", of_time))
        speeds.append(BarPanel(f"{name}: speed against {first}", "x as fast", of_speed))
    logs = [replace(panel, log=True) for panel in speeds]
    return BarChart("Step time at every stage", {"step time": times, "speed": speeds, "speed, log scale": logs}, names)


def _label(stage: SpeedStage) -> str:
    return f"instead: {stage.candidate.factor}" if stage.candidate.alternative else stage.candidate.factor


def _ends(found: Interval, scale: float) -> tuple[float, float] | None:
    return None if found.low is None or found.high is None else (found.low * scale, found.high * scale)


def picture(done: Sequence[SpeedWaterfall]) -> Figure:
    """Draw step times from the plain loop down, a panel for each implementation; alternatives are hatched."""
    figure = Figure(figsize=(4.6 * len(done), 4.8), layout="constrained")
    panels = figure.subplots(1, len(done), squeeze=False)[0]
    for axes, waterfall in zip(panels, done, strict=True):
        result, of = waterfall.result, waterfall.stages
        for place, stage in enumerate(of):
            time = step_time(result, stage.candidate.factor)
            if time is None:
                continue
            low, high = (time.low or time.value), (time.high or time.value)
            axes.barh(
                -place,
                time.value * 1e3,
                color="#CCCCCC" if stage.candidate.alternative else "#0072B2",
                hatch="//" if stage.candidate.alternative else None,
                xerr=np.array([[time.value - low], [high - time.value]]) * 1e3,
            )
        names = [stage.candidate.factor for stage in of]
        axes.set_yticks([-place for place in range(len(of))], names, fontsize=8)
        axes.set_xlabel("ms a step, end to end")
        axes.set_title(waterfall.implementation)
        axes.grid(axis="x", alpha=0.3)
    return figure
