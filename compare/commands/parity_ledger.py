"""`compare parity --ledger`: from the names of rows, or from a symptom, to the ledger of differences."""

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from compare.folders.output import WriteError, write_whole
from compare.options.parity import ParityOptions
from compare.parity.ledger.answers import Line, ask
from compare.parity.ledger.code import code
from compare.parity.ledger.page import page
from compare.parity.ledger.search import search
from compare.parity.ledger.terminal import print_all, print_found, print_whole
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.reporting.screen import Screen
from shared.errors import InputError, check_name
from shared.ledger import ROWS, SYMPTOMS, LedgerRow
from shared.plurals import number_of
from shared.storage import mounts, temporary

NOTE_EVERY = 10  # rows
MOST_EXAMPLES = 3


def command(options: ParityOptions, screen: Screen) -> int:
    """Ask every row, or the named ones, print them, and write the page if one is asked for.

    Return the exit code: 1 if a row differs from its statement, or its aligned forms do not agree. Raises InputError
    before a worker is started.
    """
    if options.symptom is not None:
        return _by_symptom(options, screen)
    rows = list(ROWS.values()) if options.row is None else [ROWS[check_name("row", name, ROWS)] for name in options.row]
    if options.out is not None:
        mounts.here(mounts.with_addresses(options.out))
        _check_out(options.out, options.row)
    lines = _ask(rows, options.timeout, screen)
    if lines is None:
        return 1
    if options.row is None:
        print_all(screen.console(), lines)
    else:
        for line in lines:
            print_whole(screen.console(), line)
    _summarise(lines, screen)
    if options.out is not None:
        try:
            write_whole(options.out.parent, options.out.name, page(lines).encode())
        except WriteError as error:
            print(f"{error}. The rows are printed above.", file=sys.stderr)
            return 1
        screen.say(f"Page: {options.out}")
    screen.answer(rows=[_figures(line) for line in lines], page=options.out)
    return 0 if all(line.as_stated and line.agrees for line in lines) else 1


def _ask(rows: Sequence[LedgerRow], timeout: float, screen: Screen) -> list[Line] | None:
    """Return the answers to the rows; None if a worker failed, which is printed."""
    lines: list[Line] = []
    with temporary.folder("logs") as logs, Workers(logs, "cpu", timeout, screen.note) as workers:
        sessions = workers.start(dict.fromkeys(name for row in rows for name in row.between))
        for number, row in enumerate(rows, 1):
            if number % NOTE_EVERY == 1:
                screen.note(f"Asking for row {number} of {len(rows)}, {row.name} ...")
            try:
                lines.append(ask(row, sessions))
            except WorkerError as error:
                print(f"{row.name}: a worker failed: {error}\n{error.details}", file=sys.stderr)
                return None
    return lines


def _by_symptom(options: ParityOptions, screen: Screen) -> int:
    """Print the rows that can explain a symptom. Raises InputError if no word of it is known."""
    if options.row is not None or options.out is not None:
        raise InputError("--symptom searches for rows; it cannot be combined with --row or --out.")
    found = search(options.symptom or "")
    if not found.rows:
        examples = " ".join(symptom.sentence for symptom in list(SYMPTOMS.values())[:MOST_EXAMPLES])
        raise InputError(
            f"--symptom {options.symptom!r}: no row of the ledger is about this. Describe in English what you see, for "
            f"example: {examples} docs/ledger.md lists every symptom."
        )
    print_found(screen.console(), found)
    names = ",".join(row.name for row in found.rows[:2])
    screen.console().print()
    screen.say(f"See a row with its code: python -m compare parity --ledger --row {names}")
    screen.answer(
        symptoms=[SYMPTOMS[name].sentence for name in found.symptoms],
        rows=[{"row": row.name, "question": row.question, "bites": row.bites} for row in found.rows],
    )
    return 0


def _check_out(out: Path, names: tuple[str, ...] | None) -> None:
    if names is not None:
        raise InputError("--out is for the page of the whole ledger, and --row asks for some of it. Leave one out.")
    if out.suffix != ".md":
        raise InputError(f"--out {out}: the ledger is one page. Give a file whose name ends with .md.")
    if not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
        raise InputError(f"--out {out}: the folder {out.parent} does not exist, or cannot be written to.")
    if out.exists() and not (out.is_file() and os.access(out, os.W_OK)):
        raise InputError(f"--out {out}: it is not a file, or cannot be written to.")


def _summarise(lines: Sequence[Line], screen: Screen) -> None:
    for line in lines:
        if not line.as_stated:
            does = "do not differ" if line.row.differs else "differ"
            screen.say(f"{line.row.name}: the frameworks' own forms {does} ({line.own:.1e}).")
        if not line.agrees:
            screen.say(f"{line.row.name}: the aligned forms do not agree ({line.aligned:.1e}).")
    differ, agree = sum(line.row.differs for line in lines), sum(line.agrees for line in lines)
    alike = len(lines) - differ
    suspected = f", {alike} only seem{'s' * (alike == 1)} to" if alike else ""
    screen.console().print()
    rows = number_of(len(lines), "row")
    screen.say(f"{rows}: {differ} differ{'s' * (differ == 1)}{suspected}; {agree} equal once aligned.")


def _figures(line: Line) -> dict[str, object]:
    """Return one row for programs; a distance is None if the shapes differ."""
    row = line.row
    distances = {
        key: value if math.isfinite(value) else None for key, value in (("own", line.own), ("aligned", line.aligned))
    }
    return {
        "row": row.name,
        "question": row.question,
        "forms": dict(zip(row.between, (row.first, row.second), strict=True)),
        "to_agree": row.aligned,
        **distances,
        "differs": row.differs,
        "as_stated": line.as_stated,
        "agrees": line.agrees,
        "bites": row.bites,
        "symptoms": [SYMPTOMS[name].sentence for name in row.symptoms],
        "causes": list(row.causes),
        "code": {name: code(row, name) for name in row.between},
    }
