"""The output folder: created before any training, and filled file by file, each written whole or not at all."""

import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

from compare.folders import leftovers
from compare.folders.leftovers import LOGS
from compare.folders.manifest import MANIFEST, Manifest, hashes, sealed
from compare.folders.presence import Presence
from compare.folders.run_folder import load_manifest
from shared.errors import InputError
from shared.storage import files, inside, lock, mounts


class WriteError(Exception):
    """A result could not be written: the disk is full, or the folder is gone or locked."""


class OutputFolder:
    """The folder of one study, which is locked for other commands."""

    def __init__(self, path: Path) -> None:
        """Create the folder. Raises InputError if it cannot be created or written to, or is not empty."""
        check_vacant(path)
        self.path = path
        self._made: list[Path] = []
        self._written: set[Path] = set()
        try:
            leftovers.clear_unbegun(path)
            for folder in reversed([p for p in (path, *path.parents) if not p.exists()]):
                folder.mkdir()
                self._made.insert(0, folder)
            self._hold()  # before it has anything that a cleanup could remove
            self.log_dir.mkdir()
            self._made.insert(0, self.log_dir)
        except OSError as error:
            self._remove_made()
            raise _unusable(path, error) from None
        self._presence.keep(self.log_dir)

    @classmethod
    def reopened(cls, path: Path) -> "OutputFolder":
        """Open the folder of a study that began earlier, and remove what was incomplete when it ended. Raises
        InputError if it cannot be written to, or another command is at work in it."""
        self = cls.__new__(cls)
        self.path, self._made, self._written = path, [], set()
        inside.check(path)
        try:
            self._hold()
            self.log_dir.mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=path).close()  # checks that it can be written to
            leftovers.clear(path)
        except OSError as error:
            raise _unusable(path, error) from None
        self._presence.keep(self.log_dir)
        return self

    def _hold(self) -> None:
        """Lock the folder until this object or the process is gone."""
        weakref.finalize(self, lock.hold(self.path))
        self._presence = Presence(self.path)

    @property
    def log_dir(self) -> Path:
        """The folder for the workers' logs."""
        return self.path / LOGS

    @property
    def lost(self) -> str | None:
        """A sentence that the folder was removed or replaced; None if it was not."""
        return self._presence.lost

    def write(self, name: str, content: bytes) -> None:
        """Write the file `name`: it appears whole, or not at all and WriteError is raised."""
        target = self.path / name
        if lost := self.lost:
            raise WriteError(lost)
        missing = [p for p in target.parents if p != self.path and self.path in p.parents and not p.exists()]
        write_whole(self.path, name, content)
        self._made = [*missing, *self._made]
        self._written.add(target)
        self._presence.keep(target)

    def remove(self, name: str) -> None:
        """Remove the file `name` if it exists, and then its folder if that is empty."""
        target = self.path / name
        try:
            inside.remove(self.path, name)
            mounts.removed(target)
        except OSError as error:
            raise WriteError(f"{target} cannot be removed: {error.strerror}") from None
        self._written.discard(target)
        self._presence.forget(target)
        if target.parent != self.path and target.parent.is_dir() and not any(target.parent.iterdir()):
            target.parent.rmdir()
            self._made = [folder for folder in self._made if folder != target.parent]

    def write_all(self, files: Mapping[str, bytes], manifest: Manifest) -> None:
        """Write `files`, their contents by name, then the manifest of everything in the folder, and its hash."""
        for name, content in files.items():
            self.write(name, content)
        for name, content in sealed(manifest, hashes(self.path)).items():
            self.write(name, content)

    def discard(self) -> None:
        """Remove what was created: every file, and the folder and its parents if they did not exist before."""
        if self.lost:
            return  # whatever exists there now does not belong to this command
        logs = self.log_dir.iterdir() if self.log_dir.is_dir() else ()
        for file in (*self._written, *(log for log in logs if not log.is_dir())):
            file.unlink(missing_ok=True)
        self._remove_made()

    def _remove_made(self) -> None:
        for folder in self._made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def write_whole(folder: Path, name: str, content: bytes) -> None:
    """Write the file `name` below the existing `folder`, through no link: it appears whole, or not at all and
    WriteError is raised."""
    try:
        inside.write(folder, name, content)
        mounts.written(folder / name)
    except OSError as error:
        raise WriteError(f"{folder / name} cannot be written: {error.strerror}") from None


def add_to_manifest(folder: Path, saved: list[Path]) -> None:
    """Add files saved within `folder`, which this process has locked, to its manifest. The entries of other files stay
    unchanged."""
    here = {path: path.resolve() for path in saved if path.resolve().is_relative_to(folder.resolve())}
    if not (here and (folder / MANIFEST).is_file()):
        return
    known = load_manifest(folder)
    for path in saved:
        mounts.written(path)
    names = {path: inner.relative_to(folder.resolve()).as_posix() for path, inner in here.items()}
    new = {name: files.sha256(path) for path, name in names.items()}
    for name, content in sealed(known, known.files | new).items():
        write_whole(folder, name, content)


def check_vacant(path: Path) -> None:
    """Raise InputError unless `path` is empty, does not exist, or only has what a killed command left."""
    try:
        occupied = path.exists() and any(path.iterdir()) and not leftovers.is_unbegun(path)
    except OSError as error:
        raise _unusable(path, error) from None
    if occupied:
        raise InputError(
            f"The output folder {path} is not empty, and nothing in it is overwritten. Give another one with --out, "
            "or move it elsewhere."
        )


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(f"The output folder {path} cannot be used: {error.strerror}. Give another one with --out.")
