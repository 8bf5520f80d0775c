"""Check that an output folder is still the one that a command began to fill: it may be removed or replaced."""

from pathlib import Path


class Presence:
    """The identity of the folder, and a file that must stay in it while the command is at work there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._identity = _identity(folder)
        self._kept: list[Path] = []

    def keep(self, path: Path) -> None:
        """Consider the folder removed as soon as `path` is gone. One file is enough: emptying a folder removes all."""
        if len(self._kept) < 2:
            self._kept.append(path)

    def forget(self, path: Path) -> None:
        """Note that the command itself has removed the file."""
        self._kept = [kept for kept in self._kept if kept != path]

    @property
    def lost(self) -> str | None:
        """A sentence that the folder is gone; None if it is not."""
        if _identity(self._folder) == self._identity and all(path.exists() for path in self._kept):
            return None
        return (
            f"the output folder {self._folder} was removed or replaced while this command was at work in it, and "
            "nothing more is written there. Start again, and leave the folder alone until the command has ended"
        )


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
