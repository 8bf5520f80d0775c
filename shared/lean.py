"""Importing a large library without the optional ones that it would load with it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
