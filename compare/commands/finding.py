"""Find the folders of runs, comparisons and benches below a folder; their content may come from anywhere."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from compare.commands import entries
from compare.commands.entries import Entry
from compare.folders.run_folder import load_manifest
from shared.errors import InputError

MOST_FOLDERS = 100_000  # folders that are searched
MOST_LINKS = 20  # links that are named


@dataclass
class Found:
    """The entries, newest first, and the reasons why others could not be read, by path."""

    entries: list[Entry] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)


def find(root: Path) -> Found:
    """Return everything below `root` that the program wrote. Links are not followed. Raises InputError if `root` is not
    a folder."""
    if not root.is_dir():
        raise InputError(f"{root} is not a folder. Give the folder that holds the folders of runs.")
    found = Found()
    for folder in _folders(root, found.broken):
        try:
            load_manifest(folder)
            found.entries.append(entries.read(folder))
        except InputError as error:
            found.broken[str(folder)] = str(error)
    found.entries.sort(key=lambda entry: (entry.manifest.started, str(entry.folder)), reverse=True)
    return found


def is_entry(folder: Path) -> bool:
    """Whether `folder` has records."""
    return any((folder / name).exists() for name in entries.KINDS)


def _folders(root: Path, broken: dict[str, str]) -> list[Path]:
    """Return every folder at or below `root` that has records; folders within one of them belong to it."""
    found: list[Path] = []
    left, n_seen, n_links = [root], 0, 0
    while left:
        folder = left.pop()
        n_seen += 1
        if n_seen > MOST_FOLDERS:
            broken[str(root)] = f"it has more than {MOST_FOLDERS:,} folders; the others were not searched."
            break
        if is_entry(folder):
            found.append(folder)
            continue
        try:
            with os.scandir(folder) as inside:
                for entry in inside:
                    if entry.is_symlink():
                        n_links += 1
                        if n_links <= MOST_LINKS:
                            broken[entry.path] = "it is a symbolic link, and links are not followed."
                    elif entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
        except OSError as error:
            broken[str(folder)] = f"it cannot be read: {error.strerror}."
    return found
