"""Reading a user's own images from `.npz` files."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.data import DataSpec, load
from shared.errors import InputError

Arrays = dict[str, np.ndarray]


@pytest.fixture
def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 30).astype(np.uint8),
        "x_test": rng.integers(0, 256, (10, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 10).astype(np.uint8),
    }


def save(path: Path, arrays: Arrays) -> str:
    np.savez(path / "mine.npz", **arrays)
    return str(path / "mine.npz")


def test_8_bit_images_without_a_channel_axis(tmp_path: Path, arrays: Arrays) -> None:
    data = load(DataSpec(dataset=save(tmp_path, arrays)), tmp_path)
    assert data.x_train.shape == (30, 28, 28, 1)
    np.testing.assert_array_equal(data.x_train[..., 0], arrays["x_train"].astype(np.float32) / np.float32(255))
    assert data.y_train.dtype == np.int64


def test_colour_images_and_column_labels(tmp_path: Path, arrays: Arrays) -> None:
    for part in ("train", "test"):
        arrays[f"x_{part}"] = np.repeat(arrays[f"x_{part}"][..., None], 3, axis=-1)
        arrays[f"y_{part}"] = arrays[f"y_{part}"][:, None]
    data = load(DataSpec(dataset=save(tmp_path, arrays)), tmp_path)
    assert data.x_test.shape == (10, 28, 28, 3)
    assert data.y_test.shape == (10,)


def test_floating_images_are_taken_as_they_are(tmp_path: Path, arrays: Arrays) -> None:
    for part in ("train", "test"):
        arrays[f"x_{part}"] = arrays[f"x_{part}"] / 255
    data = load(DataSpec(dataset=save(tmp_path, arrays)), tmp_path)
    np.testing.assert_array_equal(data.x_train[..., 0], arrays["x_train"].astype(np.float32))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("part", ["train", "test", "both"])
def test_channels_first(tmp_path: Path, arrays: Arrays, channels: int, part: str) -> None:
    """PyTorch users have such images. The data equal those with channels last, and a sentence reports the change."""
    last = {n: np.stack([a // (i + 1) for i in range(channels)], -1) for n, a in arrays.items() if n[0] == "x"}
    names = ["x_train", "x_test"] if part == "both" else [f"x_{part}"]
    first = {name: np.moveaxis(last[name], -1, 1) for name in names}
    expected = load(DataSpec(dataset=save(tmp_path, arrays | last)), tmp_path)
    data = load(DataSpec(dataset=save(tmp_path, arrays | last | first)), tmp_path)
    assert data.digest() == expected.digest()
    (note,) = set(data.warnings) - set(expected.warnings)
    assert all(f"{name} {first[name].shape}" in note for name in names)
    assert "channels last, as numpy.moveaxis(images, 1, -1) gives them" in note


def test_channels_last_are_left_alone(tmp_path: Path, arrays: Arrays) -> None:
    """This holds for small pictures, and for pictures with an axis as short as channels are."""
    for shape in ((3, 3, 3), (1, 28, 1), (4, 4, 4), (2, 28, 3)):
        made = arrays | {n: np.resize(a, (len(a), *shape)) for n, a in arrays.items() if n[0] == "x"}
        data = load(DataSpec(dataset=save(tmp_path, made)), tmp_path)
        assert data.x_train.shape == (30, *shape)
        assert not any("channels" in text for text in data.warnings)


BAD = {
    "missing": ("y_test", lambda a: None, "has no array y_test"),
    "shape": ("x_train", lambda a: a[:, 0], r"x_train has shape \(30, 28\)"),
    "flat": ("x_train", lambda a: a.reshape(30, -1), r"Give each image its shape, as images.reshape\(-1, height"),
    "five axes": ("x_train", lambda a: a[..., None, None], r"x_train has shape \(30, 28, 28, 1, 1\)"),
    "empty": ("x_test", lambda a: a[:0], r"x_test has shape \(0, 28, 28, 1\)"),
    "no label": ("y_train", lambda a: a[:-1], "x_train has 30 images and y_train has 29 labels"),
    "unlike": ("x_test", lambda a: a[:, :14], r"those of x_test \(14, 28, 1\)"),
    "label too large": (
        "y_test",
        lambda a: np.where(a == a[0], 1000, a.astype(int)),
        "y_test holds labels from . to 1000",
    ),
    "label negative": ("y_test", lambda a: a.astype(int) - 20, "y_test holds labels from -"),
    "label NaN": ("y_train", lambda a: np.where(np.arange(30) == 7, np.nan, a), "y_train holds NaN at index 7"),
    "label floating": ("y_train", lambda a: a.astype(float), "y_train is of type float64"),
    "label text": ("y_train", lambda a: a.astype(str), "y_train is of type <U"),
    "labels one-hot": ("y_train", lambda a: np.eye(10)[a], r"y_train has shape \(30, 10\)"),
    "pixel NaN": ("x_train", lambda a: a * np.nan, "x_train holds NaN or infinite pixels"),
    "pixel inf": ("x_test", lambda a: a * np.inf, "x_test holds NaN or infinite pixels"),
    "pixel range": ("x_train", lambda a: a.astype(float), "x_train holds floating pixels from 0 to 255"),
    "pixel type": ("x_train", lambda a: a.astype(np.int32), "x_train is of type int32"),
    "objects": ("x_train", lambda a: np.array([{}] * 30), "holds Python objects"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_bad_arrays(tmp_path: Path, arrays: Arrays, case: str) -> None:
    name, change, message = BAD[case]
    arrays[name] = change(arrays[name])
    path = save(tmp_path, {n: a for n, a in arrays.items() if a is not None})
    with pytest.raises(InputError, match=message):
        load(DataSpec(dataset=path), tmp_path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*nothing.npz"):
        load(DataSpec(dataset=str(tmp_path / "nothing.npz")), tmp_path)


@pytest.mark.parametrize("n_bytes", [0, 10, 3_000, 10_000])
def test_truncated_file(tmp_path: Path, arrays: Arrays, n_bytes: int) -> None:
    path = Path(save(tmp_path, arrays))
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(InputError, match="cannot be read as an"):
        load(DataSpec(dataset=str(path)), tmp_path)


def test_a_single_array(tmp_path: Path) -> None:
    with (tmp_path / "one.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(InputError, match="but a single array"):
        load(DataSpec(dataset=str(tmp_path / "one.npz")), tmp_path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, arrays: Arrays) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", **arrays | {"x_train": np.zeros((120_000, 28, 28), np.uint8)})
    with pytest.raises(InputError, match=r"x_train would unpack to 94,\d{3},\d{3} bytes, more than 20 times"):
        load(DataSpec(dataset=str(tmp_path / "bomb.npz")), tmp_path)


def test_an_array_that_says_it_is_larger_than_its_file(tmp_path: Path, arrays: Arrays) -> None:
    """It is reported before memory is allocated."""
    with zipfile.ZipFile(save(tmp_path, arrays)) as good, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for name in good.namelist():
            content = good.read(name).replace(b"(30, 28, 28), ", b"(9999999999, 28, 28), ")
            bad.writestr(name, content)
    with pytest.raises(InputError, match=r"x_train claims shape \(9999999999, 28, 28\)"):
        load(DataSpec(dataset=str(tmp_path / "bad.npz")), tmp_path)


def test_an_array_that_is_there_twice(tmp_path: Path, arrays: Arrays) -> None:
    """NumPy would read another one than the one checked."""
    path = save(tmp_path, arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train", b"another")
    with pytest.raises(InputError, match="has an array twice"):
        load(DataSpec(dataset=path), tmp_path)


def test_a_compression_that_numpy_does_not_write(tmp_path: Path, arrays: Arrays) -> None:
    """bzip2 packs a gigabyte into some hundred bytes."""
    with zipfile.ZipFile(save(tmp_path, arrays)) as good, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name), zipfile.ZIP_BZIP2)
    with pytest.raises(InputError, match="compressed in a way that NumPy does not write"):
        load(DataSpec(dataset=str(tmp_path / "bad.npz")), tmp_path)


def test_names_of_classes(tmp_path: Path, arrays: Arrays) -> None:
    names = tuple("abcdefghij")
    for of_type in (np.array(names), np.array([name.encode() for name in names])):
        data = load(DataSpec(dataset=save(tmp_path, arrays | {"classes": of_type})), tmp_path)
        assert data.spec is not None
        assert data.spec.classes == names
    expected = load(DataSpec(dataset=save(tmp_path, arrays)), tmp_path)
    assert data.digest() == expected.digest(), "names are no part of the digest"


BAD_NAMES = {
    "numbers": (np.arange(10), r"classes is of type int64 and shape \(10,\)\. It must be 2 to 1,000 texts"),
    "table": (np.array([["a", "b"]]), r"shape \(1, 2\)"),
    "too few": (np.array(list("abcde")), r"y_train holds labels from 0 to 9\. Labels must lie in 0 \.\.\. 4"),
    "twice": (np.array(list("abcdefghia")), "two classes are named 'a'"),
    "empty": (np.array([*"abcdefghi", ""]), "'' cannot be the name of a class"),
    "steering": (np.array([*"abcdefghi", "\x1b"]), r"'\\x1b' cannot be the name of a class"),
    "objects": (np.array([*"abcdefghi", None]), "holds Python objects"),
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_bad_names_of_classes(tmp_path: Path, arrays: Arrays, case: str) -> None:
    names, message = BAD_NAMES[case]
    with pytest.raises(InputError, match=message):
        load(DataSpec(dataset=save(tmp_path, arrays | {"classes": names})), tmp_path)


def test_images_of_which_some_are_held_out(tmp_path: Path, arrays: Arrays) -> None:
    whole = {"x": arrays["x_train"], "y": np.arange(30) % 3}
    data = load(DataSpec(dataset=save(tmp_path, whole), split=0.5), tmp_path)
    assert np.bincount(data.y_train).tolist() == np.bincount(data.y_test).tolist() == [5, 5, 5]
    with pytest.raises(InputError, match="x has 30 images and y has 29 labels"):
        load(DataSpec(dataset=save(tmp_path, whole | {"y": np.arange(29)})), tmp_path)
    with pytest.raises(InputError, match=r"--split 0.5 is not possible: .* has test images of its own"):
        load(DataSpec(dataset=save(tmp_path, arrays), split=0.5), tmp_path)


@pytest.mark.parametrize("of_type", [np.uint8, np.float64])
def test_resized_arrays(tmp_path: Path, arrays: Arrays, of_type: type) -> None:
    """Floating pixels are resized without rounding."""
    scale = 1 if of_type is np.uint8 else 255
    parts = {name: (arrays[name] / scale).astype(of_type) for name in ("x_train", "x_test")}
    data = load(DataSpec(dataset=save(tmp_path, arrays | parts), resize=(14, 7)), tmp_path)
    assert data.x_test.shape == (10, 14, 7, 1)
    wide = Image.fromarray(arrays["x_test"][3].astype(np.float32))
    edge = np.concatenate([arrays["x_test"][3][[0, -1]].ravel(), arrays["x_test"][3][:, [0, -1]].T.ravel()])
    high = Image.new("F", (28, 56), float(np.median(edge)))
    high.paste(wide, (0, 14))
    expected = np.asarray(high.resize((7, 14), Image.Resampling.BILINEAR)) / 255
    np.testing.assert_allclose(data.x_test[3, ..., 0], expected, atol=0.01 if of_type is np.uint8 else 1e-6)


def test_greys_and_colours(tmp_path: Path, arrays: Arrays) -> None:
    coloured = load(DataSpec(dataset=save(tmp_path, arrays), channels="colour"), tmp_path)
    assert coloured.x_train.shape == (30, 28, 28, 3)
    colours = {name: np.stack([arrays[name]] * 2 + [255 - arrays[name]], -1) for name in ("x_train", "x_test")}
    grey = load(DataSpec(dataset=save(tmp_path, arrays | colours), channels="grey"), tmp_path)
    pillow = np.asarray(Image.fromarray(colours["x_test"][4]).convert("L"), int)
    assert np.abs(np.rint(grey.x_test[4, ..., 0] * 255) - pillow).max() <= 1
    two = {name: colours[name][..., :2] for name in colours}
    with pytest.raises(InputError, match="--channels grey is not possible: the images have 2 channels"):
        load(DataSpec(dataset=save(tmp_path, arrays | two), channels="grey"), tmp_path)
