"""Data sets in MNIST's own format (IDX), raw or gzipped; files are recognised by their content.

A file is recognised by the SHA-256 of its decompressed content, whatever its compression and its source.
"""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from shared.data import idx_header
from shared.data.dataset import Damaged, Download, RawImages, looking_into, reading
from shared.data.idx_header import IdxHeader
from shared.errors import InputError

N_SLACK_BYTES = 1 << 20  # a gzip stream can be a little larger than its content


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its name (without .gz), the shape of its 8-bit array, and the SHA-256 of its content."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> IdxHeader:
        return IdxHeader(self.shape)

    @property
    def n_bytes(self) -> int:
        return self.header.n_bytes


@dataclass(frozen=True)
class IdxDataset:
    """A data set of four IDX files, in `<data-dir>/<folder>/raw`."""

    name: str
    folder: str
    mirrors: tuple[str, ...]
    x_train: IdxFile
    y_train: IdxFile
    x_test: IdxFile
    y_test: IdxFile

    @property
    def files(self) -> tuple[IdxFile, ...]:
        return (self.x_train, self.y_train, self.x_test, self.y_test)

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.files)

    def folder_in(self, data_dir: Path) -> Path:
        """Return the folder of the files."""
        return data_dir / self.folder / "raw"

    def missing_files(self, data_dir: Path) -> list[str]:
        """Return the names of the files that exist neither raw nor gzipped."""
        folder = self.folder_in(data_dir)
        with looking_into(data_dir, folder):
            return [file.name for file in self.files if not _find(file, folder).exists()]

    def read(self, data_dir: Path) -> RawImages:
        """Return the four arrays; images get a channel axis, (N, 28, 28, 1).

        Raises InputError if a file is missing, unreadable, truncated or altered.
        """
        folder = self.folder_in(data_dir)
        if missing := self.missing_files(data_dir):
            raise InputError(
                f"The data set '{self.name}' is not complete in {folder}: no {' and no '.join(missing)} "
                f"(with or without .gz). Give the folder that holds {self.folder}/raw with --data-dir, or fetch it "
                f"with 'python -m compare data {self.name}'."
            )
        advice = (
            f"Move it elsewhere and fetch it again with 'python -m compare data {self.name}', or give another folder "
            f"with --data-dir. Files of your own are read with '--dataset idx:{folder}'."
        )
        x_train, y_train, x_test, y_test = (_read_file(_find(file, folder), file, advice) for file in self.files)
        return RawImages(x_train[..., None], y_train, x_test[..., None], y_test)

    def downloads(self, missing: Sequence[str]) -> list[Download]:
        """Return one gzipped file for each file in `missing`."""
        return [
            Download(f"{file.name}.gz", file.n_bytes + N_SLACK_BYTES, partial(_checked, file))
            for file in self.files
            if file.name in missing
        ]


def _find(file: IdxFile, folder: Path) -> Path:
    """Return the path of `file` in `folder`: the raw file if it exists, else the gzipped one, existing or not."""
    raw = folder / file.name
    return raw if raw.exists() else folder / f"{file.name}.gz"


def _read_file(path: Path, file: IdxFile, advice: str) -> np.ndarray:
    with reading(path, advice):
        return _array(path, file)


def _checked(file: IdxFile, path: Path) -> list[Path]:
    """Check a download, which is the file itself and stays gzipped."""
    _array(path, file)
    return [path]


def _array(path: Path, file: IdxFile) -> np.ndarray:
    """Return the array in `path`. Raises Damaged unless its content is that of `file`."""
    content = _content(path, file.n_bytes)
    _check_start(content, file)
    if len(content) < file.n_bytes:
        raise Damaged(f"is cut off: it holds {len(content):,} of {file.n_bytes:,} bytes")
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise Damaged(
            f"is not the original {file.name}: the SHA-256 of its (decompressed) content is {sha256}, and the "
            f"original's is {file.sha256}"
        )
    return np.frombuffer(content, np.uint8, offset=file.header.size).reshape(file.shape)


def _check_start(content: bytes, file: IdxFile) -> None:
    """Raise Damaged if `content` is of another file: a user's own images are not a truncated original."""
    found = idx_header.parse(content)
    if found not in (None, file.header):
        raise Damaged(
            f"is not the original {file.name}: its header says {found.in_words}, and the original has "
            f"{file.header.in_words}"
        )
    if len(content) > file.n_bytes:
        raise Damaged(f"is not the original {file.name}: it holds more than {file.n_bytes:,} bytes")
    if len(content) < file.n_bytes and not content.startswith(file.header.content()[: len(content)]):
        raise Damaged(f"is not the original {file.name}: it does not begin as an IDX file does")


def _content(path: Path, n_bytes: int) -> bytes:
    """Return the decompressed content of `path`, reading no further than one byte past `n_bytes`."""
    if path.suffix != ".gz":
        with path.open("rb") as stream:
            return stream.read(n_bytes + 1)
    try:
        with gzip.open(path) as stream:
            return stream.read(n_bytes + 1)
    except EOFError:
        raise Damaged("is cut off: its gzip stream ends early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(f"cannot be unpacked: {error}") from None
