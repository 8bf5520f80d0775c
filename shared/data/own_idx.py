"""Read a user's own images from a folder of four IDX files, MNIST's format: `--dataset idx:DIR`."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from shared.data import idx_header, own
from shared.data.dataset import Damaged, RawImages, reading
from shared.data.own import FREE_BYTES, MAX_RATIO, NAMES
from shared.errors import InputError

PREFIX = "idx:"
# MNIST's own names, and those that unpacking programs turn them into.
FILES = {
    "x_train": ("train-images-idx3-ubyte", "train-images.idx3-ubyte", "train-images-idx4-ubyte"),
    "y_train": ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
    "x_test": ("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "t10k-images-idx4-ubyte"),
    "y_test": ("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"),
}
LAYOUT = (
    f"The folder must hold {', '.join(names[0] for names in FILES.values())}, each with or without .gz: 8-bit pixels "
    "(or floating ones in [0, 1]) of shape (N, H, W) or (N, H, W, C), and integer labels of shape (N,)."
)
ADVICE = "Write it again, or give another folder."


def folder_of(dataset: str) -> Path | None:
    """Return DIR if `dataset` is `idx:DIR`, else None. Raises InputError if DIR is empty."""
    return own.folder_after(PREFIX, dataset, LAYOUT)


def read(folder: Path) -> RawImages:
    """Return the four arrays in `folder`, as shared/data/own.py checks them.

    Raises InputError if a file is missing, unreadable, cut off or longer than it says, or if an array has a wrong
    shape, type or value.
    """
    paths = _paths(folder)
    arrays = {}
    for name in NAMES:
        with reading(paths[name], ADVICE):
            arrays[name] = array_in(paths[name])
    return own.checked(own.Source(folder, LAYOUT, {name: paths[name].name for name in NAMES}), arrays)


def _paths(folder: Path) -> dict[str, Path]:
    """Return the file of each array; if it exists raw and gzipped, the raw one."""
    try:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}. Give one with {PREFIX}DIR. {LAYOUT}")
        there = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be read: {error.strerror}. Give another folder.") from None
    found = {
        array: next((folder / name for name in (*names, *(f"{name}.gz" for name in names)) if name in there), None)
        for array, names in FILES.items()
    }
    if missing := [FILES[array][0] for array, path in found.items() if path is None]:
        raise InputError(f"{folder} has no {' and no '.join(missing)}. {LAYOUT} Rename yours, or give another folder.")
    return {array: path for array, path in found.items() if path is not None}


def array_in(path: Path) -> np.ndarray:
    """Return the array in `path`. Raises Damaged unless the file is complete and has nothing else."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            start = stream.read(idx_header.MAX_HEADER_BYTES)
            header = idx_header.parse(start)
            if header is None:
                raise Damaged("is not an IDX file: it does not begin as one")
            _check_size(path, header)
            content = start + stream.read(max(0, header.n_bytes + 1 - len(start)))
    except EOFError:
        raise Damaged("is cut off: its gzip stream ends early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(f"cannot be unpacked: {error}") from None
    if len(content) < header.n_bytes:
        raise _cut_off(header, len(content))
    if len(content) > header.n_bytes:
        raise Damaged(f"holds more than the {header.n_bytes:,} bytes of its {header.in_words}")
    array = np.frombuffer(content, header.dtype, offset=header.size).reshape(header.shape)
    return array.astype(header.dtype.newbyteorder("="), copy=False)


def _check_size(path: Path, header: idx_header.IdxHeader) -> None:
    """Raise Damaged if the file cannot contain what its header says, before memory is allocated for it."""
    on_disk = path.stat().st_size
    if path.suffix != ".gz" and header.n_bytes > on_disk:
        raise _cut_off(header, on_disk)
    if header.n_bytes > max(FREE_BYTES, MAX_RATIO * on_disk):
        raise Damaged(
            f"would unpack to {header.n_bytes:,} bytes, more than {MAX_RATIO} times what it takes there, which images "
            "do not. Unpack it (gunzip) if that is meant"
        )


def _cut_off(header: idx_header.IdxHeader, n_bytes: int) -> Damaged:
    return Damaged(
        f"is cut off: its header says {header.in_words}, which are {header.n_bytes:,} bytes, and it holds {n_bytes:,}"
    )
