"""The inputs of both networks: sizes that the user names or a model states, filled with numbers, or real data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.graphs.node import Arrays
from compare.port.targets import is_targets
from shared import randomness
from shared.data import npz_file
from shared.errors import InputError

N_EXAMPLES = 2  # batch normalisation in training needs more than one
LEAST_LENGTH = 4  # of a sequence of integers that ends with padding
MOST_EXAMPLES = 8  # of real data
FORM = "SIZES such as 3x224x224, NAME=SIZES for one of several, and SIZES:LOW..HIGH for integers"
LAYOUT = "It must hold an array (examples, ...) for each input of the models."
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class InputSize:
    """The shape of one example of an input; `low` and `high` are the bounds of integers, both included."""

    name: str
    sizes: tuple[int, ...]
    low: int | None = None
    high: int | None = None


def parse_sizes(texts: Sequence[str]) -> list[InputSize]:
    """Parse the inputs that `--input` names. Raises InputError."""
    found = []
    for text in texts:
        match = re.fullmatch(
            r"(?:(?P<name>[A-Za-z_]\w*)=)?(?P<sizes>\d+(?:x\d+)*)(?::(?P<low>\d+)\.\.(?P<high>\d+))?", text.strip()
        )
        if match is None:
            raise InputError(f"--input {text!r} is not valid: give {FORM}, without the batch.")
        sizes = tuple(int(n) for n in match["sizes"].split("x"))
        if 0 in sizes or np.prod([float(n) for n in sizes]) > 2**28:
            raise InputError(f"--input {text} has no values, or more than 2^28 an example. Give {FORM}.")
        low, high = (int(match[end]) if match[end] else None for end in ("low", "high"))
        if low is not None and high is not None and low > high:
            raise InputError(f"--input {text}: no integers lie from {low} to {high}. Put the smaller number first.")
        found.append(InputSize(match["name"] or "", sizes, low, high))
    names = [one.name for one in found]
    if len(found) > 1 and ("" in names or len(set(names)) < len(names)):
        raise InputError(f"Several inputs need a name each in --input: give {FORM}.")
    return found


def made_up(asked: Sequence[InputSize], stated: Sequence[Shapes | None]) -> Arrays:
    """Return arrays (N_EXAMPLES, ...) in canonical layout for the inputs asked for, or else for those that a model
    states. `stated` are the shapes of the left and the right model. Raises InputError if no shape is known or they
    differ."""
    known = [shapes for shapes in stated if shapes]
    if len(known) == 2:
        a, b = ([_ones_gone(shape) for shape in shapes.values()] for shapes in known)
        if a != b and not (len(a) == len(b) and all(_compatible(x, y) for x, y in zip(a, b, strict=True))):
            shown = [", ".join("x".join(map(str, shape)) for shape in shapes.values()) for shapes in known]
            raise InputError(
                f"The models take different inputs: the left one {shown[0]}, the right one {shown[1]} (channels "
                "first). Give two models of one input."
            )
    if not asked:
        if not known:
            raise InputError(f"Neither model states its input. Give it with --input: {FORM}.")
        whole = next((shapes for shapes in known if all(n > 0 for s in shapes.values() for n in s)), None)
        if whole is None:
            raise InputError(f"The models leave a size of their input open. Give it with --input: {FORM}.")
        asked = [InputSize(name, shape) for name, shape in whole.items()]
    elif known:
        asked = [_as_stated(one, known, k) for k, one in enumerate(asked)]
    else:
        asked = [_channels_first(one) for one in asked]
    return {one.name or f"input{k or ''}": _filled(one) for k, one in enumerate(asked)}


def _compatible(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return len(a) == len(b) and all(x == y or x <= 0 or y <= 0 for x, y in zip(a, b, strict=True))


def _ones_gone(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _as_stated(one: InputSize, known: Sequence[Shapes], k: int) -> InputSize:
    """Return the sizes in canonical order, as a model states them, whether they were given channels first or last."""
    for shapes in known:
        shape = shapes.get(one.name) or (list(shapes.values())[k] if k < len(shapes) else None)
        if shape is None:
            continue
        last = (*one.sizes[-1:], *one.sizes[:-1])
        for sizes in (one.sizes, last):
            if _compatible(shape, sizes):
                return InputSize(one.name, sizes, one.low, one.high)
        shown = "x".join(str(n) if n > 0 else "?" for n in shape)
        raise InputError(f"--input {'x'.join(map(str, one.sizes))}: a model takes {shown} (channels first). Give that.")
    return _channels_first(one)


def _channels_first(one: InputSize) -> InputSize:
    sizes = one.sizes
    if len(sizes) >= 3 and sizes[-1] <= 4 < sizes[0]:
        sizes = (sizes[-1], *sizes[:-1])
    return InputSize(one.name, sizes, one.low, one.high)


def _filled(one: InputSize) -> np.ndarray:
    shape = (N_EXAMPLES, *one.sizes)
    n = int(np.prod(shape))
    draw = randomness.uniform(n, f"input {one.name}", 0).reshape(shape)
    if one.low is not None and one.high is not None:
        whole: np.ndarray = (one.low + np.floor(draw * (one.high - one.low + 1))).astype(np.int64)
        return _ended(whole, one.low) if one.low == 0 < one.high and one.sizes[-1] >= LEAST_LENGTH else whole
    values: np.ndarray = 2 * draw - 1
    return values


def _ended(whole: np.ndarray, padding: int) -> np.ndarray:
    """Return sequences of integers as models with padding expect them: zeros at the end of the last one, and nowhere
    else."""
    whole = np.where(whole == padding, padding + 1, whole)
    whole[-1, ..., -(whole.shape[-1] // 3) :] = padding
    return whole


def batch_of(array: np.ndarray, number: int) -> np.ndarray:
    """Return the MOST_EXAMPLES examples of one batch, counted from 0; after the last full batch the first follows."""
    start = number % max(len(array) // MOST_EXAMPLES, 1) * MOST_EXAMPLES
    found: np.ndarray = array[start : start + MOST_EXAMPLES]
    return found


def read(path: Path, stated: Sequence[Shapes | None], batch: int = 0) -> Arrays:
    """Read the arrays of an .npz file by name, in canonical layout: MOST_EXAMPLES examples of each, from one batch.
    Raises InputError."""
    arrays = npz_file.read(path, lambda names: [n for n in names if not is_targets(n, stated)], LAYOUT)
    if not arrays:
        raise InputError(f"{path.name} holds no array. Give one array for every input of the models.")
    for name, array in arrays.items():
        if array.ndim < 2 or array.dtype.kind not in "fiub" or not array.size:
            raise InputError(
                f"{name} in {path.name} is {array.dtype} of shape {array.shape}: an input is (examples, ...) of "
                "numbers."
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(f"{name} in {path.name} has values that are NaN or infinite. Take them out.")
    known = [shapes for shapes in stated if shapes]
    found = {}
    for k, (name, array) in enumerate(arrays.items()):
        one = (
            _as_stated(InputSize(name, array.shape[1:]), known, k)
            if known
            else _channels_first(InputSize(name, array.shape[1:]))
        )
        taken = batch_of(array, batch)
        if one.sizes != array.shape[1:]:
            taken = np.moveaxis(taken, -1, 1)
        whole = taken.dtype.kind in "iub" and taken.dtype != np.uint8
        found[name] = taken.astype(np.int64) if whole else taken.astype(np.float64)
    return found


def larger(inputs: Mapping[str, np.ndarray], times: float) -> Arrays:
    """Return the same inputs with larger values; integers are unchanged."""
    return {name: array * times if array.dtype.kind == "f" else array for name, array in inputs.items()}
