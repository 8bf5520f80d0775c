"""`compare diff`: what changed from one run to another, and whether accuracy or speed moved by more than noise."""

from dataclasses import asdict

from compare.analysis.diff import changes, machines_differ, read, settings_changed
from compare.options.folders import DiffOptions
from compare.reporting.screen import Screen
from shared.errors import InputError


def command(options: DiffOptions, screen: Screen) -> int:
    """Do what `compare diff` says; return the exit code: 1 with --fail-on-regression if anything got worse.
    What is not known is not worse."""
    a, b = read(options.before), read(options.after)
    if elsewhere := machines_differ(a, b):
        said = "; ".join(elsewhere)
        if not options.across_machines:
            raise InputError(
                f"{a.name} and {b.name} were made on different machines ({said}), so that their step times say nothing "
                "of what changed. Give --across-machines to compare them all the same."
            )
        screen.note(f"Warning: different machines ({said}). Step times are those of two machines.")
    found = changes(a, b, options.margin, options.across_machines)
    settings = settings_changed(a, b)
    moved = [change for change in found if change.moved in ("better", "worse")]
    unknown = [f"{change.what} of {change.implementation}" for change in found if change.moved == "not known"]
    worse = [f"{change.what} of {change.implementation}" for change in moved if change.moved == "worse"]
    for text in (*settings, *(change.said for change in found)):
        screen.say(text)
    if not settings and not moved:
        screen.say("Nothing changed but noise, of what is known." if unknown else "Nothing changed but noise.")
    if unknown:
        screen.say(f"Not known: {', '.join(unknown)}. More epochs, on a quiet machine, would tell.")
    if worse:
        screen.say(f"Worse: {', '.join(worse)}.")
    screen.answer(settings=settings, changes=[asdict(change) for change in found], worse=worse, not_known=unknown)
    return 1 if worse and options.fail_on_regression else 0
