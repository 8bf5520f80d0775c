"""Add files to a folder of results: by one command at a time, and with a manifest that is correct at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compare.folders import leftovers
from compare.folders.output import add_to_manifest
from compare.processes import signals
from shared.errors import InputError
from shared.storage import lock


@contextmanager
def adding_to(folder: Path, target: Path) -> Iterator[list[Path]]:
    """Lock `folder` for a command that writes to `target`, if that is within it, and remove what killed commands left.

    Yield a list for the paths of files and folders that will be written. However the context ends, the manifest then
    includes those that exist. Raises InputError if another command is at work in the folder.
    """
    if not target.resolve().is_relative_to(folder.resolve()):
        yield []
        return
    with lock.held(folder):
        try:
            leftovers.clear(folder)
        except OSError as error:
            raise InputError(f"{folder} cannot be written to: {error.strerror}. Give another --out.") from None
        written: list[Path] = []
        try:
            yield written
        finally:
            with signals.held_back():
                add_to_manifest(folder, _files(written))


def _files(paths: list[Path]) -> list[Path]:
    """Return the files at `paths`, and in the folders among them."""
    return sorted({file for path in paths for file in (path, *path.rglob("*")) if file.is_file()})
