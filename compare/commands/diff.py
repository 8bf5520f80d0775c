"""`compare diff`: what changed from one run to another, and whether accuracy or speed moved by more than noise."""

from dataclasses import asdict
from pathlib import Path

from compare.analysis.diff import changes, machines_differ, read, settings_changed
from compare.checks import check_number
from compare.reporting.screen import Screen
from shared.errors import InputError


def diff_command(
    before: Path, after: Path, margin: float, across_machines: bool, fail_on_regression: bool, screen: Screen
) -> int:
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
        screen.note(f"Warning: different machines ({said}). Step times are those of two machines.")
    found = changes(a, b, margin, across_machines)
    settings = settings_changed(a, b)
    moved = [change for change in found if change.moved != "within noise"]
    worse = [f"{change.what} of {change.implementation}" for change in moved if change.moved == "worse"]
    for text in (*settings, *(change.said for change in found)):
        screen.say(text)
    if not settings and not moved:
        screen.say("Nothing changed but noise.")
    if worse:
        screen.say(f"Worse: {', '.join(worse)}.")
    screen.answer(settings=settings, changes=[asdict(change) for change in found], worse=worse)
    return 1 if worse and fail_on_regression else 0
