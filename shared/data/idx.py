"""Reading MNIST's own format (IDX), raw or gzipped, and recognising its files by their content."""

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from shared.data.catalog import IdxDataset, IdxFile
from shared.data.raw import RawImages
from shared.errors import InputError


def read(dataset: IdxDataset, data_dir: Path) -> RawImages:
    """The four arrays of `dataset`; images get a channel axis, (N, 28, 28, 1).

    Raises InputError where a file is missing, unreadable, truncated or altered.
    """
    folder = folder_of(dataset, data_dir)
    if missing := missing_files(dataset, data_dir):
        raise InputError(
            f"The data set '{dataset.name}' is not complete in {folder}: no {' and no '.join(missing)} "
            f"(with or without .gz). Give the folder that holds {dataset.folder}/raw with --data-dir, or fetch it with "
            f"'python -m compare data {dataset.name}'."
        )
    x_train, y_train, x_test, y_test = (_read_file(find(f, folder), f) for f in dataset.files)
    return RawImages(x_train[..., None], y_train, x_test[..., None], y_test)


def folder_of(dataset: IdxDataset, data_dir: Path) -> Path:
    """The folder in which the files of `dataset` lie."""
    return data_dir / dataset.folder / "raw"


def missing_files(dataset: IdxDataset, data_dir: Path) -> list[str]:
    """The names of the files of `dataset` that are there neither raw nor gzipped."""
    folder = folder_of(dataset, data_dir)
    try:
        return [f.name for f in dataset.files if not find(f, folder).exists()]
    except OSError as error:
        raise InputError(
            f"The data folder {data_dir} cannot be looked into: {error.strerror}. Give another one with --data-dir."
        ) from None


def find(file: IdxFile, folder: Path) -> Path:
    """Where `file` lies in `folder`: the raw file where there is one, else the gzipped one, there or not."""
    raw = folder / file.name
    return raw if raw.exists() else folder / f"{file.name}.gz"


def check(path: Path, file: IdxFile) -> None:
    """Raise an InputError unless `path` holds the content of `file`."""
    _read_file(path, file)


def _read_file(path: Path, file: IdxFile) -> np.ndarray:
    n_header = 4 + 4 * len(file.shape)
    n_bytes = n_header + math.prod(file.shape)
    content = _content(path, n_bytes)
    if len(content) < n_bytes:
        raise InputError(
            f"{path} is cut off: it holds {len(content):,} of {n_bytes:,} bytes. Remove it and fetch it again."
        )
    if len(content) > n_bytes:
        raise InputError(
            f"{path} is not the original {file.name}: it holds more than {n_bytes:,} bytes. Remove it and fetch it "
            f"again."
        )
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise InputError(
            f"{path} is not the original {file.name}: the SHA-256 of its (decompressed) content is {sha256}, and the "
            f"original's is {file.sha256}. Remove it and fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=n_header).reshape(file.shape)


def _content(path: Path, n_bytes: int) -> bytes:
    """The decompressed content of `path`, reading no further than one byte past `n_bytes`."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                return stream.read(n_bytes + 1)
        with path.open("rb") as stream:
            return stream.read(n_bytes + 1)
    except EOFError:
        raise InputError(f"{path} is cut off: its gzip stream ends early. Remove it and fetch it again.") from None
    except (OSError, zlib.error) as error:
        raise InputError(
            f"{path} cannot be read: {error}. Make it readable, or remove it and fetch it again."
        ) from None
