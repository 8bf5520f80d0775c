"""Small made-up data sets of a user's own, for tests of reading them and of the warnings about them."""

from pathlib import Path

import idx_files
import numpy as np

Arrays = dict[str, np.ndarray]
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def arrays(n_train: int = 40, n_test: int = 20) -> Arrays:
    """Return 8-bit noise (N, 28, 28) with ten alternating classes, which needs no warning."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (n_train, 28, 28), np.uint8),
        "y_train": (np.arange(n_train) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (n_test, 28, 28), np.uint8),
        "y_test": (np.arange(n_test) % 10).astype(np.uint8),
    }


def save_npz(path: Path, arrays: Arrays) -> str:
    """Write `arrays` to `path`; return what --dataset takes."""
    np.savez(path, **arrays)
    return str(path)


def save_idx(folder: Path, arrays: Arrays, gzipped: bool = False) -> str:
    """Write 8-bit `arrays` to `folder` in MNIST's format; return what --dataset takes."""
    idx_files.write(folder, {IDX_NAMES[name]: idx_files.idx_bytes(a) for name, a in arrays.items()}, gzipped)
    return f"idx:{folder}"
