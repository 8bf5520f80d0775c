"""`compare diff`: what changed from one run to another, and whether accuracy or speed moved by more than noise. It also
compares two comparisons of models, or two benches of inference."""

from collections.abc import Callable
from dataclasses import asdict

from compare.analysis.diff import changes, machines_differ, read, settings_changed
from compare.bench.inference import diff as serving
from compare.bench.inference.record import RECORD as INFERENCE
from compare.bench.inference.record import InferenceResult
from compare.folders.run_folder import MAX_LIST_BYTES, load_manifest, load_record
from compare.options.folders import DiffOptions
from compare.port.diff import port_changes
from compare.port.record import RECORD as PORT_RECORD
from compare.port.record import PortRecord
from compare.port.words import verdict
from compare.reporting.screen import Screen
from shared.errors import InputError


def command(options: DiffOptions, screen: Screen) -> int:
    """Carry out `compare diff`, and return the exit code: 1 with --fail-on-regression if anything got worse. Unknown
    changes do not count as worse."""
    for record, (held, diff) in OTHERS.items():
        there = [(folder / record).is_file() for folder in (options.before, options.after)]
        if all(there):
            if options.more_before or options.more_after:
                raise InputError("--more-before and --more-after are only for runs of training. Leave them out.")
            return diff(options, screen)
        if any(there):
            raise InputError(
                f"Only one of {options.before} and {options.after} holds {held}. Give two folders of one kind."
            )
    a, b = read(options.before, options.more_before or ()), read(options.after, options.more_after or ())
    _check_machines(machines_differ(a, b), options, screen, "step times")
    found = changes(a, b, options.margin, options.across_machines)
    settings = settings_changed(a, b)
    moved = [change for change in found if change.moved in ("better", "worse")]
    unknown = [f"{change.what} of {change.implementation}" for change in found if change.moved == "not known"]
    worse = [f"{change.what} of {change.implementation}" for change in moved if change.moved == "worse"]
    for text in (*settings, *(change.said for change in found)):
        screen.say(text)
    if not settings and not moved:
        screen.say("Nothing changed but noise, as far as is known." if unknown else "Nothing changed but noise.")
    if unknown:
        screen.say(f"Not known: {', '.join(unknown)}. More epochs on a quiet machine, or more runs, would decide it.")
    if worse:
        screen.say(f"Worse: {', '.join(worse)}.")
    screen.answer(settings=settings, changes=[asdict(change) for change in found], worse=worse, not_known=unknown)
    return 1 if worse and options.fail_on_regression else 0


def _check_machines(elsewhere: list[str], options: DiffOptions, screen: Screen, what: str) -> None:
    """Raise InputError if `elsewhere` lists differences of the machines, unless asked for; `what` was timed."""
    if not elsewhere:
        return
    said = "; ".join(elsewhere)
    if not options.across_machines:
        raise InputError(
            f"{options.before} and {options.after} were made on different machines ({said}). Their {what} do not show "
            "what changed. Give --across-machines to compare them anyway."
        )
    screen.note(f"Warning: different machines ({said}). {what.capitalize()} come from two machines.")


def _serving(options: DiffOptions, screen: Screen) -> int:
    """Print what changed from one folder of `compare bench --inference` to another."""
    for folder in (options.before, options.after):
        load_manifest(folder)
    a, b = (
        load_record(folder / INFERENCE, InferenceResult, MAX_LIST_BYTES) for folder in (options.before, options.after)
    )
    _check_machines(serving.machines_differ(a, b), options, screen, "latencies")
    settings, found = serving.settings_changed(a, b), serving.serving_changes(a, b)
    worse = [f"{change.what} of {change.name}" for change in found if change.moved == "worse"]
    unknown = [f"{change.what} of {change.name}" for change in found if change.moved == "not known"]
    for text in (*settings, *(change.said for change in found)):
        screen.say(text)
    if worse:
        screen.say(f"Worse: {', '.join(worse)}.")
    screen.answer(settings=settings, changes=[asdict(change) for change in found], worse=worse, not_known=unknown)
    return 1 if worse and options.fail_on_regression else 0


def _ports(options: DiffOptions, screen: Screen) -> int:
    """Print what changed from one folder of `compare port` to another."""
    for folder in (options.before, options.after):
        load_manifest(folder)  # it refuses anything but a plain folder
    a, b = (load_record(folder / PORT_RECORD, PortRecord, MAX_LIST_BYTES) for folder in (options.before, options.after))
    found = port_changes(a, b)
    worse = [change.said for change in found if change.moved == "worse"]
    for change in found:
        screen.say(change.said if change.moved == "changed" else f"{change.said} ({change.moved})")
    if not found:
        screen.say(f"Nothing changed: {verdict(b)}.")
    screen.answer(verdicts=[a.verdict, b.verdict], changes=[asdict(change) for change in found], worse=worse)
    return 1 if worse and options.fail_on_regression else 0


# The records of folders other than those of runs, and how to compare two of them.
OTHERS: dict[str, tuple[str, Callable[[DiffOptions, Screen], int]]] = {
    PORT_RECORD: ("a comparison of two models (compare port)", _ports),
    INFERENCE: ("a bench of inference", _serving),
}
