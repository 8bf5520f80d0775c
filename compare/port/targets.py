"""The targets of two losses: from data, or made up to fit both."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compare.adapters.loss_names import ONE_HOT, RECORD, VALUES
from shared import randomness
from shared.data import npz_file
from shared.errors import InputError

NAMES = ("targets", "labels")
LAYOUT = "It may hold targets, finite numbers."
Forms = tuple[str, ...]


def read(path: Path, stated: Sequence[Mapping[str, object] | None]) -> np.ndarray | None:
    """Read the targets from an .npz file: the array with that name; None if it has none. Raises InputError."""
    arrays = npz_file.read(path, lambda names: [n for n in names if is_targets(n, stated)][:1], LAYOUT)
    if not arrays:
        return None
    (found,) = arrays.values()
    real = found.dtype.kind in "fiub" and (found.dtype.kind != "f" or bool(np.isfinite(found).all()))
    if found.ndim < 1 or not real:
        what = f"{found.dtype} of shape {found.shape}"
        raise InputError(f"The targets in {path.name} are {what}: give finite numbers, (examples, ...).")
    return found


def is_targets(name: str, stated: Sequence[Mapping[str, object] | None]) -> bool:
    """Whether an array holds the targets: it has their name, and no model has such an input."""
    return name in NAMES and not any(shapes and name in shapes for shapes in stated)


def choices(
    forms: tuple[Forms, Forms], given: np.ndarray | None, outputs: np.ndarray
) -> list[tuple[np.ndarray, str, str]]:
    """Return possible targets, the likeliest first, with the form in which each side takes them. `outputs` are
    (N, C, ...), and `given` are targets from data. Raises InputError if those do not fit."""
    n_classes = outputs.shape[1] if outputs.ndim > 1 else 1
    if given is not None and all(some == (RECORD,) for some in forms):
        return [(fitting(given, outputs), RECORD, RECORD)]
    if given is not None:
        targets = fitting(given, outputs)
        by_number = targets.ndim < outputs.ndim
    else:
        by_number = n_classes > 1 and any(some != (VALUES,) for some in forms)
        known = [some for some in forms if len(some) == 1]
        if len(known) < len(forms) and known and all(some == (VALUES,) for some in known):
            by_number = False
        targets = _classes(outputs) if by_number else _values(outputs)
    options = [[form for form in some if (form != VALUES) == by_number] for some in forms]
    if n_classes == len(outputs):  # class numbers could be read as the values of an example
        options = [sorted(some, key=lambda form: form != ONE_HOT) for some in options]
    instead = ONE_HOT if by_number else VALUES  # a loss of values takes classes as one-hot vectors
    found = [(targets, a, b) for a in options[0] or [instead] for b in options[1] or [instead]]
    if given is None and by_number and all(VALUES in some for some in forms):
        found.append((_values(outputs), VALUES, VALUES))
    return found


def _classes(outputs: np.ndarray) -> np.ndarray:
    """Return a class for every example and place, each about equally often."""
    shape = (outputs.shape[0], *outputs.shape[2:])
    n = int(np.prod(shape))
    places = np.argsort(randomness.uniform(n, "targets", 0), kind="stable")
    classes: np.ndarray = ((2 * places + 1) * outputs.shape[1] // (2 * n)).reshape(shape).astype(np.int64)
    return classes


def _values(outputs: np.ndarray) -> np.ndarray:
    """Return values from 0 to 1, which are probabilities if there are several classes: they fit every loss."""
    draw = 0.1 + 0.8 * randomness.uniform(outputs.size, "targets", 0).reshape(outputs.shape)
    several = outputs.ndim > 1 and outputs.shape[1] > 1
    values: np.ndarray = draw / draw.sum(1, keepdims=True) if several else draw
    return values


def fitting(given: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return targets from data in canonical layout: in the outputs' shape, or a class for every example and place.
    Raises InputError if they have neither form."""
    taken = given[: len(outputs)]
    wanted, places = outputs.shape, (outputs.shape[0], *outputs.shape[2:])
    n = outputs.shape[1] if outputs.ndim > 1 else 1
    for each in (taken, np.moveaxis(taken, -1, 1) if taken.ndim > 2 else taken):
        if each.shape == wanted:
            same: np.ndarray = each.astype(np.float64)
            return same
    if taken.size == int(np.prod(wanted)):
        values: np.ndarray = taken.reshape(wanted).astype(np.float64)
        return values
    if taken.size == int(np.prod(places)) and np.array_equal(taken, np.round(taken)):
        classes: np.ndarray = taken.reshape(places).astype(np.int64)
        if classes.size and classes.max() >= n:
            raise InputError(f"The targets go up to class {classes.max()}, and the outputs have {n} classes.")
        return classes
    raise InputError(
        f"The targets have the shape {given.shape} for outputs of shape {wanted} (channels first): give one class for "
        "every example, or values of the outputs' shape."
    )


def probes(n_classes: int, ignored: Sequence[int], by_number: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs (64, C) and their targets, which include every class and those that a loss ignores. A batch may
    lack some of these."""
    outputs = 6 * randomness.uniform(64 * n_classes, "probes", 0).reshape(64, n_classes) - 3
    if not by_number:
        return outputs, _values(outputs)
    targets = np.arange(64) % n_classes
    for place, one in enumerate(ignored):
        targets[place::8] = one
    return outputs, targets.astype(np.int64)
