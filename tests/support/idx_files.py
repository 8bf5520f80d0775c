"""A small made-up data set in MNIST's format, for tests of reading and fetching."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

from shared.data.idx import IdxDataset, IdxFile


def idx_bytes(array: np.ndarray) -> bytes:
    """Return an 8-bit array in the IDX format."""
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def make(n_train: int = 30, n_test: int = 10) -> tuple[IdxDataset, dict[str, bytes]]:
    """Return the description of a data set `tiny`, and the content of its files by name."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (n_train, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, n_train).astype(np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (n_test, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, n_test).astype(np.uint8),
    }
    contents = {name: idx_bytes(array) for name, array in arrays.items()}
    files = [IdxFile(n, a.shape, hashlib.sha256(contents[n]).hexdigest()) for n, a in arrays.items()]
    return IdxDataset("tiny", "Tiny", (), *files), contents


def write(folder: Path, contents: dict[str, bytes], gzipped: bool) -> None:
    """Write the files to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        if gzipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
