"""`compare diff`: what changed from one run to another, and whether accuracy or speed moved by more than noise; or from
one comparison of two models to another."""

from dataclasses import asdict

from compare.analysis.diff import changes, machines_differ, read, settings_changed
from compare.folders.run_folder import MAX_LIST_BYTES, load_manifest, load_record
from compare.options.folders import DiffOptions
from compare.port.diff import port_changes
from compare.port.record import RECORD as PORT_RECORD
from compare.port.record import PortRecord
from compare.port.words import verdict
from compare.reporting.screen import Screen
from shared.errors import InputError


def command(options: DiffOptions, screen: Screen) -> int:
    """Do what `compare diff` says; return the exit code: 1 with --fail-on-regression if anything got worse.
    What is not known is not worse."""
    of_ports = [(folder / PORT_RECORD).is_file() for folder in (options.before, options.after)]
    if all(of_ports):
        return _ports(options, screen)
    if any(of_ports):
        raise InputError(
            f"Of {options.before} and {options.after} one holds a comparison of two models (compare port), and the "
            "other does not. Give two folders of one kind."
        )
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


def _ports(options: DiffOptions, screen: Screen) -> int:
    """What changed from one folder of `compare port` to another."""
    for folder in (options.before, options.after):
        load_manifest(folder)  # which refuses what is no plain folder
    a, b = (load_record(folder / PORT_RECORD, PortRecord, MAX_LIST_BYTES) for folder in (options.before, options.after))
    found = port_changes(a, b)
    worse = [change.said for change in found if change.moved == "worse"]
    for change in found:
        screen.say(change.said if change.moved == "changed" else f"{change.said} ({change.moved})")
    if not found:
        screen.say(f"Nothing changed: {verdict(b)}.")
    screen.answer(verdicts=[a.verdict, b.verdict], changes=[asdict(change) for change in found], worse=worse)
    return 1 if worse and options.fail_on_regression else 0
