"""The packages of this project are imported from where this very code is, whatever else goes by their names.

A project may have a `shared` or `compare` package of its own in the current folder, or on PYTHONPATH.
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
    """Finds them, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(HOME)]) if path is None and name in NAMES else None


def prefer() -> None:
    """From now on, in this process."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    sys.path.sort(key=lambda entry: hides(Path(entry)))  # what else is in such a folder comes last, too


def hides(folder: Path) -> bool:
    """Whether a package in `folder` goes by one of their names, and is another one."""
    return folder.resolve() != HOME and any(os.path.lexists(folder / name / "__init__.py") for name in NAMES)
