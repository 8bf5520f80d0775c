"""Print a command's results: tables and sentences at a terminal, plain text elsewhere, JSON for machines."""

import json
import re
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from compare.analysis.headline import Headline, State
from compare.reporting.opening import opening
from shared.storage import mounts


def printable(text: str) -> str:
    """Make text safe for a terminal: names from elsewhere may steer it, or forge a line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` columns that end between words.

    A longer word (a path, a web address) has its own unbroken line, and can therefore be copied. Later lines start two
    columns further in than the first. Spaces within a line stay: columns of a list are aligned with them.
    """
    indent = text[: len(text) - len(text.lstrip())]
    lines, line = [], ""
    for gap, word in re.findall(r"(\s*)(\S+)", text):
        if line.strip() and cell_len(line) + cell_len(gap + word) > width:
            lines.append(line)
            line = f"{indent}  {word}"
        else:
            line += gap + word
    return [*lines, line]


@dataclass(frozen=True)
class Screen:
    """The output of a command. With `as_json` standard output is one JSON object and nothing else. `quiet` leaves out
    everything but that, and errors. Progress goes to standard error."""

    as_json: bool = False
    quiet: bool = False

    def console(self, width: int = 200) -> Console:
        """Return a console for standard output; `width` is for output that no window limits."""
        opening.cancel()
        silent = self.as_json or self.quiet
        return Console(
            width=None if sys.stdout.isatty() else width, markup=False, emoji=False, highlight=False, quiet=silent
        )

    def say(self, text: str) -> None:
        """Print a sentence on standard output: at a terminal its lines end between words, elsewhere it is one line."""
        console, line = self.console(), printable(mounts.with_addresses(text))
        for part in wrapped(line, console.width) if sys.stdout.isatty() else [line]:
            console.print(part, soft_wrap=True)

    def headlines(self, lines: Sequence[Headline]) -> None:
        """Print the verdict, in colour at a terminal that has any; lines are wrapped as in `say`."""
        console = self.console()
        for line in lines:
            text = printable(mounts.with_addresses(line.text))
            coloured = len(text) - len(printable(mounts.with_addresses(line.answer)))
            for number, part in enumerate(wrapped(text, console.width) if sys.stdout.isatty() else [text]):
                shown = Text(part)
                if not number:
                    shown.stylize(COLOURS[line.state], 0, coloured)
                console.print(shown, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a progress message on standard error; lines are wrapped as in `say`."""
        if not self.quiet:
            opening.say()
            line = printable(mounts.with_addresses(text))
            at_terminal = sys.stderr.isatty()
            parts = wrapped(line, Console(file=sys.stderr).width) if at_terminal else [line]
            print("\n".join(parts), file=sys.stderr)

    def say_left_out(self, columns: Sequence[str], where: str = "The report") -> None:
        """Print which columns of a table did not fit, if any, and where they can be found."""
        if columns:
            self.say(f"Left out for lack of room: {', '.join(columns)}. {where} has them.")

    def open(self, text: str) -> None:
        """Announce what a command is about to do (compare/reporting/opening.py)."""
        if not self.quiet:
            opening.announce(f"compare: {mounts.with_addresses(text)} ...")

    def answer(self, **fields: Any) -> None:
        """Print the results as JSON if that is asked for. No number in it is NaN or infinite."""
        if self.as_json:
            print(json.dumps(fields, indent=1, allow_nan=False, default=mounts.with_addresses))


PLAIN = Screen()


COLOURS: dict[State, str] = {"yes": "bold green", "no": "bold red", "open": "bold yellow"}
NARROWEST_FOLDED = 20  # characters of a column whose sentences fold over several lines


def table(
    headings: list[str],
    lines: list[list[str]],
    left_aligned: tuple[str, ...],
    title: str = "",
    folded: tuple[str, ...] = (),
) -> Table:
    """Return a table of text cells; those of the columns `folded` span several lines if there is too little room."""
    made = Table(
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for number, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if heading in left_aligned else "right"
        widest = max(cell_len(cell) for cell in (heading, *(line[number] for line in lines)))
        if heading in folded:
            made.add_column(heading, justify=justify, overflow="fold", min_width=min(NARROWEST_FOLDED, widest))
        else:
            made.add_column(heading, justify=justify, no_wrap=True, min_width=widest)
    for line in lines:
        made.add_row(*line)
    return made


def print_lines(
    console: Console,
    headings: list[str],
    lines: list[list[str]],
    left_aligned: tuple[str, ...],
    title: str = "",
    folded: tuple[str, ...] = (),
) -> None:
    """Print a table without cutting anything. If it is wider than the console, its columns `folded` span several lines.
    If that is not enough, each of its lines is printed as a block, a cell a line."""
    whole = table(headings, lines, left_aligned, title)
    if width(console, whole).maximum <= console.width:
        console.print(whole)
        return
    narrower = table(headings, lines, left_aligned, title, folded)
    if width(console, narrower).minimum <= console.width:
        console.print(narrower)
        return
    if title:
        console.print(Text(title, style="bold"))
    for first, *others in lines:
        console.print(Text(f"{headings[0]}: {first}", style="bold"))
        for heading, cell in zip(headings[1:], others, strict=True):
            for part in wrapped(f"  {heading}: {cell}", console.width) if cell else ():
                console.print(Text(part), soft_wrap=True)


def print_first(
    console: Console,
    headings: list[str],
    lines: list[list[str]],
    left_aligned: tuple[str, ...],
    title: str = "",
    folded: tuple[str, ...] = (),
    least: int = 3,
) -> list[str]:
    """Print as many of the first columns as fit, and return the names of those left out. If fewer than `least` fit,
    twice that many are printed, each line as a block."""

    def too_wide(n: int) -> bool:
        first = table(headings[:n], [line[:n] for line in lines], left_aligned, title, folded)
        return width(console, first).minimum > console.width

    numbers = range(least, len(headings) + 1)
    n = least + bisect_left(numbers, True, key=too_wide) - 1
    if n < least:
        n = 2 * least
    print_lines(console, headings[:n], [line[:n] for line in lines], left_aligned, title, folded)
    return headings[n:]


def width(console: Console, shown: Table) -> Measurement:
    """Return the fewest and the most characters of a line of a table, whatever the width of the console."""
    return Measurement.get(console, console.options.update(width=10_000), shown)
