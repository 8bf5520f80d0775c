"""Import a large library at less cost: without its optional libraries, and without garbage searches."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

# Keras imports these only if they are installed, for wrappers, plots and data frames; and TensorFlow imports Keras.
OPTIONAL = ("matplotlib", "pandas", "sklearn")
_plain = False  # whether this process imports the same as a user's own


def import_plainly() -> None:
    """Let `lean_import` hide nothing in this process from now on. A process whose start and memory are measured must
    import the same as a user's own process in the same environment."""
    global _plain  # noqa: PLW0603  a process is plain or not, from its first import on
    _plain = True


def imports_plainly() -> bool:
    """Return whether this process imports the same as a user's own, and nothing that only other processes need."""
    return _plain


@contextmanager
def lean_import(*others: str) -> Iterator[None]:
    """Import a framework in this context without OPTIONAL and `others`, unless this process imports plainly."""
    with without(*(() if _plain else (*others, *OPTIONAL))):
        yield


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports of the modules `names` fail in this context, as if they were not installed; modules that are already
    imported stay.

    This is for libraries that import others only for extra features, and work without them. Keras has wrappers for
    scikit-learn, plots with Matplotlib and takes data frames, which is half the time of its import.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None marks a module that does not exist
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def for_good() -> Iterator[None]:
    """Exclude everything that is imported in this context from garbage collection, during and after it.

    A framework is a million objects. Searching them repeatedly takes a quarter of TensorFlow's import: 1.1 of 4.4 s of
    processor time, and 0.2 of 1.6 s of PyTorch's. Each full collection afterwards takes 0.3 s.
    """
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in this context."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def leave() -> NoReturn:
    """End this process at once, with exit code 0, after its exit handlers. A framework's million objects are not
    destroyed one by one, which would take 0.2 to 0.5 s of processor time."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
