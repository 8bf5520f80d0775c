"""Reading a user's own images in MNIST's format."""

import gzip
import os
import struct
from pathlib import Path

import idx_files
import numpy as np
import own_files
import pytest
from own_files import IDX_NAMES

from shared.data import DataSpec, choice, load
from shared.data.catalog import MNIST
from shared.errors import InputError

ARRAYS = own_files.arrays()


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("size", [(28, 28), (3, 5)])
def test_any_number_of_images_of_any_size(tmp_path: Path, gzipped: bool, size: tuple[int, int]) -> None:
    arrays = ARRAYS | {name: ARRAYS[name][:, : size[0], : size[1]] for name in ("x_train", "x_test")}
    data = load(DataSpec(dataset=own_files.save_idx(tmp_path / "mine", arrays, gzipped)), Path("nowhere"))
    for part in ("train", "test"):
        images, labels = data.part(part)  # type: ignore[arg-type]
        np.testing.assert_array_equal(images[..., 0], arrays[f"x_{part}"].astype(np.float32) / np.float32(255))
        np.testing.assert_array_equal(labels, arrays[f"y_{part}"])
    assert data.warnings == ()


@pytest.mark.parametrize(
    ("name", "as_named"), [("x_test", "t10k-images.idx3-ubyte"), ("y_test", "t10k-labels.idx1-ubyte.gz")]
)
def test_names_as_unpacking_programs_make_them(tmp_path: Path, name: str, as_named: str) -> None:
    dataset = own_files.save_idx(tmp_path, ARRAYS)
    content = (tmp_path / IDX_NAMES[name]).read_bytes()
    (tmp_path / IDX_NAMES[name]).unlink()
    (tmp_path / as_named).write_bytes(gzip.compress(content) if as_named.endswith(".gz") else content)
    np.testing.assert_array_equal(load(DataSpec(dataset=dataset), tmp_path).y_test, ARRAYS["y_test"])


def test_colour_images_and_other_types(tmp_path: Path) -> None:
    """Images have four axes and floating pixels, labels have 32 bits. Both are big-endian, as the format requires."""
    dataset = own_files.save_idx(tmp_path, ARRAYS)
    pixels = np.random.default_rng(1).random((20, 6, 5, 3)).astype(">f4")
    labels = ARRAYS["y_test"].astype(">i4")
    images = {"train": ARRAYS["x_train"][:, :6, :15].reshape(40, 6, 5, 3), "t10k": pixels}
    for part, array in images.items():
        (tmp_path / f"{part}-images-idx3-ubyte").unlink()
        header = struct.pack(">HBB4I", 0, 8 if part == "train" else 0x0D, 4, *array.shape)
        (tmp_path / f"{part}-images-idx4-ubyte").write_bytes(header + array.tobytes())
    (tmp_path / IDX_NAMES["y_test"]).write_bytes(struct.pack(">HBBI", 0, 0x0C, 1, 20) + labels.tobytes())
    data = load(DataSpec(dataset=dataset), tmp_path)
    np.testing.assert_array_equal(data.x_test, pixels)
    assert data.x_train.shape == (40, 6, 5, 3)
    np.testing.assert_array_equal(data.y_test, ARRAYS["y_test"])


def test_channels_first(tmp_path: Path) -> None:
    arrays = ARRAYS | {"x_train": ARRAYS["x_train"][:, None]}
    data = load(DataSpec(dataset=own_files.save_idx(tmp_path, arrays)), tmp_path)
    np.testing.assert_array_equal(data.x_train, ARRAYS["x_train"][..., None].astype(np.float32) / np.float32(255))
    (said,) = data.warnings
    assert said.startswith("train-images-idx3-ubyte (40, 1, 28, 28) has the channels first. It was read with the")


def _written(folder: Path, name: str, content: bytes) -> None:
    (folder / IDX_NAMES[name]).write_bytes(content)


