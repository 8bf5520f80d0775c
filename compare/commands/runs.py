"""`compare runs`: every run, comparison and bench below a folder, as a table and as a page."""

import os
from pathlib import Path
from urllib.parse import quote

from compare.commands import trends
from compare.commands.entries import LEFT, cells, headings
from compare.commands.finding import Found, find, is_entry
from compare.folders.manifest import utc_now
from compare.folders.output import write_whole
from compare.options.folders import RunsOptions
from compare.reporting.html_page import filled
from compare.reporting.screen import Screen, print_lines, printable, table, width
from shared.errors import InputError

PAGE = "index.html"
GENERATOR = "compare runs"  # in the page's head: a page without it is someone else's
MOST_PRINTED = 300
MOST_HEAD_BYTES = 1_000
LEAST_COLUMNS = 4


def command(options: RunsOptions, screen: Screen) -> int:
    """Print the table and write the page; return the exit code. Raises InputError if the folder does not exist, or has
    an index.html that this command did not write."""
    root = options.root
    writes = root.is_dir() and not is_entry(root)
    if writes:
        _check_page(root / PAGE)
    found = find(root)
    names = {id(entry): _name(entry.folder, root) for entry in found.entries}
    lines = [line for entry in found.entries for line in cells(entry, names[id(entry)])]
    columns = headings(found.entries)
    _print(lines, columns, screen)
    for path, why in found.broken.items():
        screen.note(f"Not read: {path}: {why}")
    page = None
    if not found.entries:
        screen.say(f"No run, comparison or bench is below {root}.")
    elif writes:
        page = root / PAGE
        write_whole(root, PAGE, _page(root, found, names))
        screen.say(f"Page: {page}")
    else:
        screen.say(f"{root} is a run itself, so no {PAGE} is written into it.")
    screen.answer(
        folder=root,
        page=page,
        rows=[dict(zip(columns, line, strict=True)) for line in lines],
        verdicts={names[id(entry)]: entry.verdict for entry in found.entries},
        not_read=found.broken,
    )
    return 0


def _name(folder: Path, root: Path) -> str:
    """Return the name of a folder: its path below the root, or its own name."""
    below = folder.relative_to(root).as_posix()
    return printable(os.fsencode(folder.name if below == "." else below).decode(errors="backslashreplace"))


def _check_page(path: Path) -> None:
    """Raise InputError if writing the page would replace something else."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is not a plain file, and is not overwritten. Move it elsewhere.")
    if path.exists() and f'name="generator" content="{GENERATOR}"' not in _head(path):
        raise InputError(f"{path} was not written by 'compare runs', and is not overwritten. Move it elsewhere.")


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_HEAD_BYTES).decode(errors="replace")


def _print(lines: list[list[str]], columns: list[str], screen: Screen) -> None:
    """Print as many columns as fit, the most important first."""
    if not lines:
        return
    console = screen.console()
    n = len(columns)
    shown = lines[:MOST_PRINTED]
    while n > LEAST_COLUMNS:
        made = table(columns[:n], [line[:n] for line in shown], LEFT)
        if width(console, made).maximum <= console.width:
            break
        n -= 1
    print_lines(console, columns[:n], [line[:n] for line in shown], LEFT)
    if n < len(columns):
        screen.say(f"The page has more columns: {', '.join(columns[n:])}.")
    if len(lines) > len(shown):
        screen.say(f"({len(lines) - len(shown):,} more rows are in the page.)")


def _page(root: Path, found: Found, names: dict[int, str]) -> bytes:
    from markupsafe import Markup

    links = {id(entry): _link(entry.folder, root) for entry in found.entries}
    lines = [(links[id(entry)], line) for entry in found.entries for line in cells(entry, names[id(entry)])]
    moved = [
        (
            trend.about,
            Markup(trends.chart(trend).markup(f"trend-{number}")),
            [
                *((names[id(entry)], change.said) for entry, change in trend.found),
                *((names[id(entry)], why) for entry, why in trend.not_compared),
            ],
        )
        for number, trend in enumerate(trends.trends(found.entries))
    ]
    joint = trends.joint_curves(found.entries, names)
    return filled(
        "runs.html.j2",
        generator=GENERATOR,
        title=f"Runs in {_name(root.resolve(), root.resolve())}",
        n_folders=len(found.entries),
        written=utc_now(),
        headings=headings(found.entries),
        lines=lines,
        trends=moved,
        curves=[
            (about, Markup(chart.markup(f"curves-{number}"))) for number, (about, chart) in enumerate(joint.items())
        ],
        verdicts=[(links[id(entry)], names[id(entry)], entry.verdict) for entry in found.entries if entry.verdict],
        broken=[(printable(path), printable(why)) for path, why in found.broken.items()],
    )


def _link(folder: Path, root: Path) -> str:
    """Return the address of a folder's report, from the page; "" if it has none."""
    report = folder / "report.html"
    if report.is_symlink() or not report.is_file():
        return ""
    return "./" + quote(os.fsencode(report.relative_to(root)))
