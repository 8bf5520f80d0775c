"""Images and labels: the available data sets, and the arrays that every implementation receives.

`load` reads a data set once, checks it, scales it and returns arrays; later steps never touch a file again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import FailFast, Field

from shared import randomness
from shared.choices import Channels, Inputs, Scale, TaskName
from shared.data import npz, own, own_csv, own_folder, own_idx, resizing
from shared.data.catalog import DATASETS
from shared.data.dataset import RawImages, Unsplit, unit
from shared.data.embedded import EMBEDDED
from shared.data.parting import DEFAULT_SHARE, parted
from shared.data.sanity import data_warnings
from shared.errors import InputError, check_name
from shared.record import Record
from shared.task import TASKS

N_CLASSES = 10
Pixels = Annotated[int, Field(ge=1, le=resizing.MOST)]
ClassName = Annotated[str, Field(min_length=1, max_length=own.MAX_NAME)]


class DataSpec(Record):
    """Which data: a data set by name (or folder:DIR, FILE.npz, idx:DIR), how images are read and scaled, and how many.

    `resize` is the height and width that images are brought to, and `channels` whether they are grey or coloured;
    None: as they are. `split` is the share of test images, of data that have no test part of their own. `classes` are
    the names of the classes as they were first read; with other names the data are refused. `task` is what the labels
    are for; None: what they say themselves, and, of what was read, classification. `inputs` is what the network takes.

    `unit` divides the 8-bit pixels by 255. `standard` then also subtracts the mean of the training images and divides
    by their standard deviation, per channel. `n_train` and `n_test` take the first images of each part; None takes all.
    Then `validation` of the training images, the same share of every class, are set apart. They are not trained on, and
    choices can be made on them without using the test images.
    """

    dataset: str
    scale: Scale = "unit"
    n_train: int | None = Field(None, ge=1)
    n_test: int | None = Field(None, ge=1)
    validation: int = Field(0, ge=0)
    resize: tuple[Pixels, Pixels] | None = None
    channels: Channels | None = None
    split: float | None = Field(None, gt=0, lt=1)
    classes: Annotated[tuple[ClassName, ...], FailFast(), Field(max_length=own.MAX_CLASSES)] = ()
    task: TaskName | None = Field(None, exclude_if=lambda task: task is None)
    inputs: Inputs = Field("images", exclude_if=lambda inputs: inputs == "images")

    @property
    def whole(self) -> "DataSpec":
        """The same data, all of them, from 0 to 1."""
        return self.model_copy(update={"scale": "unit", "n_train": None, "n_test": None, "validation": 0})


Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Data:
    """Images as float32 (N, H, W, C) and labels as int64 (N,), for training, testing and, if some were held out, for
    validation. For tasks other than classification, labels are float32 (N, K). `warnings` are sentences for readers of
    the results (shared/data/sanity.py).

    `spec` is what was read, completed from the data: the names of classes, the channels, the share of test images. It
    is None for data made from arrays. `description` describes own data in a sentence.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    x_validation: np.ndarray | None = None
    y_validation: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    spec: DataSpec | None = None
    description: str = ""

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Data":
        """Return the data whose `arrays()` these are, without warnings. Raises KeyError if one is missing."""
        x_train, y_train, x_test, y_test = (arrays[name] for name in own.NAMES)
        return cls(x_train, y_train, x_test, y_test, arrays.get("x_validation"), arrays.get("y_validation"))

    def part(self, part: Part) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels of one part. Raises a ValueError if there is none."""
        images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
        if images is None:
            raise ValueError(f"no {part} images were set apart")
        return images, labels

    @property
    def n_validation(self) -> int:
        """The number of images held out for validation."""
        return 0 if self.x_validation is None else len(self.x_validation)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the existing arrays, by name, in a fixed order."""
        named = {f"{kind}_{part}": getattr(self, f"{kind}_{part}") for part in get_args(Part) for kind in "xy"}
        return {name: array for name, array in named.items() if array is not None}

    def digest(self) -> str:
        """Return SHA-256 over the shapes, types and content of all arrays: pixels, labels and their order."""
        digest = hashlib.sha256()
        for name, array in self.arrays().items():
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def load(spec: DataSpec, data_dir: Path) -> Data:
    """Read, check and scale the data that `spec` names.

    Raises InputError if a file is missing, altered or malformed, or `spec` asks for more images than there are.
    Nothing is fetched here: shared/data/fetch.py does that.
    """
    spec, raw, description = _read(spec, data_dir)
    x_train, x_test = _scaled(raw, spec.scale)
    n_train = _count(spec, "training", spec.n_train, len(x_train))
    n_test = _count(spec, "test", spec.n_test, len(x_test))
    label = np.int64 if raw.task == "classification" else np.float32
    x, y = x_train[:n_train], raw.y_train[:n_train].astype(label)
    held_out = _held_out(spec, y if y.ndim == 1 else np.zeros(len(y), np.int64))
    trained = np.flatnonzero(~held_out) if spec.validation else slice(None)  # a slice copies nothing
    used = replace(
        raw,
        x_train=raw.x_train[:n_train][trained],
        y_train=y[trained],
        x_test=raw.x_test[:n_test],
        y_test=raw.y_test[:n_test].astype(label),
    )
    return Data(
        x_train=x[trained],
        y_train=used.y_train,
        x_test=x_test[:n_test],
        y_test=used.y_test,
        x_validation=x[held_out] if spec.validation else None,
        y_validation=y[held_out] if spec.validation else None,
        warnings=data_warnings(used, spec.scale, limited=n_train < len(raw.x_train)),
        spec=spec,
        description=description,
    )


