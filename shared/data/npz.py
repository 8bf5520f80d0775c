"""Read a user's own images from an .npz file: x_train, y_train, x_test, y_test as in Keras, or x and y; and the names
of the classes, if it has them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from shared.choices import Inputs, TaskName
from shared.data import npz_file, own
from shared.data.dataset import RawImages, Unsplit
from shared.data.own import MAX_CLASSES, NAMES, WHOLE
from shared.errors import InputError
from shared.task import TASKS

LAYOUT = (
    "The file must hold x_train and x_test: 8-bit pixels (or floating ones in [0, 1]) of shape (N, H, W) or "
    "(N, H, W, C). It must hold y_train and y_test: integer labels of shape (N,). Instead it may hold x and y, from "
    "which --split takes the test images. "
    "It may hold classes, the names of the classes as texts. For regression labels are floating numbers, (N,) or "
    "(N, K), and for several labels an image 0 or 1, (N, K)."
)
CLASSES = "classes"


def read(path: Path, task: TaskName | None = None, inputs: Inputs = "images") -> RawImages | Unsplit:
    """Return the arrays in `path`, as shared/data/own.py checks them, for a task (None: the one that the labels are
    of), and a network with these inputs.

    Raises InputError if the file cannot be read, lacks an array, or an array has a wrong shape, type or value.
    """
    arrays = npz_file.read(path, partial(_wanted, path), LAYOUT)
    names = arrays.pop(CLASSES, None)
    task = task or own.task_of([array for name, array in arrays.items() if name.startswith("y")])
    classes = () if names is None else _classes(path, names, TASKS[task].least_outputs)
    source = own.Source(path, LAYOUT, {name: name for name in arrays})
    if WHOLE[0] in arrays:
        return own.checked_whole(source, arrays, classes, task, inputs)
    return own.checked(source, arrays, classes, task, inputs)


def _classes(path: Path, names: np.ndarray, least: int) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind not in "US" or not least <= len(names) <= MAX_CLASSES:
        raise InputError(
            f"{path}: {CLASSES} is of type {names.dtype} and shape {names.shape}. It must be {least} to "
            f"{MAX_CLASSES:,} texts, as numpy.array(['cat', 'dog']) is, the name of label 0 first."
        )
    found = tuple(str(name.decode("utf-8", "replace") if isinstance(name, bytes) else name) for name in names.tolist())
    own.check_classes(path, found)
    return found


def _wanted(path: Path, there: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the arrays to use from the existing ones. Raises InputError if one is missing."""
    wanted = WHOLE if set(WHOLE) <= set(there) and not set(NAMES) & set(there) else NAMES
    if missing := [name for name in wanted if name not in there]:
        held = ", ".join(there)[: npz_file.MOST_SAID] or "none"
        raise InputError(f"{path} has no array {' and no '.join(missing)}; it holds {held}. {LAYOUT}")
    return (*wanted, *(name for name in (CLASSES,) if name in there))
