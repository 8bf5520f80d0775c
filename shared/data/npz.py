"""Reading anybody's own images from an .npz file: x_train, y_train, x_test, y_test as Keras has them, or x and y; and
the names of the classes, if it has them."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared.choices import Inputs, TaskName
from shared.data import own
from shared.data.dataset import RawImages, Unsplit
from shared.data.own import FREE_BYTES, MAX_CLASSES, MAX_RATIO, NAMES, WHOLE
from shared.errors import InputError
from shared.task import TASKS

MOST_SAID = 200  # of names that may be of any length
LAYOUT = (
    "The file must hold x_train and x_test, 8-bit pixels (or floating ones in [0, 1]) of shape (N, H, W) or "
    "(N, H, W, C), and y_train and y_test, integer labels of shape (N,); or x and y, of which --split sets some apart. "
    "It may hold classes, the names of the classes as texts. For regression labels are floating numbers, (N,) or "
    "(N, K), and for several labels an image 0 or 1, (N, K)."
)
CLASSES = "classes"


def read(path: Path, task: TaskName | None = None, inputs: Inputs = "images") -> RawImages | Unsplit:
    """The arrays in `path`, as shared/data/own.py gives them, for a task (None: the one that the labels are of), and a
    network with these inputs.

    Raises InputError where the file cannot be read, lacks an array, or an array has a wrong shape, type or value.
    """
    arrays = _arrays(path)
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


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if not path.is_file():
            raise InputError(f"There is no file {path}. Give the path of an .npz file. {LAYOUT}")
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{path} is not an .npz file but a single array. {LAYOUT}")
            wanted = WHOLE if set(WHOLE) <= set(archive.files) and not set(NAMES) & set(archive.files) else NAMES
            if missing := [name for name in wanted if name not in archive.files]:
                there = ", ".join(archive.files) or "none"
                raise InputError(
                    f"{path} has no array {' and no '.join(missing)}; it holds {there[:MOST_SAID]}. {LAYOUT}"
                )
            named = (*wanted, *(name for name in (CLASSES,) if name in archive.files))
            _check_sizes(path, archive, named)
            arrays = {name: archive[name] for name in named}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib, tokenize and NumPy each have their own for a damaged file
        raise InputError(f"{path} cannot be read as an .npz file: {str(error)[:MOST_SAID]}. {LAYOUT}") from None
    if other := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise InputError(f"{path}: {' and '.join(other)} is no NumPy array. {LAYOUT}")
    return arrays


def _check_sizes(path: Path, archive: "np.lib.npyio.NpzFile", wanted: Sequence[str]) -> None:
    """Before anything is unpacked: a few bytes of a zip archive can stand for very many, and an array can say that it
    is of any size. Raises InputError where what is said is not possible or not in proportion, and what NumPy and
    zipfile raise for damaged files.
    """
    assert archive.zip is not None
    members = archive.zip.infolist()
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(set(names)) < len(names):
        raise InputError(f"{path} has an array twice. Write the file again.")
    for member, name in zip(members, names, strict=True):
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path} is compressed in a way that NumPy does not write. Write the file again.")
        if member.file_size > max(FREE_BYTES, MAX_RATIO * member.compress_size):
            raise InputError(
                f"{path}: {name[:MOST_SAID]} would unpack to {member.file_size:,} bytes, more than {MAX_RATIO} times "
                "what it takes there, which images do not. Write it without compression (numpy.savez) where that is "
                "meant."
            )
    for name in wanted:
        member = members[names.index(name)]
        with archive.zip.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, _, dtype = header.get(version, np.lib.format.read_array_header_2_0)(stream)
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise InputError(
                f"{path}: {name} says that it is of shape {shape} and type {dtype}, which is more than the "
                f"{member.file_size:,} bytes that the file has of it. Write the file again."
            )