def _held_out(spec: DataSpec, labels: np.ndarray) -> np.ndarray:
    """Return which training images are for validation: the same share of every class, up to whole images.

    The images of each class, in random order, are spread evenly over a line; the first of that line are taken.
    """
    if spec.validation >= len(labels):
        raise InputError(
            f"--validation {spec.validation:,} leaves none of the {len(labels):,} training images to train on. Hold "
            "out fewer."
        )
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = randomness.permutation(len(members), "validation", int(label))
        place[members[order]] = (np.arange(len(members)) + 0.5) / len(members)
    held_out = np.zeros(len(labels), bool)
    held_out[np.argsort(place, kind="stable")[: spec.validation]] = True
    return held_out


def _read(spec: DataSpec, data_dir: Path) -> tuple[DataSpec, RawImages, str]:
    """Return the images in two parts, in the requested size; also the completed spec, and a description."""
    found = _found(spec, data_dir)
    split = (spec.split or DEFAULT_SHARE) if isinstance(found, Unsplit) else None
    if isinstance(found, Unsplit):
        raw = parted(found, split or 0, spec.dataset)
    elif spec.split is not None:
        raise InputError(
            f"--split {spec.split:g} is not possible: {spec.dataset} has test images of its own. Leave it out."
        )
    else:
        raw = found
    if raw.inputs == "images":
        raw = resizing.changed(raw, spec.resize, spec.channels)
    elif spec.resize or spec.channels:
        raise InputError(
            f"--{'resize' if spec.resize else 'channels'} is for images, and {spec.dataset} has none. Leave it out."
        )
    if spec.classes and spec.classes != raw.classes:
        raise InputError(
            f"The classes of {spec.dataset} are not those of the record: they are {own.listed(raw.classes)}, and "
            f"the record says {own.listed(spec.classes)}. Give the original data."
        )
    task = None if raw.task == "classification" else raw.task
    settled = spec.model_copy(update={"split": split, "classes": raw.classes, "task": task})
    if not raw.classes and task is None and raw.inputs == "images":
        return settled, raw, ""
    return settled, raw, _described(settled, raw)


