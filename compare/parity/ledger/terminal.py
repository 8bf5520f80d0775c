"""Print rows of the ledger in the terminal: nothing is cut, long sentences continue on the next line."""

from collections.abc import Sequence
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from compare.parity.ledger.answers import Line, how_close, how_far
from compare.parity.ledger.code import code
from compare.parity.ledger.search import Found
from compare.registry import IMPLEMENTATIONS
from shared.ledger import BITES, GROUPS, SYMPTOMS, LedgerRow

WIDEST = 120  # characters of a line, even if the window is wider
INDENT = "  "


def print_all(console: Console, lines: Sequence[Line]) -> None:
    """Print every row in five lines, by group."""
    by_row = {line.row.name: line for line in lines}
    for title, rows in GROUPS.items():
        found = [by_row[row.name] for row in rows if row.name in by_row]
        if found:
            console.print(Text(f"\n{title}", style="bold underline"))
        for line in found:
            _print_head(console, line.row)
            _print_facts(console, _forms(line))


def print_whole(console: Console, line: Line) -> None:
    """Print one row completely, with its code in both frameworks."""
    row = line.row
    _print_head(console, row)
    facts = [*_forms(line), ("It matters", BITES[row.bites] + ".")]
    facts += [("You may see", SYMPTOMS[name].sentence) for name in row.symptoms]
    if row.causes:
        facts.append(("In compare port", ", ".join(row.causes)))
    _print_facts(console, facts)
    for name, title in zip(row.between, line.titles, strict=True):
        if (text := code(row, name)) is not None:
            console.print(Text(f"\n# {title}", style="bold"))
            console.print(Text(text), soft_wrap=True)


def print_found(console: Console, found: Found) -> None:
    """Print the results of a search by symptom."""
    console.print(Text("What you see is most like:", style="bold"))
    for symptom in found.symptoms:
        _print_indented(console, SYMPTOMS[symptom].sentence)
    console.print(Text("\nWhat can be behind it, the likeliest first:", style="bold"))
    for row in found.rows:
        _print_head(console, row)
        _print_facts(console, [*_own_forms(row), ("To agree", row.aligned), ("It matters", BITES[row.bites] + ".")])


def _forms(line: Line) -> list[tuple[str, str]]:
    facts = [*_own_forms(line.row), ("As they are", how_far(line))]
    if line.row.differs:
        facts.append(("To agree", f"{line.row.aligned} ({how_close(line)})."))
    return facts


def _own_forms(row: LedgerRow) -> list[tuple[str, str]]:
    first, second = (IMPLEMENTATIONS[name].title for name in row.between)
    return [(first, row.first), (second, row.second)]


def _print_head(console: Console, row: LedgerRow) -> None:
    head = Text("\n".join(_wrapped(console, f"{row.name}: {row.question}", "")))
    head.stylize("bold", 0, len(row.name))
    console.print()
    console.print(head, soft_wrap=True)


def _print_facts(console: Console, facts: Sequence[tuple[str, str]]) -> None:
    for name, text in facts:
        _print_indented(console, f"{name}: {text}" if name else text)


def _print_indented(console: Console, text: str) -> None:
    console.print(Text("\n".join(_wrapped(console, text, INDENT))), soft_wrap=True)


def _wrapped(console: Console, text: str, indent: str) -> list[str]:
    width = min(console.width, WIDEST)
    return wrap(text, width, initial_indent=indent, subsequent_indent=INDENT, break_on_hyphens=False)
