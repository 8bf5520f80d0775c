"""Reading a table of pixels: finding the label's column, and refusing bad tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from shared.data import Data, DataSpec, load
from shared.errors import InputError

N = 24
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (N, 16))
PIXELS[0, [0, -1]], PIXELS[1, [0, -1]] = 0, 200  # neither end can hold labels, because values are missing in between
LABELS = np.arange(N) % 3
NAMES = np.array(["ox", "NA", "cat"])[LABELS]


def table(path: Path, *columns: np.ndarray, header: Sequence[str] = (), end: str = "\n") -> str:
    """Write `columns` side by side, and return what --dataset takes."""
    lines = [",".join(map(str, line)) for line in np.column_stack([c.astype(str) for c in columns]).tolist()]
    path.write_text(end.join([*([",".join(header)] if header else []), *lines]) + end, newline="")
    return str(path)


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def read(dataset: str) -> Data:
    return load(DataSpec(dataset=dataset, split=0.5), Path("nowhere"))


def check(data: Data, labels: np.ndarray = LABELS) -> None:
    """Assert that every image has its label from the table."""
    known = {row.reshape(4, 4).tobytes(): label for row, label in zip(PIXELS.astype(np.uint8), labels, strict=True)}
    for part in ("train", "test"):
        images, found = data.part(part)  # type: ignore[arg-type]
        pixels = np.rint(images[..., 0] * 255).astype(np.uint8)
        assert [known[image.tobytes()] for image in pixels] == found.tolist()
    assert len(data.y_train) + len(data.y_test) == N


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [False, True])
def test_the_label_is_first_or_last(tmp_path: Path, last: bool, end: str) -> None:
    columns = (PIXELS, LABELS) if last else (LABELS, PIXELS)
    check(read(table(tmp_path / "mine.csv", *columns, end=end)))


@pytest.mark.parametrize("name", ["label", "Class", " y "])
def test_a_header_settles_it(tmp_path: Path, name: str) -> None:
    """The last column could be labels too, and the pixels are named by numbers."""
    pixels = PIXELS.copy()
    pixels[:, -1] = LABELS
    data = read(table(tmp_path / "mine.csv", LABELS, pixels, header=[name, *map(str, range(16))]))
    assert len(data.x_train) + len(data.x_test) == N
    assert data.x_train.shape[1:] == (4, 4, 1)


def test_words_are_names_of_classes(tmp_path: Path) -> None:
    """These include words that mean a missing value elsewhere."""
    data = read(table(tmp_path / "mine.csv", PIXELS, NAMES))
    assert data.spec is not None
    assert data.spec.classes == ("NA", "cat", "ox")
    check(data, np.array([2, 0, 1])[LABELS])


def test_labels_that_no_pixel_can_be(tmp_path: Path) -> None:
    check(read(table(tmp_path / "mine.csv", LABELS * 300, PIXELS)), LABELS * 300)


def test_colours(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (N, 12))
    data = read(table(tmp_path / "mine.csv", LABELS, colours))
    found = np.rint(np.concatenate([data.x_train, data.x_test]) * 255).astype(int)
    assert found.shape == (N, 2, 2, 3)
    assert any((image == colours[5].reshape(2, 2, 3)).all() for image in found)


def both_ends(path: Path) -> str:
    return table(path, LABELS, PIXELS[:, 1:], LABELS[::-1])


def neither_end(path: Path) -> str:
    return table(path, PIXELS, PIXELS[:, 1])


def oblong(path: Path) -> str:
    return table(path, LABELS, PIXELS[:, :15])


def two_labels(path: Path) -> str:
    return table(path, LABELS, PIXELS[:, 1:], LABELS, header=["label", *"abcdefghijklmno", "class"])


def too_bright(path: Path) -> str:
    return table(path, LABELS, PIXELS * 2)


def floating(path: Path) -> str:
    return table(path, LABELS, PIXELS / 255)


def short_line(path: Path) -> str:
    return written(path, Path(table(path, LABELS, PIXELS)).read_text() + "1,2,3")


def long_line(path: Path) -> str:
    return written(path, Path(table(path, LABELS, PIXELS)).read_text() + "1," * 20 + "1")


def empty(path: Path) -> str:
    return written(path, "")


def no_table(path: Path) -> str:
    return written(path, bytes(range(256)) * 4)


def too_wide(path: Path) -> str:
    return written(path, "1," * 300_000 + "1")


def prose(path: Path) -> str:
    return written(path, "Dear all")


def header_alone(path: Path) -> str:
    return written(path, "label,a,b,c,d")


def one_name(path: Path) -> str:
    return table(path, np.full(N, "cat"), PIXELS)


def nowhere(path: Path) -> str:
    return str(path)


BAD = {
    both_ends: "does not say whether the label is its first column or its last one: both can be one. Give it a header",
    neither_end: "does not say whether the label is its first column or its last one: neither can be one",
    oblong: "has 16 columns, so 15 pixels beside the label: not a square of one or three channels",
    two_labels: "the first and the last column both are called a label",
    too_bright: "'[0-9]+' in line [0-9]+ is not a pixel",
    floating: "'0.[0-9]+' in line [0-9]+ is not a pixel",
    short_line: "'' in line 25 is not a pixel",
    long_line: "cannot be read as a table: .*line 25",
    empty: "cannot be read as a table",
    no_table: "cannot be read as a table",
    too_wide: "has 300,001 columns, and at most 200,000",
    prose: "cannot be read as a table",
    header_alone: "cannot be read as a table",
    one_name: "has 1 classes, and there must be 2 to 1,000",
    nowhere: "cannot be read: No such file",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_what_is_ambiguous_or_no_table_is_refused(make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=BAD[make]):
        read(make(tmp_path / "mine.csv"))
