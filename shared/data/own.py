"""Check the arrays of a user's own data set, from any file format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.choices import Inputs, TaskName
from shared.data.dataset import RawImages, Unsplit
from shared.errors import InputError
from shared.task import TASKS

NAMES = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("x", "y")  # names in data without a test part
# A user's file may unpack to so many bytes, or to so many times its size on the disk; pixels compress no better.
FREE_BYTES, MAX_RATIO = 64 << 20, 20
MAX_CHANNELS = 4  # of a picture: grey, colour, or colour and transparency
MAX_CLASSES = 1_000  # the limit of a record's confusion matrix
MAX_NAME = 100  # characters of a class's name
CLASS_NAMES_RULE = f"A name has 1 to {MAX_NAME} characters, all of which can be shown."
NAMED = 5  # names in a message about a list of any length


def is_class_name(name: str) -> bool:
    """Whether a class can have this name."""
    return 0 < len(name) <= MAX_NAME and name.isprintable() and bool(name.strip())


def listed(names: Sequence[str], between: str = ", ") -> str:
    """Return the first few of `names`, and how many more there are."""
    shown = between.join(names[:NAMED])
    return f"{shown}{between}and {len(names) - NAMED:,} more" if len(names) > NAMED else shown


def folder_after(prefix: str, dataset: str, layout: str) -> Path | None:
    """Return DIR if `dataset` is `prefix` and DIR, else None. Raises InputError, which names the `layout` that the
    folder must have, if DIR is empty."""
    if not dataset.startswith(prefix):
        return None
    if dataset == prefix:
        raise InputError(f"--dataset {prefix} names no folder. Give one with {prefix}DIR. {layout}")
    folder = Path(dataset.removeprefix(prefix))
    try:
        return folder.expanduser()  # a shell does not expand the ~ of folder:~/mine
    except RuntimeError:  # there is no such user: the text is the name of a folder
        return folder


@dataclass(frozen=True)
class Source:
    """The place of the arrays, for messages: the path, the name of each array there, and the layout it must have."""

    path: Path
    layout: str
    names: Mapping[str, str]


def check_classes(path: Path, names: Sequence[str]) -> None:
    """Raise InputError unless every class has a valid and unique name."""
    if wrong := [name for name in names if not is_class_name(name)]:
        raise InputError(f"{path}: {wrong[0]!r} cannot be the name of a class. {CLASS_NAMES_RULE}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path}: two classes are named '{twice}'. Give each a name of its own.")


def task_of(labels: Sequence[np.ndarray]) -> TaskName:
    """Return the task of labels: 0 or 1 in several columns are several labels an image, and other floating numbers are
    a regression."""
    if all(
        one.ndim == 2 and one.shape[1] > 1 and one.dtype.kind in "iufb" and np.isin(one, (0, 1)).all() for one in labels
    ):
        return "multilabel"
    return "regression" if all(one.dtype.kind == "f" for one in labels) else "classification"


def checked(
    source: Source,
    arrays: Mapping[str, np.ndarray],
    classes: tuple[str, ...] = (),
    task: TaskName = "classification",
    inputs: Inputs = "images",
) -> RawImages:
    """Return `arrays` (by the names in NAMES) as images (N, H, W, C) and labels. Labels are (N,) or, for a task other
    than classification, (N, K).

    Images (N, H, W) get a channel axis. Images (N, C, H, W) get their channels last, which a note reports. `classes`
    are the names of the classes, if they have names; no label may then be higher. Raises InputError if an array has a
    wrong shape, type or value, or if images and labels do not match.
    """
    raw = RawImages(
        x_train=_inputs(source, "x_train", arrays["x_train"], inputs),
        y_train=_labels(source, "y_train", arrays["y_train"], classes, task),
        x_test=_inputs(source, "x_test", arrays["x_test"], inputs),
        y_test=_labels(source, "y_test", arrays["y_test"], classes, task),
        notes=_notes(source, arrays, ("x_train", "x_test")) if inputs == "images" else (),
        classes=classes,
        task=task,
        inputs=inputs,
    )
    for part in ("train", "test"):
        _check_counts(source, f"x_{part}", f"y_{part}", arrays)
    if raw.x_train.shape[1:] != raw.x_test.shape[1:]:
        axes = "(height, width, channels)" if inputs == "images" else ""
        raise InputError(
            f"{source.path}: the {raw.noun} of {source.names['x_train']} are {raw.x_train.shape[1:]} and those of "
            f"{source.names['x_test']} {raw.x_test.shape[1:]} {axes}. They must be the same."
        )
    if raw.y_train.shape[1:] != raw.y_test.shape[1:]:
        raise InputError(
            f"{source.path}: {source.names['y_train']} has {raw.y_train.shape[1]} numbers for an image, and "
            f"{source.names['y_test']} has {raw.y_test.shape[1]}. They must be the same."
        )
    return raw


def checked_whole(
    source: Source,
    arrays: Mapping[str, np.ndarray],
    classes: tuple[str, ...] = (),
    task: TaskName = "classification",
    inputs: Inputs = "images",
) -> Unsplit:
    """Return `arrays` (by the names in WHOLE) like `checked`, in one part."""
    x, y = WHOLE
    images = _inputs(source, x, arrays[x], inputs)
    labels = _labels(source, y, arrays[y], classes, task)
    _check_counts(source, x, y, arrays)
    notes = _notes(source, arrays, (x,)) if inputs == "images" else ()
    return Unsplit(images, labels, classes, notes, task, inputs)


def _check_counts(source: Source, images: str, labels: str, arrays: Mapping[str, np.ndarray]) -> None:
    n_images, n_labels = len(arrays[images]), len(arrays[labels])
    if n_images != n_labels:
        raise InputError(
            f"{source.path}: {source.names[images]} has {n_images:,} images and {source.names[labels]} has "
            f"{n_labels:,} labels. There must be one label for each image."
        )


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether images of this shape are (N, C, H, W): only the axis after N is small enough for channels."""
    return len(shape) == 4 and shape[1] <= MAX_CHANNELS < min(shape[2:])


