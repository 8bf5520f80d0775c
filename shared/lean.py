"""Importing a large library for less: without the optional ones that it would load with it, and in one go."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

# Keras imports these only if they are installed, for wrappers, plots and data frames; and TensorFlow imports Keras.
OPTIONAL = ("matplotlib", "pandas", "sklearn")
_plain = False  # whether this process imports what a user's own would


def import_plainly() -> None:
    """Have `lean_import` hide nothing in this process from now on. A process whose start and memory are measured has
    to import what a user's own process would import in the same environment."""
    global _plain  # noqa: PLW0603  a process is plain or not, from its first import on
    _plain = True


def imports_plainly() -> bool:
    """Whether this process imports what a user's own would, and so nothing that only other processes need."""
    return _plain


@contextmanager
def lean_import(*others: str) -> Iterator[None]:
    """Have a framework that is imported inside the block come without OPTIONAL and `others`, unless this process
    imports plainly."""
    with without(*(() if _plain else (*others, *OPTIONAL))):
        yield


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Have imports of the modules `names` fail inside the block, as if they were not installed; modules that are
    imported already stay.

    For libraries that import others only to offer something on top, and go on without them: Keras has wrappers for
    scikit-learn, plots with matplotlib and takes data frames, which is half the time of its import.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how a module is said not to exist
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def for_good() -> Iterator[None]:
    """What the block imports is there for good: it is not searched for garbage, neither meanwhile nor later.

    A framework is a million objects. Searching them again and again takes a quarter of TensorFlow's import: 1.1 of 4.4
    s of processor time, and 0.2 of 1.6 s of PyTorch's. Each full collection afterwards takes 0.3 s.
    """
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage inside the block."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def leave() -> NoReturn:
    """End this process at once, with exit code 0. What is to be done at its end is done. But a framework's million
    objects are not destroyed one by one, which takes 0.2 to 0.5 s of processor time."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
