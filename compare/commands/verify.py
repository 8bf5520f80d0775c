"""`compare verify`: whether a folder is complete and unaltered, and with --rerun whether its weights are as accurate as
its records say."""

import hashlib
import re
from pathlib import Path

from compare import networks
from compare.analysis.figures import figure_of
from compare.commands.rendering import has_records, rendered
from compare.folders import manifest, signature
from compare.folders.manifest import MANIFEST, SEAL, SIGNATURE, Manifest, names
from compare.folders.run_folder import (
    MAX_LIST_BYTES,
    load_data,
    load_manifest,
    load_record,
    load_results,
    load_weights,
)
from compare.options.folders import VerifyOptions
from compare.processes import environment
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.reporting.html_page import page
from compare.reporting.screen import Screen
from compare.training.planned import PLAN, Planned
from shared.data import Data
from shared.errors import InputError
from shared.protocol import Build
from shared.result import RunResult
from shared.storage import files, inside, lock, temporary

TIMEOUT_S = 300.0
TOLERANCE = 1e-3  # for a figure that is not a share of images
MAX_SEAL_BYTES = 1 << 10
PICTURES = (".png", ".svg")
PAGE = "report.html"
MADE_WITH = re.compile(r"Python \d+\.\d+\.\d+\S*(, ([\w-]+ \d\S*|no [\w-]+))+")


def command(options: VerifyOptions, screen: Screen) -> int:
    """Carry out `compare verify`, and return the exit code, 1 if anything differs from what was written."""
    folder = options.run_dir
    found = problems(folder)
    not_compared = None if found else made_by_others(folder)
    if not found and options.rerun:
        found = _rerun(folder, options.model, options.data_folder, screen)
    if options.verify_key is not None and (said := signature.problem(folder, options.verify_key)):
        found.append(said)
    if options.sign is not None and not found:
        with lock.held(folder):
            signature.sign(folder, options.sign)
        screen.say(f"Signed: {folder / SIGNATURE}")
    for text in found:
        screen.say(text)
    if not_compared:
        screen.say(f"Its hashes are right. {not_compared}")
    screen.say(f"{folder} is {'not ' if found else ''}as it was written{_as_far_as(not_compared, found)}.")
    screen.answer(folder=folder, problems=found, not_compared=not_compared)
    return 1 if found else 0


def _as_far_as(not_compared: str | None, found: list[str]) -> str:
    return ", by its hashes alone" if not_compared and not found else ""


def _rerun(folder: Path, model: str | None, data_dir: Path, screen: Screen) -> list[str]:
    """Evaluate every network again from its weights. Return a sentence for each difference from its record."""
    if not (folder / "results").is_dir():
        raise InputError(f"--rerun: {folder} has no trained weights. Leave it out, or give the folder of a run.")
    done = networks.results_at_hand([result for result in load_results(folder) if result.outcome], model)
    if not done:
        return []
    data = load_data(done[0], data_dir)
    found = []
    names = list(dict.fromkeys(r.run.implementation for r in done))
    with (
        temporary.folder("logs") as logs,
        Workers(logs, "cpu", TIMEOUT_S, screen.note, environment.usable_cores()) as workers,
    ):
        sessions = workers.start(names)
        for number, result in enumerate(done, 1):
            screen.note(f"{result.name}: evaluating again ({number} of {len(done)}) ...")
            found += _evaluate(folder, result, sessions[result.run.implementation], data)
    return found


def _evaluate(folder: Path, result: RunResult, session: Session, data: Data) -> list[str]:
    assert result.outcome is not None
    run, figure = result.run, figure_of([result])
    said = figure.of(result.outcome)
    try:
        session.wait_until_ready()
        if session.data_digest != result.data_digest:
            session.load_data(data)
        session.create(
            Build(run.spec, run.train, load_weights(folder, result), "cpu", run.mode, run.recipe, run.tuning)
        )
        evaluation = session.evaluate("test")
    except WorkerError as error:
        return [f"{result.name} cannot be evaluated again: {error}. {error.details}"]
    found = evaluation.metrics.get(figure.metric.name) if evaluation.accuracy is None else evaluation.accuracy
    assert found is not None, "an evaluation has the figure of its task"
    alike = round(abs(found - said) * result.n_test) == 0 if figure.task.classifies else _near(found, said)
    if alike:
        return []
    here, there = (f"{value:.4%}" if figure.metric.share else f"{value:.6g}" for value in (found, said))
    return [
        f"{result.name}: its weights give a test {figure.metric.title} of {here} here, and its record says {there}."
    ]


def _near(found: float, said: float) -> bool:
    """Whether two figures differ by no more than another machine's rounding."""
    return abs(found - said) <= TOLERANCE * max(abs(said), 1e-6)