def _notes(source: Source, arrays: Mapping[str, np.ndarray], images: Sequence[str]) -> tuple[str, ...]:
    moved = [name for name in images if is_channels_first(arrays[name].shape)]
    if not moved:
        return ()
    names = " and ".join(f"{source.names[name]} {arrays[name].shape}" for name in moved)
    one = len(moved) == 1
    return (
        f"{names} {'has' if one else 'have'} the channels first. {'It was' if one else 'They were'} read with the "
        "channels last, as numpy.moveaxis(images, 1, -1) gives them.",
    )


def _inputs(source: Source, name: str, values: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return images; or vectors (N, D) or sequences (N, T, D) as float32; or tokens (N, T) as int64."""
    if inputs == "images":
        return _images(source, name, values)
    where = f"{source.path}: {source.names[name]}"
    if inputs == "tokens":
        if values.ndim != 2 or values.dtype.kind not in "iu" or 0 in values.shape or values.min() < 0:
            raise InputError(
                f"{where} is of type {values.dtype} and shape {values.shape}. The network takes tokens: whole numbers "
                "(N, T) from 0 up, as numpy.int64."
            )
        return values.astype(np.int64)
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf" or 0 in values.shape:
        raise InputError(
            f"{where} is of type {values.dtype} and shape {values.shape}. The network takes numbers: vectors (N, D) or "
            "sequences (N, T, D)."
        )
    numbers: np.ndarray = values.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise InputError(f"{where} holds NaN or infinite numbers. Leave those examples out, or correct them.")
    return numbers


def _images(source: Source, name: str, images: np.ndarray) -> np.ndarray:
    where = f"{source.path}: {source.names[name]}"
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 2 and images.size:
        raise InputError(
            f"{where} has shape {images.shape}, which has no height and width. Give each image its shape, as "
            f"images.reshape(-1, height, width) does. {source.layout}"
        )
    if images.ndim != 4 or 0 in images.shape:
        raise InputError(f"{where} has shape {images.shape}. {source.layout}")
    if is_channels_first(images.shape):
        images = np.ascontiguousarray(np.moveaxis(images, 1, -1))
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise InputError(f"{where} is of type {images.dtype}. {source.layout}")
    if not np.isfinite(images).all():
        raise InputError(f"{where} holds NaN or infinite pixels. Leave those images out, or correct them.")
    if images.min() < 0 or images.max() > 1:
        raise InputError(f"{where} holds floating pixels from {images.min():g} to {images.max():g}. {source.layout}")
    return images


def _labels(
    source: Source, name: str, labels: np.ndarray, classes: tuple[str, ...], task: TaskName = "classification"
) -> np.ndarray:
    if task != "classification":
        return _numbers(source, name, labels, classes, task)
    n_classes = len(classes) or MAX_CLASSES
    where = f"{source.path}: {source.names[name]}"
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.size == 0:
        raise InputError(f"{where} has shape {labels.shape}. {source.layout}")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise InputError(f"{where} holds NaN at index {int(np.isnan(labels).argmax())}. {source.layout}")
    if labels.dtype.kind not in "iu":
        raise InputError(f"{where} is of type {labels.dtype}. {source.layout}")
    if labels.min() < 0 or labels.max() >= n_classes:
        from_1 = labels.min() == 1 and labels.max() == n_classes
        advice = " Yours seem to count from 1: subtract 1 from all labels, training and test." if from_1 else ""
        raise InputError(
            f"{where} holds labels from {labels.min()} to {labels.max()}. Labels must lie in 0 ... {n_classes - 1}."
            f"{advice}"
        )
    return labels


def _numbers(source: Source, name: str, labels: np.ndarray, names: tuple[str, ...], task: TaskName) -> np.ndarray:
    """Return the labels of a regression, or several of 0 or 1 for each image, as float32 (N, K)."""
    where, wanted = f"{source.path}: {source.names[name]}", TASKS[task]
    rule = f"For {wanted.title} a label is {wanted.label}."
    if labels.ndim not in (1, 2) or labels.size == 0:
        raise InputError(f"{where} has shape {labels.shape}. {rule}")
    if labels.dtype.kind not in "iufb":
        raise InputError(f"{where} is of type {labels.dtype}. {rule}")
    numbers: np.ndarray = labels.reshape(len(labels), -1).astype(np.float32)
    if not np.isfinite(numbers).all():
        index = int((~np.isfinite(numbers)).any(axis=1).argmax())
        raise InputError(f"{where} holds NaN or an infinite number at index {index}. {rule}")
    if task == "multilabel" and not np.isin(numbers, (0, 1)).all():
        raise InputError(f"{where} holds numbers from {labels.min():g} to {labels.max():g}. {rule}")
    n_outputs = numbers.shape[1]
    if n_outputs > MAX_CLASSES:
        raise InputError(f"{where} has {n_outputs:,} numbers for each image, and {MAX_CLASSES:,} are possible.")
    if names and len(names) != n_outputs:
        raise InputError(
            f"{where} has {n_outputs} numbers for each image, and classes has {len(names)} names. Give one "
            "name for each."
        )
    return numbers
