"""Images and labels: which data sets there are, and the arrays that every implementation is given.

`load` reads a data set once, checks it, scales it and returns arrays; nothing downstream touches a file again.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shared.data import digits, idx, npz
from shared.data.catalog import DATASETS
from shared.data.raw import RawImages
from shared.errors import InputError
from shared.names import check_name

Scale = Literal["unit", "standard"]
N_CLASSES = 10


class DataSpec(BaseModel):
    """Which data: a data set by name (or the path of an .npz file), how pixels are scaled, and how many images.

    `unit` divides the 8-bit pixels by 255. `standard` then also subtracts the mean of the training images and divides
    by their standard deviation, per channel. `n_train` and `n_test` take the first images of each part; None takes
    all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dataset: str
    scale: Scale = "unit"
    n_train: int | None = Field(None, ge=1)
    n_test: int | None = Field(None, ge=1)


@dataclass(frozen=True)
class Data:
    """Images as float32 (N, H, W, C) and labels as int64 (N,), for training and for testing."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The four arrays by name, in a fixed order."""
        return {name: getattr(self, name) for name in ("x_train", "y_train", "x_test", "y_test")}

    def digest(self) -> str:
        """SHA-256 over the shapes, types and content of all four arrays: pixels, labels and their order."""
        digest = hashlib.sha256()
        for name, array in self.arrays().items():
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def load(spec: DataSpec, data_dir: Path) -> Data:
    """Read, check and scale the data that `spec` names.

    Raises InputError where a file is missing, altered or malformed, or `spec` asks for more images than there are.
    Nothing is fetched here: shared/data/fetch.py does that.
    """
    raw = _read(spec.dataset, data_dir)
    x_train, x_test = _scaled(raw, spec.scale)
    n_train = _count(spec, "training", spec.n_train, len(x_train))
    n_test = _count(spec, "test", spec.n_test, len(x_test))
    return Data(
        x_train=x_train[:n_train],
        y_train=raw.y_train[:n_train].astype(np.int64),
        x_test=x_test[:n_test],
        y_test=raw.y_test[:n_test].astype(np.int64),
    )


def _read(dataset: str, data_dir: Path) -> RawImages:
    if dataset == "digits":
        return digits.read()
    if dataset.endswith(".npz"):
        return npz.read(Path(dataset), N_CLASSES)
    return idx.read(DATASETS[check_name("data set", dataset, DATASETS)], data_dir)


def _scaled(raw: RawImages, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    train, test = _unit(raw.x_train), _unit(raw.x_test)
    if scale == "standard":
        mean = train.mean(axis=(0, 1, 2), dtype=np.float64)
        deviation = train.std(axis=(0, 1, 2), dtype=np.float64)
        if not (deviation > 0).all():
            raise InputError(
                "The training images cannot be standardised: a channel has the same value in every pixel. "
                "Use the scale 'unit'."
            )
        train, test = (((x - mean) / deviation).astype(np.float32) for x in (train, test))
    return train, test


def _unit(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return images.astype(np.float32)


def _count(spec: DataSpec, part: str, wanted: int | None, there: int) -> int:
    if wanted is not None and wanted > there:
        raise InputError(
            f"{spec.dataset} has {there:,} {part} images, and {wanted:,} were asked for. Ask for {there:,} or fewer."
        )
    return wanted or there
