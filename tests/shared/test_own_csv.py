"""A table of pixels as a data set: which column is the label, how large images are, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from shared.data import DataSpec, load, own_csv
from shared.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 16))
PIXELS[:, 0] = 0  # as the corner of a photographed digit is
LABELS = np.arange(30) % 3


def written(folder: Path, rows: np.ndarray, names: list[str] | None = None) -> Path:
    path = folder / "mine.csv"
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join(([] if names is None else [",".join(names)]) + lines) + "\n", encoding="utf-8")
    return path


NAMES = [f"pixel{n}" for n in range(16)]
FIRST, LAST = np.column_stack([LABELS, PIXELS]), np.column_stack([PIXELS, LABELS])


@pytest.mark.parametrize(
    ("rows", "names"),
    [(FIRST, ["label", *NAMES]), (LAST, [*NAMES, "Class"]), (LAST, None)],
    ids=["first", "last", "bare"],
)
def test_the_label_is_found_and_images_are_square(rows: np.ndarray, names: list[str] | None, tmp_path: Path) -> None:
    found = own_csv.read(written(tmp_path, rows, names))
    assert np.array_equal(found.images, PIXELS.reshape(30, 4, 4, 1))
    assert found.images.dtype == np.uint8
    assert np.array_equal(found.labels, LABELS)
    assert found.classes == ()


def test_texts_are_names_of_classes(tmp_path: Path) -> None:
    names = np.array(["dog", "cat", "ant"])
    found = own_csv.read(written(tmp_path, np.column_stack([names[LABELS], PIXELS.astype(str)])))
    assert found.classes == ("ant", "cat", "dog")
    assert [found.classes[label] for label in found.labels] == list(names[LABELS])


def test_three_channels_stand_side_by_side(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (10, 27))
    found = own_csv.read(written(tmp_path, np.column_stack([np.arange(10) % 2, colours]), ["y", *map(str, range(27))]))
    assert np.array_equal(found.images, colours.reshape(10, 3, 3, 3))


def test_it_is_split_and_loaded(tmp_path: Path) -> None:
    path = written(tmp_path, FIRST, ["label", *NAMES])
    data = load(DataSpec(dataset=str(path), split=0.4), tmp_path)
    assert (len(data.x_train), len(data.x_test)) == (18, 12)
    assert np.bincount(data.y_test).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("rows", "names", "said"),
    [
        (FIRST, ["what", *NAMES], "no column is named label or labels or class or target or y"),
        (FIRST, ["label", "y", *NAMES[1:]], "2 columns are named"),
        (np.column_stack([LABELS, PIXELS, LABELS]), None, "both the first and the last column can be the label"),
        (np.column_stack([np.zeros(30, int), PIXELS[:, ::-1]]), None, "neither the first nor the last column"),
        (FIRST[:, :-1], ["label", *NAMES[:-1]], "15 pixels in each line, which is no square"),
        (np.column_stack([LABELS, 300 * PIXELS]), ["label", *NAMES], "the pixels"),
        (FIRST[:1], ["label", *NAMES], "has 1 lines of 17 columns"),
        (FIRST.astype(str), ["label", *NAMES], ""),
    ],
)
def test_what_is_ambiguous_or_wrong_is_refused(
    rows: np.ndarray, names: list[str] | None, said: str, tmp_path: Path
) -> None:
    if not said:  # a cell that is no number, in a column of pixels
        rows = rows.copy()
        rows[3, 4], said = "x", "column pixel3 has cells that are no numbers"
    with pytest.raises(InputError, match=said):
        own_csv.read(written(tmp_path, rows, names))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"1,2\n3\n4,5,6,7\n", b"a,b\n1,\n2,3\n"])
def test_what_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        own_csv.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        own_csv.read(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="There is no file"):
        own_csv.read(tmp_path / "folder.csv")
