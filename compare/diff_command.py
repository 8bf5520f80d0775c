"""`compare diff`: what changed from one run to another, and whether accuracy or speed moved by more than noise."""

import sys
from pathlib import Path

from compare.diff import changes, machines_differ, read, settings_changed
from compare.plan import check_number
from shared.errors import InputError


def diff_command(before: Path, after: Path, margin: float, across_machines: bool, fail_on_regression: bool) -> int:
    """Do what `compare diff` says; return the exit code: 1 with `fail_on_regression` where anything got worse."""
    check_number("--margin", margin, 0.00001, 1)
    a, b = read(before), read(after)
    if elsewhere := machines_differ(a, b):
        said = "; ".join(elsewhere)
        if not across_machines:
            raise InputError(
                f"{a.name} and {b.name} were made on different machines ({said}), so that their step times say nothing "
                "of what changed. Give --across-machines to compare them all the same."
            )
        print(f"Warning: different machines ({said}). Step times are those of two machines.", file=sys.stderr)
    found = changes(a, b, margin)
    settings = settings_changed(a, b)
    for text in settings:
        print(text)
    for change in found:
        print(change.said)
    moved = [change for change in found if change.moved != "within noise"]
    if not settings and not moved:
        print("Nothing changed but noise.")
    worse = [f"{change.what} of {change.implementation}" for change in moved if change.moved == "worse"]
    if worse:
        print(f"Worse: {', '.join(worse)}.")
    return 1 if worse and fail_on_regression else 0
