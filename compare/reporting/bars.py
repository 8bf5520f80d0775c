"""Bar charts for a report's page: a row for each measured item, with its interval and its value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from compare.reporting.axes import Axis, value_text
from compare.reporting.charts import WIDTH, drawn_in, framed

ROW = 22  # the height of a row, in the units of charts.WIDTH
TOP, BOTTOM, RIGHT = 22, 34, 14  # margins
OF_A_LETTER = 6.6  # the greatest width of a label's letters
MOST_LEFT = 230  # the greatest margin for labels


@dataclass(frozen=True)
class Bar:
    """One row: from `start` to `value`, with the `ends` of its interval. `name` is its owner, for its colour and the
    legend. `form` is how it is drawn: whole, pale, a dot, or as an improvement or a deterioration."""

    label: str
    value: float
    name: str
    ends: tuple[float, float] | None = None
    start: float = 0.0
    form: str = "whole"


@dataclass(frozen=True)
class BarPanel:
    """One axis with its rows; `log` says whether its scale is logarithmic, which excludes bars that start at 0."""

    title: str
    unit: str
    bars: Sequence[Bar]
    log: bool = False


@dataclass(frozen=True)
class BarChart:
    """Panels side by side, for each view by its title. `starts` is the number of the view that is shown first."""

    label: str
    views: Mapping[str, Sequence[BarPanel]]
    implementations: Mapping[str, str] = field(default_factory=dict)
    starts: int = 0

    def markup(self, anchor: str) -> str:
        """Return the chart as HTML; `anchor` is unique on the page. Return "" if there is no row."""
        names = list(dict.fromkeys(bar.name for of in self.views.values() for panel in of for bar in panel.bars))
        if not names:
            return ""
        styles = {name: drawn_in(name, number, self.implementations) for number, name in enumerate(names)}
        panels = [
            self._panel(panel, f"view v{number}", f"{panel.title}, {title}", names, styles)
            for number, (title, of) in enumerate(self.views.items())
            for panel in of
        ]
        return framed(self.label, anchor, styles if len(names) > 1 else {}, list(self.views), self.starts, panels)

    def _panel(
        self, panel: BarPanel, classes: str, label: str, names: list[str], styles: Mapping[str, tuple[str, str]]
    ) -> str:
        bars = panel.bars
        left = min(MOST_LEFT, 10 + OF_A_LETTER * max((len(bar.label) for bar in bars), default=0))
        values = [at for bar in bars for at in (bar.value, *(bar.ends or ()), *(() if panel.log else (bar.start,)))]
        across = Axis.over(values, left, WIDTH - RIGHT, panel.log and min(values, default=0) > 0, room=0.05)
        if not across.log and min(values, default=0) >= 0:
            across = Axis(0.0, across.high, across.start, across.end)
        height = TOP + ROW * len(bars) + BOTTOM
        parts = [
            f'<svg class="{classes}" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">',
            f'<text class="title" x="0" y="12">{escape(panel.title)}</text>',
        ]
        for x, text in across.ticks():
            parts.append(f'<path class="grid" d="M{across(x):.1f} {TOP}V{height - BOTTOM}"/>')
            parts.append(f'<text class="tick mid" x="{across(x):.1f}" y="{height - BOTTOM + 14}">{text}</text>')
        parts.append(f'<text class="tick end" x="{WIDTH - RIGHT}" y="{height - 4}">{escape(panel.unit)}</text>')
        for number, bar in enumerate(bars):
            group = f'<g class="l{names.index(bar.name)}" style="--c:{styles[bar.name][0]}">'
            parts += [group, _row(bar, panel.unit, across, TOP + ROW * number, left), "</g>"]
        return "".join([*parts, "</svg>"])


def _row(bar: Bar, unit: str, across: Axis, top: float, left: float) -> str:
    begin = across.start if across.log else across(bar.start)
    low, high = sorted((begin, across(bar.value)))
    middle = top + ROW / 2
    parts = [
        f'<g class="p"><rect class="hit" x="0" y="{top}" width="{WIDTH}" height="{ROW}"/>',
        f'<text class="tick end" x="{left - 6:.1f}" y="{middle + 4}">{escape(bar.label)}</text>',
    ]
    if bar.form == "dot":
        parts.append(f'<circle cx="{across(bar.value):.1f}" cy="{middle}" r="4"/>')
    else:
        parts.append(
            f'<rect class="bar {bar.form}" x="{low:.1f}" y="{top + 4}" width="{high - low:.1f}" height="{ROW - 8}"/>'
        )
    if bar.ends is not None:
        ends = [across(end) for end in bar.ends]
        caps = "".join(f"M{end:.1f} {middle - 4}v8" for end in ends)
        parts.append(f'<path class="whisker" d="M{ends[0]:.1f} {middle}H{ends[1]:.1f}{caps}"/>')
    change = f" from {value_text(bar.start)}" if bar.start else ""
    interval = f" [{value_text(bar.ends[0])}, {value_text(bar.ends[1])}]" if bar.ends else ""
    tip = escape(f"{bar.label}: {value_text(bar.value)}{f' {unit}' if unit else ''}{interval}{change}")
    return "".join([*parts, f'<text class="tip" x="4" y="{middle + 4}">{tip}</text></g>'])