def _found(spec: DataSpec, data_dir: Path) -> RawImages | Unsplit:
    dataset = spec.dataset
    if spec.task not in (None, "classification") and not dataset.endswith(".npz"):
        raise InputError(
            f"--task {spec.task} is not possible with {dataset}, whose labels are classes. Give an .npz file, or leave "
            "it out."
        )
    if spec.inputs != "images" and not dataset.endswith(".npz"):
        taken = "vectors or sequences" if spec.inputs == "values" else "tokens"
        raise InputError(
            f"The network takes {taken}, and {dataset} has images. Give an .npz file with --dataset (docs/tasks.md)."
        )
    if dataset in EMBEDDED:
        return EMBEDDED[dataset]()
    if (folder := own_folder.folder_of(dataset)) is not None:
        return own_folder.read(folder, spec.resize, spec.channels)
    if (folder := own_idx.folder_of(dataset)) is not None:
        return own_idx.read(folder)
    if dataset.endswith(".npz"):
        return npz.read(Path(dataset), spec.task, spec.inputs)
    if dataset.endswith(own_csv.SUFFIX):
        return own_csv.read(Path(dataset))
    return DATASETS[check_name("data set", dataset, DATASETS)].read(data_dir)


def _described(spec: DataSpec, raw: RawImages) -> str:
    n_train, n_test = len(raw.x_train), len(raw.x_test)
    by_split = f": of every class the same share (--split {spec.split:g})" if spec.split else ""
    if raw.task != "classification":
        named = f" ({own.listed(raw.classes)})" if raw.classes else ""
        return (
            f"It has {n_train + n_test:,} {raw.noun} of {resizing.in_words(raw.x_train.shape[1:])} for "
            f"{TASKS[raw.task].title}, with {raw.y_train.shape[1]} numbers for each{named}. {n_test:,} of them are the "
            f"test {raw.noun}{f' (--split {spec.split:g})' if spec.split else ''}."
        )
    if not raw.classes:
        return (
            f"It has {n_train + n_test:,} {raw.noun} of {resizing.in_words(raw.x_train.shape[1:])}. {n_test:,} of them "
            f"are the test {raw.noun}{by_split}."
        )
    return (
        f"It has {n_train + n_test:,} {raw.noun} of {resizing.in_words(raw.x_train.shape[1:])} in {len(raw.classes)} "
        f"classes ({own.listed(raw.classes)}). {n_test:,} of them are the test {raw.noun}{by_split}."
    )


def _scaled(raw: RawImages, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    if raw.inputs == "tokens":
        if scale == "standard":
            raise InputError("--scale standard is not possible: tokens are numbers of words, and not amounts.")
        return raw.x_train, raw.x_test
    train, test = unit(raw.x_train), unit(raw.x_test)
    if scale == "standard":
        mean, deviation = channel_statistics(train)
        if not (deviation > 0).all():
            raise InputError(
                "The training images cannot be standardised: a channel has the same value in every pixel. "
                "Use the scale 'unit'."
            )
        train, test = (standardised(x, mean, deviation) for x in (train, test))
    return train, test


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of every channel of images (N, H, W, C), vectors (N, C) or sequences
    (N, T, C), as float64 (C,)."""
    axes = tuple(range(images.ndim - 1))
    return images.mean(axis=axes, dtype=np.float64), images.std(axis=axes, dtype=np.float64)


def standardised(images: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return images (N, H, W, C) minus `mean` and divided by `deviation`, each (C,), as float32."""
    scaled: np.ndarray = ((images - mean) / deviation).astype(np.float32)
    return scaled


def _count(spec: DataSpec, part: str, wanted: int | None, there: int) -> int:
    if wanted is not None and wanted > there:
        raise InputError(
            f"{spec.dataset} has {there:,} {part} images, and {wanted:,} were asked for. Ask for {there:,} or fewer."
        )
    return wanted or there
