"""Data sets in CIFAR-10's own format, Python 2's pickles; files are recognised by their MD5."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from shared.data import archive, inert_pickle
from shared.data.dataset import Damaged, Download, RawImages, looking_into, reading
from shared.data.inert_pickle import Recorded
from shared.errors import InputError

MAX_FILE_BYTES = 32 << 20  # those of CIFAR-10 have 31.0 million
MAX_ARCHIVE_BYTES = 256 << 20  # CIFAR-10's has 170 million, and 186 million unpacked

N_PIXELS = 3 * 32 * 32
ADVICE = (
    "Move it elsewhere and fetch it again, or give another folder with --data-dir. Put your own images, or a part of "
    "these, into an .npz file, and give it as '--dataset FILE.npz'."
)

# The functions that an array's pickle names; their module moved in NumPy 2.
ARRAY_MAKERS = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
NAMES = frozenset({*ARRAY_MAKERS, "numpy.ndarray", "numpy.dtype"})


@dataclass(frozen=True)
class CifarFile:
    """One file: its name and the MD5 of its content."""

    name: str
    md5: str


@dataclass(frozen=True)
class CifarDataset:
    """A data set of batches of `n_images` each, in `<data-dir>/<folder>` as in the archive.

    `meta` has the names of the classes. It is not used here, but torchvision needs it.
    """

    name: str
    folder: str
    mirrors: tuple[str, ...]
    archive: str
    n_images: int
    train: tuple[CifarFile, ...]
    test: tuple[CifarFile, ...]
    meta: CifarFile

    @property
    def files(self) -> tuple[CifarFile, ...]:
        return (*self.train, *self.test, self.meta)

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.files)

    def folder_in(self, data_dir: Path) -> Path:
        """Return the folder of the files."""
        return data_dir / self.folder

    def missing_files(self, data_dir: Path) -> list[str]:
        """Return the names of the missing files."""
        folder = self.folder_in(data_dir)
        with looking_into(data_dir, folder):
            return [file.name for file in self.files if not (folder / file.name).exists()]

    def read(self, data_dir: Path) -> RawImages:
        """Return the four arrays, 8-bit; images are (N, 32, 32, 3).

        Raises InputError if a file is missing, unreadable, truncated or altered.
        """
        folder = self.folder_in(data_dir)
        if missing := self.missing_files(data_dir):
            raise InputError(
                f"The data set '{self.name}' is not complete in {folder}: no {' and no '.join(missing)}. Give the "
                f"folder that holds {self.folder} with --data-dir, or fetch it with 'python -m compare data "
                f"{self.name}'."
            )
        with reading(folder / self.meta.name, ADVICE):
            _content(folder / self.meta.name, self.meta)
        return RawImages(*self._arrays(folder, self.train), *self._arrays(folder, self.test))

    def downloads(self, missing: Sequence[str]) -> list[Download]:
        """Return the only archive, from which the files in `missing` are taken."""
        files = [file for file in self.files if file.name in missing]
        return [Download(self.archive, MAX_ARCHIVE_BYTES, partial(_unpacked, self.folder, files))] if files else []

    def _arrays(self, folder: Path, files: Sequence[CifarFile]) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels of all `files`, one file after the other."""
        batches = [_read_file(folder / file.name, file, self.n_images) for file in files]
        rows = np.concatenate([rows for rows, _ in batches])
        images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), np.concatenate([labels for _, labels in batches])


def _read_file(path: Path, file: CifarFile, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    with reading(path, ADVICE):
        return _batch(_content(path, file), n_images)


def _content(path: Path, file: CifarFile) -> bytes:
    """Return the content of `path`. Raises Damaged unless it is that of `file`."""
    with path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise Damaged(f"is not the original {file.name}: it holds more than {MAX_FILE_BYTES:,} bytes")
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        raise Damaged(
            f"is not the original {file.name}: the MD5 of its {len(content):,} bytes is {md5}, and the original's is "
            f"{file.md5}"
        )
    return content


def _unpacked(folder: str, files: Sequence[CifarFile], path: Path) -> list[Path]:
    """Unpack the `files` from the archive at `path`, if they are in `folder`, to the archive's folder."""
    paths = {file: path.with_name(file.name) for file in files}
    archive.take(path, {f"{folder}/{file.name}": paths[file] for file in files}, MAX_FILE_BYTES, MAX_ARCHIVE_BYTES)
    for file in files:
        try:
            _content(paths[file], file)
        except Damaged as damaged:
            raise Damaged(f"has a {file.name} that {damaged}") from None
    return list(paths.values())


def _batch(content: bytes, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of pixels (N, 3072), one plane of colour after the other, and the labels (N,), from a pickle."""
    fields = inert_pickle.loads(content, NAMES)
    if not isinstance(fields, dict):
        raise Damaged("holds no batch of images but another kind of pickle")
    return _rows(fields.get(b"data"), n_images), _labels(fields.get(b"labels"), n_images)


def _rows(value: object, n_images: int) -> np.ndarray:
    shape = (n_images, N_PIXELS)
    match value:
        case Recorded(
            name=name,
            state=(_, found, Recorded(name="numpy.dtype", args=(b"u1" | "u1", *_)), in_columns, bytes(raw)),
        ) if name in ARRAY_MAKERS and found == shape and len(raw) == n_images * N_PIXELS:
            return np.frombuffer(raw, np.uint8).reshape(shape, order="F" if in_columns else "C")
    raise Damaged(f"holds no batch of images: its 'data' is not an 8-bit array of shape {shape}")


def _labels(value: object, n_images: int) -> np.ndarray:
    if not (isinstance(value, list) and len(value) == n_images and all(type(v) is int and 0 <= v <= 9 for v in value)):
        raise Damaged(f"holds no batch of images: its 'labels' are not a list of {n_images:,} integers from 0 to 9")
    return np.array(value, np.uint8)
