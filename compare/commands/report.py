"""`compare report`: make the reports of one folder again from its records, or one report on several folders."""

import hashlib
from dataclasses import asdict
from pathlib import Path

from compare.commands import entries
from compare.commands.combining import combined
from compare.commands.lifecycle import Began, report_line
from compare.commands.rendering import Files, has_records, rendered
from compare.folders import leftovers, manifest
from compare.folders.manifest import Manifest, sealed
from compare.folders.output import OutputFolder, WriteError, write_whole
from compare.folders.run_folder import MAX_LIST_BYTES, load_manifest
from compare.options.folders import ReportOptions
from compare.processes import signals
from compare.reporting import listeners
from compare.reporting.screen import Screen
from shared.errors import InputError
from shared.storage import files, lock, mounts


def command(options: ReportOptions, screen: Screen) -> int:
    """Carry out `compare report`, and return the exit code. Raises InputError before anything is written."""
    folders = options.folders
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("A folder is named twice. Name each once.")
    began = Began(options.command, options.out)
    if len(folders) == 1 and options.out is None:
        return _write_again(folders[0], screen)
    parts = {mounts.with_addresses(folder): rendered(folder) for folder in folders}
    read = {name: entries.read(folder) for name, folder in zip(parts, folders, strict=True)}
    made = combined(parts, list(read.values())) if len(parts) > 1 else next(iter(parts.values()))
    target = began.folder("report")
    _fill(target, made, began.manifest())
    listeners.outlive()
    for name, entry in read.items():
        if len(read) > 1:
            screen.say(f"{name}:")
        screen.headlines(entry.headline)
    report_line(target, screen)
    found = [{"folder": name, **asdict(line)} for name, entry in read.items() for line in entry.headline]
    screen.answer(folder=target.path, headline=found)
    return 0


def _fill(target: OutputFolder, files: Files, made: Manifest) -> None:
    """Write the report of a new folder, whole or not at all."""
    try:
        with signals.held_back():
            target.write_all(files, made)
    except WriteError:
        target.discard()
        raise


def _write_again(folder: Path, screen: Screen) -> int:
    """Make the files of `folder` again, in place; its manifest still names the maker of its records."""
    if not has_records(folder):
        rendered(folder)  # it raises the error
    with lock.held(folder):  # another command may be adding to the records
        _clear(folder)
        made = rendered(folder)
        known = load_manifest(folder)
        changed = [name for name, content in made.items() if _content(folder / name) != content]
        with signals.held_back():
            _replace(folder, made, changed, known)
    listeners.outlive()
    screen.say(f"Rebuilt: {', '.join(changed)}." if changed else "Nothing changed: everything matches the records.")
    screen.say(f"Report: {folder / 'report.md'}")
    screen.answer(folder=folder, changed=changed)
    return 0


def _clear(folder: Path) -> None:
    try:
        leftovers.clear(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to: {error.strerror}. Give another folder with --out.") from None


def _replace(folder: Path, made: Files, changed: list[str], known: Manifest) -> None:
    """Write the changed files, and then the manifest, which describes all others. It describes what was written even if
    some files could not be."""
    done: dict[str, str] = {}
    try:
        try:
            for name in changed:
                write_whole(folder, name, made[name])
                done[name] = hashlib.sha256(made[name]).hexdigest()
        finally:
            if done:
                made_now = known.model_copy(update={"libraries": manifest.rendering_libraries()})
                for name, content in sealed(made_now, known.files | done).items():
                    write_whole(folder, name, content)
    except (OSError, WriteError) as error:
        raise InputError(f"The report cannot be written: {error}. Give another folder with --out.") from None


def _content(path: Path) -> bytes | None:
    """Return the previous content of a report; None if the file is larger than any report."""
    there = path.is_file() and path.stat().st_size <= MAX_LIST_BYTES
    return files.read(path, MAX_LIST_BYTES, "Give the folder of a run.") if there else None
