"""`compare parity --ledger`: from the names of rows to the ledger of differences."""

import math
import os
import sys
from pathlib import Path

from compare.options.parity import ParityOptions
from compare.parity.ledger import Line, ask, cells, page
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.reporting.screen import Screen, print_lines
from shared.errors import InputError, check_name
from shared.ledger import ROWS
from shared.storage import mounts, temporary

HEADINGS = ("row", "what", "one", "the other", "apart", "aligned", "then apart")
SENTENCES = ("what", "one", "the other", "aligned")

NOTE_EVERY = 10  # rows


def command(options: ParityOptions, screen: Screen) -> int:
    """Ask every row, or those that were named, of the frameworks, print them, and write the page where one is asked
    for; return the exit code: 1 where a row does not part as it should, or does not agree. Raises InputError before a
    worker is started."""
    rows = list(ROWS.values()) if options.row is None else [ROWS[check_name("row", name, ROWS)] for name in options.row]
    out = options.out
    if out is not None:
        mounts.here(mounts.shown(out))
        _check_out(out, options.row)
    lines: list[Line] = []
    with (
        temporary.folder("logs") as logs,
        Workers(logs, "cpu", options.timeout, screen.note) as workers,
    ):
        sessions = workers.start(dict.fromkeys(name for row in rows for name in row.between))
        for number, row in enumerate(rows, 1):
            if number % NOTE_EVERY == 1:
                screen.note(f"Asking for row {number} of {len(rows)}, {row.name} ...")
            try:
                lines.append(ask(row, sessions))
            except WorkerError as error:
                print(f"{row.name}: a worker failed: {error}\n{error.details}", file=sys.stderr)
                return 1
    _print(lines, screen)
    if out is not None:
        try:
            out.write_text(page(lines))
        except OSError as error:
            print(f"{out} cannot be written: {error.strerror}. The rows stand above.", file=sys.stderr)
            return 1
        screen.say(f"Page: {out}")
    screen.answer(rows=[_figures(line) for line in lines], page=out)
    return 0 if all(line.parts and line.agrees for line in lines) else 1


def _check_out(out: Path, names: tuple[str, ...] | None) -> None:
    if names is not None:
        raise InputError("--out is for the page of the whole ledger, and --row asks for some of it. Leave one out.")
    if out.suffix != ".md":
        raise InputError(f"--out {out}: the ledger is one page. Give a file whose name ends with .md.")
    if not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
        raise InputError(f"--out {out}: the folder {out.parent} is not there, or cannot be written to.")
    if out.is_dir() or (out.exists() and not os.access(out, os.W_OK)):
        raise InputError(f"--out {out}: it is a folder, or cannot be written to.")


def _print(lines: list[Line], screen: Screen) -> None:
    print_lines(screen.console(), list(HEADINGS), [cells(line) for line in lines], HEADINGS, folded=SENTENCES)
    for line in lines:
        if not line.parts:
            screen.say(f"{line.row.name}: the frameworks' own forms do not part ({line.own:.1e}).")
        if not line.agrees:
            screen.say(f"{line.row.name}: the aligned forms do not agree ({line.aligned:.1e}).")
    agreed = sum(line.agrees for line in lines)
    screen.say(f"{sum(line.parts for line in lines)} of {len(lines)} rows part, {agreed} agree once aligned.")


def _figures(line: Line) -> dict[str, object]:
    """One row for machines; a distance is None where the two have other shapes."""
    apart = {
        key: value if math.isfinite(value) else None for key, value in (("own", line.own), ("aligned", line.aligned))
    }
    return {"row": line.row.name, "what": line.row.question, **apart, "parts": line.parts, "agrees": line.agrees}
