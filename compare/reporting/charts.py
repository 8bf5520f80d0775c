"""Charts of a report's page: SVG made from records, which shows values under the pointer, without a script.

A reader chooses names, the scale or a baseline with checkboxes and radio buttons. Every view is in the page, and its
style (templates/page.css.j2) shows the chosen one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from math import ceil

from compare.registry import IMPLEMENTATIONS
from compare.reporting.axes import Axis, value_text

Point = tuple[float, float]
WIDTH, HEIGHT = 440, 280  # of a panel, in its own units; on a phone one of them is about 0.8 pixels
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 26, 40  # margins
MOST_POINTS = 6_000  # per chart: more are not visible, and a page of a hundred seeds has to open
MOST_TIPS = 600  # per panel
MOST_LINES = 12  # including thin ones; with a table of the values
MOST_BASELINES = 4
ROW, MOST_TICK_ROWS, OF_A_LETTER = 12, 3, 6.6  # for the names under an axis
MOST_ROWS = 100
WHOLE = ("epoch", "busy processes")  # axes of whole numbers
DASHES = {"-": "", "--": "7 4", ":": "2 3", "-.": "7 3 2 3"}
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#8a6d00", "#56B4E9", "#6f4bb8", "#777777")


@dataclass(frozen=True)
class Line:
    """One line. If `less` chooses a baseline, lines of the same `key` (such as "seed 0, test") are subtracted from each
    other. `form` is how it is drawn: with its points marked, thin without marks, or as points alone. `ends` are the
    intervals (low, high) of the points, if there are any."""

    name: str
    key: str
    points: Sequence[Point]
    form: str = "marked"
    ends: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    `log` says whether the view with a log scale includes this panel, `less` whether lines can be subtracted. `band` is
    (x, low, high) of a shaded area, and `ticks` is (x, text) of an axis of names.
    """

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    log: bool = False
    log_x: bool = False
    less: bool = True
    band: Sequence[tuple[float, float, float]] = ()
    ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Chart:
    """Panels side by side with one legend; `implementations` gives the implementation of each name, for its colour.
    `starts_log` chooses the view that is shown first."""

    label: str
    panels: Sequence[Panel]
    implementations: Mapping[str, str]
    starts_log: bool = False

    def markup(self, anchor: str) -> str:
        """Return the chart as HTML; `anchor` is unique on the page. Return "" if it has no points, or so many that a
        picture shows as much."""
        if not 0 < sum(len(line.points) for panel in self.panels for line in panel.lines) <= MOST_POINTS:
            return ""
        views = self._views()
        panels = [
            self._panel(
                panel, log, f"view v{number}", panel.title if panel.title.endswith(title) else f"{panel.title}, {title}"
            )
            for number, (title, of) in enumerate(views)
            for panel, log in of
        ]
        styles = {name: self.style_of(name) for name in self.names}
        titles = [title for title, _ in views]
        return framed(self.label, anchor, styles, titles, int(self.starts_log), panels, self._values())

    @property
    def names(self) -> list[str]:
        """The names of its lines, in their order."""
        return list(dict.fromkeys(line.name for panel in self.panels for line in panel.lines))

    def style_of(self, name: str) -> tuple[str, str]:
        """Return the colour of a name, and the pattern of its dashes ("" is a solid line)."""
        return drawn_in(name, self.names.index(name), self.implementations)

    def _views(self) -> list[tuple[str, list[tuple[Panel, bool]]]]:
        """Return each view: its title, and its panels with whether their scale is logarithmic."""
        views = [("linear", [(panel, False) for panel in self.panels])]
        if any(panel.log and _positive(panel) for panel in self.panels):
            views.append(("log scale", [(panel, panel.log and _positive(panel)) for panel in self.panels]))
        if all(panel.less for panel in self.panels) and len(self.names) > 1:
            for name in self.names[:MOST_BASELINES]:
                views.append((f"minus {name}", [(_less(panel, name), False) for panel in self.panels]))
        return views

    def _panel(self, panel: Panel, log: bool, classes: str, label: str) -> str:
        xs = [x for line in panel.lines for x, _ in line.points] + [x for x, _ in panel.ticks]
        ys = [y for line in panel.lines for _, y in line.points]
        ys += [y for _, *of in panel.band for y in of] + [y for line in panel.lines for of in line.ends for y in of]
        across = Axis.over(xs, LEFT, WIDTH - RIGHT, panel.log_x and min(xs, default=1) > 0, room=0.03)
        up = Axis.over(ys, HEIGHT - BOTTOM, TOP, log, room=0.06)
        parts = [
            f'<svg class="{classes}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
            f'<text class="title" x="{LEFT}" y="14">{escape(panel.title)}</text>',
            *_grid(panel, across, up),
        ]
        if panel.band:
            there = [f"{across(x):.1f} {up(high):.1f}" for x, _, high in panel.band]
            back = [f"{across(x):.1f} {up(low):.1f}" for x, low, _ in reversed(panel.band)]
            parts.append(f'<path class="band" d="M{"L".join([*there, *back])}Z"/>')
        marks: list[str] = []
        n_marked = sum(len(line.points) for line in panel.lines if line.form == "marked")
        for line in panel.lines:
            if not line.points:
                continue  # browsers report a path without a point as an error
            colour, dashes = self.style_of(line.name)
            group = f'<g class="l{self.names.index(line.name)}" style="--c:{colour}">'
            places = [(across(x), up(y)) for x, y in line.points]
            if line.form == "dots":
                dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
                parts.append(f'{group}<path class="dots" d="{dots}"/></g>')
                continue
            drawn = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            thin = " thin" if line.form == "thin" else ""
            parts.append(f'{group}<path class="line{thin}" stroke-dasharray="{dashes}" d="M{drawn}"/></g>')
            if line.ends:
                spans = zip(places, line.ends, strict=True)
                whiskers = "".join(
                    f"M{x - 3:.1f} {up(low):.1f}h6m-3 0V{up(high):.1f}m-3 0h6" for (x, _), (low, high) in spans
                )
                parts.append(f'{group}<path class="whisker" d="{whiskers}"/></g>')
            if line.form == "marked" and n_marked <= MOST_TIPS:
                tips = [_tip(line, place) for place in range(len(places))]
                marks += [group, *(_mark(*of) for of in zip(tips, places, strict=True)), "</g>"]
        return "".join([*parts, *marks, "</svg>"])

    def _values(self) -> list[str]:
        """Return the values of the marked lines as a folded table for each panel, for readers who cannot see them."""
        found = []
        for panel in self.panels:
            lines = [line for line in panel.lines if line.form == "marked"]
            rows = sorted({x for line in lines for x, _ in line.points})
            if panel.ticks or not 0 < len(lines) <= MOST_LINES or len(rows) > MOST_ROWS:
                continue
            heads = [panel.x, *(f"{line.name}, {line.key}" for line in lines)]
            found.append(f"<details><summary>Values: {escape(panel.title)}</summary>")
            found.append('<div class="table" role="region" tabindex="0" ')
            found.append(f'aria-label="{escape(self.label)}, values of {escape(panel.title)}"><table><thead><tr>')
            found += [f'<th scope="col">{escape(head)}</th>' for head in heads] + ["</tr></thead><tbody>"]
            known = [dict(line.points) for line in lines]
            for x in rows:
                cells = [value_text(of[x]) if x in of else "-" for of in known]
                found.append(f"<tr><td>{value_text(x)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
            found.append("</tbody></table></div></details>")
        return found


def framed(
    label: str,
    anchor: str,
    styles: Mapping[str, tuple[str, str]],
    views: Sequence[str],
    chosen: int,
    panels: Iterable[str],
    after: Iterable[str] = (),
) -> str:
    """Return the frame of a chart. It has the legend of `styles` (the colour and dashes of each name) with a checkbox
    each, and the choice of a view if there are several. The drawn panels follow, and then `after`."""
    parts = [f'<figure class="chart" role="group" aria-label="{escape(label)}"><div class="choices">']
    if styles:
        parts += ['<fieldset><legend class="sr">Lines</legend>', *_legend(styles), "</fieldset>"]
    if len(views) > 1:
        parts.append('<fieldset><legend class="sr">View</legend>')
        for number, title in enumerate(views):
            checked = " checked" if number == chosen else ""
            parts.append(
                f'<label><input type="radio" name="{anchor}" value="{number}"{checked}> {escape(title)}</label>'
            )
        parts.append("</fieldset>")
    return "".join([*parts, '</div><div class="panels">', *panels, "</div>", *after, "</figure>"])


def drawn_in(name: str, number: int, implementations: Mapping[str, str]) -> tuple[str, str]:
    """Return the colour of a name, the `number`th of a chart, and the pattern of its dashes ("" is a solid line)."""
    known = IMPLEMENTATIONS.get(implementations.get(name, name))
    if known is not None and known.style is not None:
        return known.style.color, _dashes(known.style.linestyle)
    return COLOURS[number % len(COLOURS)], ""


def _legend(styles: Mapping[str, tuple[str, str]]) -> list[str]:
    found = []
    for number, (name, (colour, dashes)) in enumerate(styles.items()):
        swatch = (
            f'<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true" style="--c:{colour}">'
            f'<path class="line" d="M1 4H25" stroke-dasharray="{dashes}"/></svg>'
        )
        found.append(f'<label><input type="checkbox" checked data-line="{number}">{swatch}{escape(name)}</label>')
    return found


def _tip(line: Line, place: int) -> str:
    x, y = line.points[place]
    interval = f" [{value_text(line.ends[place][0])}, {value_text(line.ends[place][1])}]" if line.ends else ""
    return escape(f"{line.name}, {line.key}: {value_text(y)}{interval} at {value_text(x)}")


def _mark(tip: str, place: Point) -> str:
    across, up = place
    return (
        f'<g class="p"><circle class="hit" cx="{across:.1f}" cy="{up:.1f}" r="9"/>'
        f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3"/>'
        f'<text class="tip" x="{LEFT + 6}" y="{TOP + 12}">{tip}</text></g>'
    )


def _grid(panel: Panel, across: Axis, up: Axis) -> list[str]:
    """Return the ticks of both axes with their lines, and the axes' labels."""
    parts = []
    for y, text in up.ticks():
        parts.append(f'<path class="grid" d="M{LEFT} {up(y):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 6}" y="{up(y) + 4:.1f}">{text}</text>')
    n_rows = _rows_of(panel, across)
    for number, (x, text) in enumerate(panel.ticks or across.ticks(whole=panel.x in WHOLE)):
        y = HEIGHT - BOTTOM + 15 + ROW * (number % n_rows)
        parts.append(f'<path class="grid" d="M{across(x):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text class="tick mid" x="{across(x):.1f}" y="{y}">{escape(text)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="tick mid" x="{middle}" y="{HEIGHT - 6}">{escape(panel.x)}</text>')
    parts.append(f'<text class="tick end" x="{WIDTH - RIGHT}" y="14">{escape(panel.y)}</text>')
    return parts


def _rows_of(panel: Panel, across: Axis) -> int:
    """Return the number of rows that keep an axis's names from overlapping. An axis with a title has one."""
    places = sorted(across(x) for x, _ in panel.ticks)
    if panel.x or len(places) < 2:
        return 1
    nearest = min(after - before for before, after in pairwise(places))
    widest = OF_A_LETTER * max(len(text) for _, text in panel.ticks)
    return max(1, min(MOST_TICK_ROWS, ceil(widest / nearest)))


def _dashes(linestyle: str | tuple[float, tuple[float, ...]]) -> str:
    """Return Matplotlib's style of a line, by name or as (offset, lengths), as SVG's stroke-dasharray."""
    if isinstance(linestyle, str):
        return DASHES.get(linestyle, "")
    return " ".join(f"{2 * length:g}" for length in linestyle[1])


def _positive(panel: Panel) -> bool:
    values = [y for line in panel.lines for _, y in line.points] + [low for _, low, _ in panel.band]
    values += [low for line in panel.lines for low, _ in line.ends]
    return bool(values) and min(values) > 0


def _less(panel: Panel, name: str) -> Panel:
    """Subtract from every line the line of `name` with the same key, at the points that both have."""
    base = {line.key: dict(line.points) for line in panel.lines if line.name == name}
    lines = [
        replace(line, points=[(x, y - base[line.key][x]) for x, y in line.points if x in base[line.key]], ends=())
        for line in panel.lines
        if line.key in base
    ]
    return replace(panel, title=f"{panel.title} minus {name}", lines=lines, band=())
