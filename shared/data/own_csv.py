"""Read a user's own images from a table of pixels: `--dataset FILE.csv`, a line for each image.

A line has the label and the pixels, row by row, each a whole number from 0 to 255; the label is first or last. A first
line with a word in it is a header. The column of the label is found in this order:

1. With a header: the column named label, class, target or y, if it is the first or the last.
2. Else by the number of columns: so many pixels must make squares of one or three channels. If the first column, or the
   last one, has a number that no pixel can be, or words, it is the label.
3. Else the one of the two that can be labels: all whole numbers from 0 (or 1) up, each on two lines on average.

If both or none remain, the file is refused.
"""

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shared.data import own
from shared.data.dataset import Unsplit
from shared.data.own import MAX_CLASSES
from shared.errors import InputError
from shared.storage import files

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".csv"
MAX_BYTES = 2 << 30
MOST_COLUMNS = 200_000  # more than 224 x 224 x 3; pandas takes seconds for each million
MOST_SAID, MOST_SHOWN = 200, 40  # characters of a message from pandas, and of a cell
LABEL_NAMES = ("label", "labels", "class", "target", "y")
LAYOUT = (
    "Each line must hold a label, first or last, and the pixels of a square image row by row. Pixels are grey, or red, "
    "green and blue of each pixel: whole numbers from 0 to 255, separated by commas."
)


def read(path: Path) -> Unsplit:
    """Return the images (N, H, W, C), 8-bit, and the labels (N,) in `path`.

    Labels that are whole numbers are unchanged. Words are the names of classes, and their labels are the places in the
    sorted names. Raises InputError if the file cannot be read, or does not have the module's format.
    """
    header, table = _table(path)
    label = _label_column(path, header, table)
    pixels = _pixels(path, table.drop(columns=label), 2 if header else 1)
    side, n_channels = _side(pixels.shape[1]) or (0, 0)
    images = pixels.reshape(len(pixels), side, side, n_channels)
    column = table[label].to_numpy()
    if column.dtype.kind == "i":
        source = own.Source(path, LAYOUT, {"x": "the pixels", "y": "the label column"})
        return own.checked_whole(source, {"x": images, "y": column})
    names, places = np.unique([str(word).strip() for word in column], return_inverse=True)
    if not 2 <= len(names) <= MAX_CLASSES:
        raise InputError(f"{path} has {len(names):,} classes, and there must be 2 to {MAX_CLASSES:,}. {LAYOUT}")
    named = tuple(map(str, names))
    own.check_classes(path, named)
    return Unsplit(images, places.astype(np.int64), named)


def _table(path: Path) -> tuple[list[str], "pd.DataFrame"]:
    """Return the header, [] if there is none, and the other lines; columns are numbered, and integers if possible."""
    import pandas as pd

    files.check(path, MAX_BYTES, LAYOUT)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = next(csv.reader(stream), [])
        if len(first) > MOST_COLUMNS:
            raise InputError(
                f"{path} has {len(first):,} columns, and at most {MOST_COLUMNS:,} are read. Put such images into an "
                ".npz file, or into a folder of pictures."
            )
        header = [cell.strip() for cell in first] if _is_header(first) else []
        table = pd.read_csv(
            path, header=None, skiprows=int(bool(header)), keep_default_na=False, index_col=False, low_memory=False,
            skipinitialspace=True, encoding="utf-8-sig",
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. {LAYOUT}") from None
    except InputError:
        raise
    except (ValueError, csv.Error) as error:  # pandas' and UTF-8's errors are ValueErrors
        what = " ".join(str(error).split())[:MOST_SAID].rstrip(".")
        raise InputError(f"{path} cannot be read as a table: {what}. {LAYOUT}") from None
    if table.shape[1] < 2:
        raise InputError(f"{path} has no columns separated by commas. {LAYOUT}")
    if header and len(header) != table.shape[1]:
        raise InputError(f"{path} has {len(header):,} names in its header and {table.shape[1]:,} columns. {LAYOUT}")
    return header, table


def _is_header(cells: list[str]) -> bool:
    """Whether a first line names columns: no number between its ends, or an end with a label's name."""
    ends = {cell.strip().lower() for cell in (*cells[:1], *cells[-1:])}
    return bool(ends & set(LABEL_NAMES)) or not any(map(_is_number, cells[1:-1] or cells))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _label_column(path: Path, header: list[str], table: "pd.DataFrame") -> int:
    last = table.shape[1] - 1
    if header and (named := [place for place in (0, last) if header[place].lower() in LABEL_NAMES]):
        if len(named) == 1:
            return named[0]
        raise InputError(f"{path}: the first and the last column both are called a label. Leave one of them out.")
    if _side(last) is None:
        raise InputError(
            f"{path} has {last + 1:,} columns, so {last:,} pixels beside the label: not a square of one or three "
            f"channels. {LAYOUT} Put images that are not square into an .npz file."
        )
    no_pixels = [place for place in (0, last) if not _can_be_pixels(table[place].to_numpy())]
    if len(no_pixels) == 1:
        return no_pixels[0]
    few = [place for place in (0, last) if _can_be_labels(table[place].to_numpy())]
    if len(few) == 1:
        return few[0]
    raise InputError(
        f"{path} does not say whether the label is its first column or its last one: {'both' if few else 'neither'} "
        f"can be one. Give it a header that calls the column 'label'. {LAYOUT}"
    )


def _can_be_pixels(column: np.ndarray) -> bool:
    return column.dtype.kind == "i" and bool(column.min() >= 0 and column.max() <= 255)


def _can_be_labels(column: np.ndarray) -> bool:
    """Whether numbers can be labels: whole, from 0 or 1 up without a gap, at least two, and each twice on average."""
    found = np.unique(column)
    return bool(
        column.dtype.kind == "i"
        and found[0] in (0, 1)
        and 2 <= len(found) <= len(column) / 2
        and found[-1] - found[0] == len(found) - 1
    )


def _side(n_pixels: int) -> tuple[int, int] | None:
    """Return the side of a square image with so many values, and its channels; None if there is none."""
    for n_channels in (1, 3):
        side = math.isqrt(n_pixels // n_channels)
        if side and side * side * n_channels == n_pixels:
            return side, n_channels
    return None


def _pixels(path: Path, table: "pd.DataFrame", first_line: int) -> np.ndarray:
    if _side(table.shape[1]) is None:
        raise InputError(
            f"{path} has {table.shape[1]:,} pixels in a line: not a square of one or three channels. {LAYOUT} Put "
            "images that are not square into an .npz file."
        )
    pixels = np.empty(table.shape, np.uint8)
    for place, (_, column) in enumerate(table.items()):
        values = column.to_numpy()
        if not _can_be_pixels(values):
            line = next(number for number, value in enumerate(values) if not _is_pixel(value))
            raise InputError(
                f"{path}: {str(values[line])[:MOST_SHOWN]!r} in line {line + first_line:,} is not a pixel. {LAYOUT}"
            )
        pixels[:, place] = values
    return pixels


def _is_pixel(value: object) -> bool:
    text = str(value).strip()
    return text.isdecimal() and int(text) <= 255
