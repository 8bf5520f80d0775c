"""Import this project's packages from this very code, even if others have the same names.

A user's project may have its own `shared` or `compare` package in the current folder, or on PYTHONPATH.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

HOME = Path(__file__).resolve().parents[1]
NAMES = ("compare", "shared", "torch_impl", "tf_impl", "tf_lowlevel_impl")


class Finder:
    """A finder for these packages, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(HOME)]) if path is None and name in NAMES else None


def prefer() -> None:
    """Prefer these packages from now on, in this process."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    sys.path.sort(key=lambda entry: hides(Path(entry)))  # everything else in such a folder comes last, too


def hides(folder: Path) -> bool:
    """Whether `folder` has another package with one of their names."""
    return folder.resolve() != HOME and any(os.path.lexists(folder / name / "__init__.py") for name in NAMES)
