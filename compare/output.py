"""The output folder: made before anything is trained, filled file by file, each written whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from compare.manifest import Manifest, hashes, sealed
from shared.errors import InputError


class WriteError(Exception):
    """A result could not be written: the disk is full, or the folder is gone or locked."""


class OutputFolder:
    """A new folder for one study."""

    def __init__(self, path: Path) -> None:
        """Make the folder. Raises InputError where it cannot be made or written to, or holds something already."""
        check_vacant(path)
        self.path = path
        self._made: list[Path] = []
        self._written: list[Path] = []
        try:
            for folder in (*reversed([p for p in (path, *path.parents) if not p.exists()]), self.log_dir):
                folder.mkdir()
                self._made.insert(0, folder)
        except OSError as error:
            self._remove_made()
            raise _unusable(path, error) from None

    @property
    def log_dir(self) -> Path:
        """Where the workers' logs go."""
        return self.path / "logs"

    def write(self, name: str, content: bytes) -> None:
        """Write the file `name` (at most one folder deep): it appears whole, or not at all and WriteError is raised."""
        target = self.path / name
        try:
            if not target.parent.exists():
                target.parent.mkdir()
                self._made.insert(0, target.parent)
        except OSError as error:
            raise WriteError(f"{target} cannot be written: {error.strerror}") from None
        write_whole(target, content)
        self._written.append(target)

    def write_all(self, files: Mapping[str, bytes], manifest: Manifest) -> None:
        """Write `files`, their contents by name, and then the manifest of all that is in the folder, and its hash."""
        for name, content in files.items():
            self.write(name, content)
        for name, content in sealed(manifest, hashes(self.path)).items():
            self.write(name, content)

    def discard(self) -> None:
        """Take away what was made: every file, and the folder and its parents where they were not there before."""
        for file in (*self._written, *self.log_dir.iterdir()):
            file.unlink()
        self._remove_made()

    def _remove_made(self) -> None:
        for folder in self._made:
            if not any(folder.iterdir()):
                folder.rmdir()


def write_whole(target: Path, content: bytes) -> None:
    """Write the file `target`, in a folder that is there: it appears whole, or not at all and WriteError is raised."""
    try:
        with tempfile.NamedTemporaryFile(prefix=f".{target.name}-", dir=target.parent, delete=False) as stream:
            try:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                Path(stream.name).chmod(0o644)
                Path(stream.name).replace(target)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise WriteError(f"{target} cannot be written: {error.strerror}") from None


def end_early(
    folder: OutputFolder, stopped_by: KeyboardInterrupt | WriteError, anything_finished: bool, unit: str
) -> int:
    """Say why there is no more, and what became of what was there; return the exit code."""
    what = "Interrupted" if isinstance(stopped_by, KeyboardInterrupt) else f"Stopped: {stopped_by}"
    if anything_finished:
        print(f"{what}. What was finished is kept in {folder.path}.", file=sys.stderr)
    else:
        folder.discard()
        print(f"{what}. No {unit} had ended; nothing was kept.", file=sys.stderr)
    return 130 if isinstance(stopped_by, KeyboardInterrupt) else 1


def check_vacant(path: Path) -> None:
    """Raise InputError unless `path` is an empty folder, or nothing yet."""
    try:
        occupied = path.exists() and any(path.iterdir())
    except OSError as error:
        raise _unusable(path, error) from None
    if occupied:
        raise InputError(
            f"The output folder {path} is not empty, and nothing in it is overwritten. Give another one with --out, "
            "or remove it."
        )


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(f"The output folder {path} cannot be used: {error.strerror}. Give another one with --out.")
