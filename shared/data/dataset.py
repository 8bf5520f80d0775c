"""The interface of a named data set, in any format; each format has its own module, idx.py and cifar.py."""

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from shared.choices import Inputs, TaskName
from shared.errors import InputError
from shared.storage import files, mounts


@dataclass(frozen=True)
class RawImages:
    """Images (N, H, W, C), 8-bit or floating in [0, 1], and integer labels (N,), for training and for testing. For a
    `task` other than classification, labels are floating (N, K). For other `inputs`, the images are vectors (N, D),
    sequences (N, T, D), or tokens (N, T).

    `notes` are sentences on how they were read, if their owner should know. `classes` are the names of the classes, if
    the data have names for them.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    task: TaskName = "classification"
    inputs: Inputs = "images"

    @property
    def noun(self) -> str:
        """The plural noun for its inputs."""
        return "images" if self.inputs == "images" else "examples"


@dataclass(frozen=True)
class Unsplit:
    """Images and labels as in `RawImages`, without a test part yet."""

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    task: TaskName = "classification"
    inputs: Inputs = "images"


def unit(images: np.ndarray) -> np.ndarray:
    """Return `images` of any shape as float32 in [0, 1]: 8-bit pixels are divided by 255."""
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return images.astype(np.float32)


class Damaged(Exception):
    """The error in a file's content, in words that follow the file's name: 'is cut off: ...'."""


@dataclass(frozen=True)
class Download:
    """A file that every mirror of a data set has, and how to extract the data set's files from it.

    `unpack` takes the path of the downloaded file and returns the paths of the files, in the same folder and each
    checked. It raises Damaged if one of them is missing or not the original.
    """

    name: str
    max_bytes: int
    unpack: Callable[[Path], list[Path]]


class Dataset(Protocol):
    """A data set: where its files are in a data folder, how they are read, and what is fetched for them."""

    @property
    def name(self) -> str:
        """Its name in requests."""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The addresses of its downloads."""

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of all its files."""

    def folder_in(self, data_dir: Path) -> Path:
        """Return the folder of its files."""

    def missing_files(self, data_dir: Path) -> list[str]:
        """Return the names of its missing files."""

    def read(self, data_dir: Path) -> RawImages:
        """Return its arrays. Raises InputError if a file is missing, unreadable or not the original."""

    def downloads(self, missing: Sequence[str]) -> list[Download]:
        """Return the downloads for the files named in `missing`, and no others."""


@contextmanager
def reading(path: Path, advice: str) -> Iterator[None]:
    """Report errors while `path` is read as InputError, with `advice` if it is damaged. A pipe is not read, because
    that would wait."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Damaged("is not a file")
        files.opened(path).close()  # reading one of the system's files may wait
        yield
    except Damaged as damaged:
        raise InputError(f"{path} {damaged}. {advice}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}. Make it readable, or give another folder.") from None


@contextmanager
def looking_into(data_dir: Path, folder: Path) -> Iterator[None]:
    """Report an inaccessible `folder` of `data_dir` as InputError while files are searched there."""
    try:
        mounts.bring(folder)
        yield
    except OSError as error:
        raise InputError(
            f"The data folder {data_dir} cannot be read: {error.strerror}. Give another one with --data-dir."
        ) from None
