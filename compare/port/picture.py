"""Draw both models side by side: aligned layers share a row, coloured by how far they are from each other."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from compare.port.record import FoundPair, PortRecord
from compare.port.words import size

ROW, BOX, WIDTH, GAP = 30, 22, 300, 90  # heights, and widths of a column and of the space between columns
ARCS = 70  # for the shortcuts beside a column
LEFT, RIGHT = ARCS, ARCS + WIDTH + GAP
LEVELS = ("within", "small", "large")  # classes of the page's style
LARGE = 1e-3
MOST_SHOWN = 34  # characters of a name


@dataclass(frozen=True)
class Row:
    """One row: an aligned pair, or a layer that only one side has."""

    left: str | None
    right: str | None
    pair: FoundPair | None

    @property
    def level(self) -> str:
        """The name of its colour."""
        if self.pair is None:
            return "alone"
        if self.pair.within:
            return LEVELS[0]
        return LEVELS[1] if self.pair.distance is not None and self.pair.distance < LARGE else LEVELS[2]


def rows(record: PortRecord) -> list[Row]:
    """Return every layer once, in the left model's order; a layer that only the right has follows its predecessor."""
    partners = {pair.left: pair for pair in record.pairs}
    paired = {pair.right for pair in record.pairs}
    rest = [layer.name for layer in record.layers["right"]]
    found: list[Row] = []
    for layer in record.layers["left"]:
        pair = partners.get(layer.name)
        if pair is not None and pair.right in rest:
            place = rest.index(pair.right)
            found += [Row(None, name, None) for name in rest[:place] if name not in paired]
            rest = [name for name in rest[:place] if name in paired] + rest[place + 1 :]
        found.append(Row(layer.name, pair.right if pair else None, pair))
    return found + [Row(None, name, None) for name in rest if name not in paired]


def drawing(record: PortRecord) -> str:
    """Return the drawing as SVG, in the colours of the page around it."""
    lines = rows(record)
    height = ROW * len(lines) + 40
    width = RIGHT + WIDTH + ARCS
    parts = [
        f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'role="group" aria-label="both models, layer by layer">',
        _heading(LEFT, record.left.name, record.left.framework),
        _heading(RIGHT, record.right.name, record.right.framework),
    ]
    for side, x in (("left", LEFT), ("right", RIGHT)):
        places = {getattr(row, side): number for number, row in enumerate(lines) if getattr(row, side)}
        layers = record.layers["left"] if side == "left" else record.layers["right"]
        for layer in layers:
            parts += [_edge(x, side, places[name], places[layer.name]) for name in layer.inputs if name in places]
    kinds = {side: {layer.name: layer.layer or layer.kind for layer in record.layers[side]} for side in record.layers}
    for number, row in enumerate(lines):
        parts.append(f'<a href="#row-{number}" id="row-{number}" class={quoteattr(row.level)}>')
        parts.append(f"<title>{escape(_values(row))}</title>")
        if row.pair is not None:
            y = _middle(number)
            parts.append(f'<path class="tie" d="M{LEFT + WIDTH} {y}H{RIGHT}"/>')
            said = "same" if row.pair.within else size(row.pair.distance)
            parts.append(f'<text class="far" x="{LEFT + WIDTH + GAP / 2}" y="{y - 4}">{escape(said)}</text>')
        if row.left is not None:
            parts.append(_box(LEFT, number, row.left, kinds["left"][row.left]))
        if row.right is not None:
            parts.append(_box(RIGHT, number, row.right, kinds["right"][row.right]))
        parts.append(_detail(number, row))
        parts.append("</a>")
    return "".join([*parts, "</svg>"])


def _middle(number: int) -> float:
    return 40 + ROW * number + BOX / 2


def _heading(x: int, name: str, framework: str) -> str:
    return f'<text class="side" x="{x}" y="22">{escape(name)} ({escape(framework)})</text>'


def _box(x: int, number: int, name: str, kind: str) -> str:
    y = 40 + ROW * number
    shown = name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 12]}...{name[-9:]}"
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{BOX}" rx="4"/>'
        f'<text x="{x + 8}" y="{y + 15}">{escape(shown)}</text>'
        f'<text class="kind" x="{x + WIDTH - 8}" y="{y + 15}">{escape(kind[:18])}</text>'
    )


def _edge(x: int, side: str, start: int, end: int) -> str:
    """Return the line from one layer to the next, or the arc to one farther on."""
    if end - start == 1:
        return f'<path class="edge" d="M{x + WIDTH / 2} {_middle(start) + BOX / 2}V{_middle(end) - BOX / 2}"/>'
    out = -1 if side == "left" else 1
    border = x if side == "left" else x + WIDTH
    reach = border + out * min(ARCS - 6, 12 + 8 * math.log2(max(2, abs(end - start))))
    a, b = _middle(start), _middle(end)
    return f'<path class="edge" d="M{border} {a}C{reach} {a} {reach} {b} {border} {b}"/>'


def _values(row: Row) -> str:
    if row.pair is None:
        return f"{row.left or row.right}: without a partner"
    pair = row.pair
    trained = "" if pair.training_distance is None else f", in training {size(pair.training_distance)}"
    far = f"differs by {size(pair.distance)} (may be {size(pair.bound)}){trained}"
    return f"{pair.left} / {pair.right}: {pair.kind}, {far}"


def _detail(number: int, row: Row) -> str:
    """Return the values of a row, which appear when it is clicked."""
    y = 40 + ROW * number
    return (
        f'<g class="detail"><rect x="{LEFT}" y="{y - 1}" width="{RIGHT + WIDTH - LEFT}" height="{BOX + 2}" rx="4"/>'
        f'<text x="{LEFT + 8}" y="{y + 15}">{escape(_values(row))}</text></g>'
    )