WHOLE = {name: idx_files.idx_bytes(array) for name, array in ARRAYS.items()}
BAD = {
    "cut off": (
        ("x_train", WHOLE["x_train"][:-1]),
        "train-images-idx3-ubyte is cut off: its header says 40 images of 28 x 28, which are 31,376 bytes, and it "
        "holds 31,375. Write it again, or give another folder.",
    ),
    "longer": (("y_test", WHOLE["y_test"] + b"x"), "holds more than the 28 bytes of its 20 labels"),
    "no IDX": (("x_test", b"<html>not found</html>"), "t10k-images-idx3-ubyte is not an IDX file"),
    "empty": (("x_test", b""), "t10k-images-idx3-ubyte is not an IDX file"),
    "unknown type": (("x_test", b"\0\0\7\1" + WHOLE["x_test"][4:]), "is not an IDX file"),
    "too many axes": (("x_test", b"\0\0\x08\x09" + WHOLE["x_test"][4:]), "is not an IDX file"),
    "far more than is there": (
        ("x_train", struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)),
        "is cut off: its header says 4,294,967,295 images of 4294967295 x 4294967295",
    ),
    "no images": (("x_test", struct.pack(">HBB3I", 0, 8, 3, 0, 28, 28)), r"has shape (0, 28, 28, 1)"),
    "a label too few": (
        ("y_train", idx_files.idx_bytes(ARRAYS["y_train"][:-1])),
        "train-images-idx3-ubyte has 40 images and train-labels-idx1-ubyte has 39 labels",
    ),
    "labels and images exchanged": (("y_test", WHOLE["x_test"]), "t10k-labels-idx1-ubyte has shape (20, 28, 28)"),
    "sizes": (
        ("x_test", idx_files.idx_bytes(ARRAYS["x_test"][:, :14])),
        "those of t10k-images-idx3-ubyte (14, 28, 1)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(tmp_path: Path, case: str) -> None:
    (name, content), message = BAD[case]
    dataset = own_files.save_idx(tmp_path, ARRAYS)
    _written(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        load(DataSpec(dataset=dataset), tmp_path)
    assert message in str(caught.value)
    assert "emove" not in str(caught.value)


def test_files_and_folders_that_are_not_there(tmp_path: Path) -> None:
    dataset = own_files.save_idx(tmp_path / "mine", ARRAYS)
    (tmp_path / "mine" / IDX_NAMES["y_test"]).unlink()
    with pytest.raises(InputError, match=r"has no t10k-labels-idx1-ubyte\. The folder must hold .* Rename yours, or"):
        load(DataSpec(dataset=dataset), tmp_path)
    with pytest.raises(InputError, match=r"There is no folder .*nowhere"):
        load(DataSpec(dataset=f"idx:{tmp_path}/nowhere"), tmp_path)
    with pytest.raises(InputError, match=r"There is no folder .*t10k-images"):
        load(DataSpec(dataset=f"{dataset}/{IDX_NAMES['x_test']}"), tmp_path)
    with pytest.raises(InputError, match=r"File name too long|There is no folder"):
        load(DataSpec(dataset=f"idx:{'o' * 300}"), tmp_path)
    with pytest.raises(InputError, match=r"names no folder\. Give one with idx:DIR"):
        choice.choose("idx:", tmp_path)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    dataset = own_files.save_idx(tmp_path, ARRAYS, gzipped=True)
    header = struct.pack(">HBB3I", 0, 8, 3, 1 << 18, 32, 32)
    (tmp_path / f"{IDX_NAMES['x_train']}.gz").write_bytes(gzip.compress(header + bytes(1 << 28), 1))
    with pytest.raises(
        InputError, match=r"would unpack to 268,435,472 bytes, more than 20 times .* \(gunzip\) if that"
    ):
        load(DataSpec(dataset=dataset), tmp_path)


def test_damaged_gzip_streams(tmp_path: Path) -> None:
    dataset = own_files.save_idx(tmp_path, ARRAYS, gzipped=True)
    path = tmp_path / f"{IDX_NAMES['x_train']}.gz"
    whole = path.read_bytes()
    for content, message in ((whole[:-100], "its gzip stream ends early"), (b"no gzip", "cannot be unpacked")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            load(DataSpec(dataset=dataset), tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    dataset = own_files.save_idx(tmp_path, ARRAYS)
    (tmp_path / IDX_NAMES["y_train"]).unlink()
    os.mkfifo(tmp_path / IDX_NAMES["y_train"])
    with pytest.raises(InputError, match="train-labels-idx1-ubyte is not a file"):
        load(DataSpec(dataset=dataset), tmp_path)


@pytest.mark.parametrize("n_train", [2, 60_001])
def test_own_files_in_the_place_of_mnist(tmp_path: Path, n_train: int) -> None:
    """They are complete, so nothing was cut off. The message names the way to read them, and it works."""
    blank = np.random.default_rng(0).integers(0, 256, (n_train, 28, 28), np.uint8)
    arrays = ARRAYS | {"x_train": blank, "y_train": (np.arange(n_train) % 10).astype(np.uint8)}
    folder = MNIST.folder_in(tmp_path)
    own_files.save_idx(folder, arrays)
    with pytest.raises(InputError) as caught:
        load(DataSpec(dataset="mnist"), tmp_path)
    said = str(caught.value)
    assert f"its header says {n_train:,} images of 28 x 28, and the original has 60,000 images of 28 x 28" in said
    assert "cut off" not in said
    assert "emove" not in said
    assert "Move it elsewhere and fetch it again with 'python -m compare data mnist', or give another folder" in said
    named = said.partition("--dataset ")[2].partition("'")[0]
    assert len(load(DataSpec(dataset=named), tmp_path).x_train) == n_train


@pytest.mark.parametrize(
    ("dataset", "name"), [("digits", "digits"), ("a/b/mine.npz", "mine"), ("idx:a/b", "b"), ("idx:/", "idx")]
)
def test_names_for_folders(dataset: str, name: str) -> None:
    assert choice.short_name(dataset) == name


def test_the_folder_that_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_files.save_idx(tmp_path / "here", ARRAYS)
    monkeypatch.chdir(tmp_path / "here")
    assert choice.choose("idx:.", Path("nowhere")).reason == "The data set is idx:., as requested."
    assert len(load(DataSpec(dataset="idx:."), Path("nowhere")).x_train) == 40
    assert choice.short_name("idx:.") == "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load(DataSpec(dataset="idx:~/here"), Path("nowhere")).x_train) == 40
    with pytest.raises(InputError, match="There is no folder ~absent-of-that-name/mine"):
        load(DataSpec(dataset="idx:~absent-of-that-name/mine"), Path("nowhere"))