def problems(folder: Path) -> list[str]:
    """Return a sentence for each file that differs from what was written; none if all is well.

    Raises InputError if there is no manifest to compare the folder with.
    """
    odd = inside.odd(folder) if folder.is_dir() else {}
    if MANIFEST not in odd and not (folder / MANIFEST).exists():
        raise InputError(f"{folder} has no {MANIFEST}. Give a complete folder that 'python -m compare' wrote.")
    found = [f"{name} is {what}, and its content was not checked." for name, what in odd.items()]
    if any(text.startswith((f"{MANIFEST} ", f"{SEAL} ")) for text in found):
        return found
    found += _of_manifest(folder)
    try:
        known = load_record(folder / MANIFEST, Manifest, MAX_LIST_BYTES)
    except InputError:
        return found  # it reports the damaged manifest
    present = names(folder)
    found += [f"{name} is missing." for name in known.files if name not in present and name not in odd]
    found += [f"{name} is not in the manifest." for name in present if name not in known.files]
    found += [
        f"{name} was altered: its SHA-256 is {found_there}, and the manifest says {sha256}."
        for name, sha256 in known.files.items()
        if name in present and (found_there := files.sha256(folder / name)) != sha256
    ]
    return found or [*_of_fields(folder, known), *_of_reports(folder, known)]


def _of_fields(folder: Path, known: Manifest) -> list[str]:
    """Return the manifest's statements that are impossible, or that contradict the study's plan."""
    found = [] if MADE_WITH.fullmatch(known.libraries) else [f"{MANIFEST} names no libraries that made its reports."]
    if known.ended < known.started:
        found.append(f"{MANIFEST} says that it ended before it began.")
    if (folder / PLAN).is_file():
        planned = load_record(folder / PLAN, Planned, MAX_LIST_BYTES)
        for field in ("command", "started", "dataset_reason"):
            if getattr(known, field) != getattr(planned, field):
                found.append(f"{MANIFEST} and {PLAN} disagree on this: {field.replace('_', ' ')}.")
        found += _of_network(known, planned)
    return found


def _of_network(known: Manifest, planned: Planned) -> list[str]:
    """Check that the copy of the user's code, which people read, is the code that the plan names."""
    code = planned.network.code if planned.network is not None else None
    hashed = {} if code is None else {f"{networks.COPY}/{name}": sha256 for name, sha256 in code.files}
    there = {name: sha256 for name, sha256 in known.files.items() if name.startswith(f"{networks.COPY}/")}
    return [
        f"{name} is not the file of the network that {PLAN} records."
        for name in sorted(hashed.keys() | there.keys())
        if hashed.get(name) != there.get(name)
    ]


def made_by_others(folder: Path) -> str | None:
    """Return why reports cannot be compared with their records: other code or libraries made them. Else None."""
    known = load_manifest(folder)
    libraries, version, commit = manifest.rendering_libraries(), manifest.code_version(), manifest.code_commit()
    # A "+" marks uncommitted changes, whose content is unknown.
    same_commit = (known.commit or "").rstrip("+") == (commit or "").rstrip("+")
    if known.libraries == libraries and known.version == version and same_commit:
        return None
    made_with = known.libraries or "libraries that it does not name"
    return (
        f"Its reports were made with {manifest.code_in_words(known.version, known.commit)} and {made_with}. Here are "
        f"{manifest.code_in_words(version, commit)} and {libraries}. "
        "So the reports were not rebuilt and compared with the records."
    )


def _of_manifest(folder: Path) -> list[str]:
    """Check the manifest against its hash, which is in a file beside it."""
    sha256 = files.sha256(folder / MANIFEST)
    if not (folder / SEAL).is_file():
        return [f"{SEAL} is missing."]
    if files.read(folder / SEAL, MAX_SEAL_BYTES, "Put the original back.") != f"{sha256}  {MANIFEST}\n".encode():
        return [f"{MANIFEST} or {SEAL} was altered: the SHA-256 of {MANIFEST} is {sha256}, and {SEAL} has another."]
    return []


def _of_reports(folder: Path, known: Manifest) -> list[str]:
    """Make each report again from the records: every text, table and page must have the same bytes.

    Pictures are compared by their hashes alone: Matplotlib solves its layout again each time, and its last bit may
    differ. The page is made again with the existing pictures.
    """
    if made_by_others(folder) or not has_records(folder):
        return []
    made = rendered(folder)
    pictures = [name for name in made if name.endswith(PICTURES)]
    if PAGE in made and pictures:
        drawn = [name for name in pictures if (folder / name).is_file()]
        there = {name: files.read(folder / name, MAX_LIST_BYTES, "Put the original back.") for name in drawn}
        made[PAGE] = page({"report.md": made["report.md"], **there}, made.drawings)
    return [
        f"{name} does not match its records: rebuilt from them, it has other bytes."
        for name, content in made.items()
        if not name.endswith(PICTURES) and hashlib.sha256(content).hexdigest() != known.files.get(name)
    ]
