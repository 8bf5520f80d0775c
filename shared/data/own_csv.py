"""Reading somebody's own images from a table of pixels: a line for each image, with its label; `--dataset FILE.csv`."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.data import own
from shared.data.dataset import Unsplit
from shared.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("label", "labels", "class", "target", "y")
MOST_SAID = 200
LAYOUT = (
    "Each line must be one image: its label and its pixels, row by row, 0 to 255 (or floating ones in [0, 1]). The "
    f"label is in the column named {', '.join(LABELS[:-1])} or {LABELS[-1]}; without a line of names it is the first "
    "or the last column. Images are square: of n x n greys, or n x n colours with red, green and blue of a pixel side "
    "by side."
)


def read(path: Path) -> Unsplit:
    """Return the images and labels of a table, as shared/data/own.py gives them. Labels that are texts become the names
    of the classes, in the order of the alphabet.

    Raises InputError if the file cannot be read, or if it does not say which column is the label or how large images
    are.
    """
    table, has_names = _table(path)
    labels, pixels = _parts(path, table, has_names)
    numbers, classes = _labels(path, labels)
    source = own.Source(path, LAYOUT, {"x": "the pixels", "y": "the labels"})
    return own.checked_whole(source, {"x": _images(path, pixels), "y": numbers}, classes)


def _table(path: Path) -> "tuple[pd.DataFrame, bool]":
    """The cells, and whether the first line was one of names."""
    import pandas as pd

    try:
        if not path.is_file():
            raise InputError(f"There is no file {path}. Give the path of a .csv file. {LAYOUT}")
        with path.open(encoding="utf-8", newline="") as stream:
            first = stream.readline(1 << 24)
            has_names = _has_names(first.strip().split(","))
            stream.seek(0)
            table = pd.read_csv(stream, header=0 if has_names else None, low_memory=False)
    except (OSError, ValueError, pd.errors.ParserError, MemoryError) as error:
        said = " ".join(str(error).split())[:MOST_SAID]
        raise InputError(f"{path} cannot be read as a table: {said}. {LAYOUT}") from None
    if table.shape[0] < 2 or table.shape[1] < 2:
        raise InputError(f"{path} has {table.shape[0]:,} lines of {table.shape[1]:,} columns. {LAYOUT}")
    if table.isna().to_numpy().any():
        line = int(np.argmax(table.isna().to_numpy().any(axis=1))) + 1 + has_names
        raise InputError(f"{path}: a value is missing in line {line:,}. {LAYOUT}")
    return table, has_names


def _parts(path: Path, table: "pd.DataFrame", has_names: bool) -> "tuple[pd.Series[Any], pd.DataFrame]":
    """The column of the labels, and the others."""
    if has_names:
        found = [name for name in table.columns if str(name).strip().lower() in LABELS]
        if len(found) != 1:
            named = f"{len(found)} columns are" if found else "no column is"
            raise InputError(f"{path}: {named} named {' or '.join(LABELS)}, so the label is not known. {LAYOUT}")
        label = found[0]
    else:
        both = (table.columns[0], table.columns[-1])
        texts = [name for name in both if table[name].dtype.kind not in "iufb"]  # which no pixels are
        ends = [name for name in texts or both if _can_be_labels(table[name])]
        if len(ends) != 1:
            why = (
                "both the first and the last column can be" if ends else "neither the first nor the last column can be"
            )
            raise InputError(
                f"{path}: {why} the label (2 to {own.MAX_CLASSES:,} different whole numbers or names). Begin the file "
                "with a line of names, in which the label's column is named label."
            )
        label = ends[0]
    return table[label], table.drop(columns=[label])


def _can_be_labels(column: "pd.Series[Any]") -> bool:
    values = column.unique()
    if not 2 <= len(values) <= own.MAX_CLASSES:
        return False
    if column.dtype.kind in "iu":
        return bool(column.min() >= 0 and column.max() < own.MAX_CLASSES)
    return column.dtype.kind not in "fb"


def _labels(path: Path, column: "pd.Series[Any]") -> tuple[np.ndarray, tuple[str, ...]]:
    if column.dtype.kind in "iuf":
        return column.to_numpy(), ()
    texts = column.astype(str)
    classes = tuple(sorted(texts.unique()))
    if len(classes) > own.MAX_CLASSES:
        raise InputError(f"{path} has {len(classes):,} different labels. There can be {own.MAX_CLASSES:,}. {LAYOUT}")
    own.check_classes(path, classes)
    number = {name: place for place, name in enumerate(classes)}
    return texts.map(number).to_numpy(np.int64), classes


def _images(path: Path, pixels: "pd.DataFrame") -> np.ndarray:
    """Images (N, n, n, 1) or (N, n, n, 3)."""
    if wrong := [str(name) for name, kind in pixels.dtypes.items() if kind.kind not in "iuf"]:
        raise InputError(f"{path}: column {wrong[0]} has cells that are no numbers. {LAYOUT}")
    n = pixels.shape[1]
    for channels in (1, 3):
        side = math.isqrt(n // channels)
        if side * side * channels == n:
            break
    else:
        raise InputError(f"{path} has {n:,} pixels in each line, which is no square of greys or of colours. {LAYOUT}")
    values = pixels.to_numpy()
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255:
        values = values.astype(np.uint8)
    return values.reshape(len(values), side, side, channels)


def _has_names(cells: Sequence[str]) -> bool:
    """Whether a line is one of names: a pixel's cell is no number, or a label's cell is a name of its column."""
    if any(not _is_number(cell) for cell in cells[1:-1]):
        return True
    return any(cell.strip().strip('"').lower() in LABELS for cell in (cells[0], cells[-1]))


def _is_number(text: str) -> bool:
    try:
        float(text.strip().strip('"'))
    except ValueError:
        return False
    return True
