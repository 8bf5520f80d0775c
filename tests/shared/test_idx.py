"""Reading MNIST's format."""

import gzip
import os
from pathlib import Path

import idx_files
import numpy as np
import pytest

from shared.data import DataSpec, load
from shared.data.catalog import DATASETS
from shared.errors import InputError

TINY, CONTENTS = idx_files.make()
IMAGES = "train-images-idx3-ubyte"


@pytest.fixture(params=["raw", "gz"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=request.param == "gz")
    return folder


def path_in(folder: Path, name: str = IMAGES) -> Path:
    return next(folder.glob(f"{name}*"))


def altered(path: Path, change: object) -> None:
    """Change the decompressed content of a file."""
    assert callable(change)
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    path.write_bytes(gzip.compress(change(content)) if path.suffix == ".gz" else change(content))


def test_arrays_are_those_in_the_files(folder: Path) -> None:
    raw = TINY.read(folder.parents[1])
    assert raw.x_train.shape == (30, 28, 28, 1)
    assert raw.x_test.shape == (10, 28, 28, 1)
    assert raw.x_train.tobytes() == CONTENTS[IMAGES][16:]
    assert raw.y_test.tobytes() == CONTENTS["t10k-labels-idx1-ubyte"][8:]


def test_missing_file(folder: Path) -> None:
    path_in(folder, "t10k-labels").unlink()
    with pytest.raises(InputError, match=r"no t10k-labels-idx1-ubyte \(with or without .gz\)"):
        TINY.read(folder.parents[1])


def test_truncated_content(folder: Path) -> None:
    altered(path_in(folder), lambda content: content[:-1])
    with pytest.raises(InputError, match=f"{IMAGES}.* is cut off: it holds 23,535 of 23,536 bytes"):
        TINY.read(folder.parents[1])


def test_one_altered_byte(folder: Path) -> None:
    altered(path_in(folder), lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match="is not the original train-images-idx3-ubyte: the SHA-256"):
        TINY.read(folder.parents[1])


def test_longer_content(folder: Path) -> None:
    altered(path_in(folder), lambda content: content + b"x")
    with pytest.raises(InputError, match="holds more than 23,536 bytes"):
        TINY.read(folder.parents[1])


def test_cut_off_gzip_stream(tmp_path: Path) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=True)
    path = path_in(folder)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="its gzip stream ends early"):
        TINY.read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"not gzip at all", bytes(range(128, 192))])
def test_no_gzip_stream(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=True)
    path_in(folder).write_bytes(content)
    with pytest.raises(InputError, match=IMAGES):
        TINY.read(tmp_path)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=True)
    path_in(folder).write_bytes(gzip.compress(bytes(1 << 28)))
    with pytest.raises(InputError, match="holds more than"):
        TINY.read(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=True)
    path_in(folder).unlink()
    os.mkfifo(folder / f"{IMAGES}.gz")
    with pytest.raises(InputError, match=f"{IMAGES}.gz is not a file"):
        TINY.read(tmp_path)


def test_the_raw_file_comes_before_the_gzipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, CONTENTS, gzipped=True)
    idx_files.write(folder, {IMAGES: b"altered"}, gzipped=False)
    with pytest.raises(
        InputError, match=f"{IMAGES} is not the original {IMAGES}: it does not begin as an IDX file does"
    ):
        TINY.read(tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_data(name: str) -> None:
    """If the user has them, every file is the original, and the first labels are the known ones."""
    data_dir = Path(os.environ.get("COMPARE_DATA_DIR", "data"))
    if DATASETS[name].missing_files(data_dir):
        pytest.skip(f"{name} is not in {data_dir}: set COMPARE_DATA_DIR to a folder in torchvision's layout")
    data = load(DataSpec(dataset=name), data_dir)
    assert data.x_train.shape == (60_000, 28, 28, 1)
    assert data.x_test.shape == (10_000, 28, 28, 1)
    first = {"mnist": [5, 0, 4, 1, 9], "fashion_mnist": [9, 0, 0, 3, 0]}
    np.testing.assert_array_equal(data.y_train[:5], first[name])
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
