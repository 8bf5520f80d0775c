"""Reading a folder of pictures with a subfolder for each class."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import own_pictures
import pytest
from own_pictures import NAMES, pixels
from PIL import Image
from sklearn.model_selection import train_test_split

from shared.data import DataSpec, choice, load, own_folder
from shared.errors import InputError


def test_a_subfolder_is_a_class_and_a_fifth_is_tested_on(tmp_path: Path) -> None:
    """The parts equal those of scikit-learn, pixel for pixel and in its order."""
    data = load(DataSpec(dataset=own_pictures.save(tmp_path / "mine")), tmp_path)
    paths = [tmp_path / "mine" / name / f"{number:02d}.png" for name in NAMES for number in range(10)]
    labels = np.repeat(np.arange(3), 10)
    train, test = train_test_split(np.arange(30), test_size=0.2, stratify=labels, random_state=0)
    for part, chosen in (("train", train), ("test", test)):
        images, found = data.part(part)  # type: ignore[arg-type]
        expected = np.stack([pixels(paths[index]) for index in chosen])
        np.testing.assert_array_equal(images, expected.astype(np.float32) / np.float32(255))
        np.testing.assert_array_equal(found, labels[chosen])
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    assert data.spec is not None
    assert data.spec.classes == NAMES
    assert data.spec.split == 0.2
    assert data.description == (
        "It has 30 images of 12 x 10 x 3 in 3 classes (circle, line, ring). 6 of them are the test images: of every "
        "class the same share (--split 0.2)."
    )
    assert data.warnings == ()
    assert load(data.spec, tmp_path).digest() == data.digest()


def test_another_share(tmp_path: Path) -> None:
    data = load(DataSpec(dataset=own_pictures.save(tmp_path / "mine"), split=0.5), tmp_path)
    assert np.bincount(data.y_train).tolist() == np.bincount(data.y_test).tolist() == [5, 5, 5]


def test_a_share_that_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has 30 images, and --split 0.99 leaves none of them to train on"):
        load(DataSpec(dataset=own_pictures.save(tmp_path / "mine"), split=0.99), tmp_path)


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "testing")])
def test_train_and_test_are_used_as_such(tmp_path: Path, names: tuple[str, str]) -> None:
    train, test = names
    own_pictures.save(tmp_path / "mine" / train)
    own_pictures.save(tmp_path / "mine" / test, 2, names=("ring", "line"))
    own_pictures.save(tmp_path / "mine" / "val", 2)
    data = load(DataSpec(dataset=f"folder:{tmp_path / 'mine'}"), tmp_path)
    assert np.bincount(data.y_train).tolist() == [10, 10, 10]
    assert np.bincount(data.y_test).tolist() == [0, 2, 2]
    assert len(set(data.y_train[:10].tolist())) > 1, "sorted by class, so that --limit would take one class alone"
    assert data.warnings[0] == "1 entry beside the training and test images is not read (val)."
    expected = {pixels(p).tobytes() for p in (tmp_path / "mine" / test / "ring").iterdir()}
    found = {np.rint(x * 255).astype(np.uint8).tobytes() for x in data.x_test[data.y_test == 2]}
    assert found == expected
    with pytest.raises(InputError, match=r"--split 0.2 is not possible: folder:.*mine has test images of its own"):
        load(DataSpec(dataset=f"folder:{tmp_path / 'mine'}", split=0.2), tmp_path)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    data = load(DataSpec(dataset=own_pictures.save(tmp_path / "mine", names=("car", "train"))), tmp_path)
    assert data.spec is not None
    assert data.spec.classes == ("car", "train")


def test_resized_pictures_keep_their_proportions(tmp_path: Path) -> None:
    """A picture twice as wide as high gets bars above and below, in the colour of its edge."""
    dataset = own_pictures.save(tmp_path / "mine", 2)
    wide = Image.new("RGB", (40, 20), (10, 200, 30))
    wide.paste((250, 0, 0), (16, 6, 24, 14))
    wide.save(tmp_path / "mine" / "line" / "wide.png")
    data = load(DataSpec(dataset=dataset, resize=(10, 10), split=0.5), tmp_path)
    images = np.rint(np.concatenate([data.x_train, data.x_test]) * 255).astype(np.uint8)
    (found,) = [image for image in images if image[0, 0].tolist() == [10, 200, 30] and image[9, 9, 1] == 200]
    square = Image.new("RGB", (40, 40), (10, 200, 30))
    square.paste(wide, (0, 10))
    np.testing.assert_array_equal(found, np.asarray(square.resize((10, 10), Image.Resampling.BILINEAR)))


def test_the_size_is_height_by_width(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine", 2, (30, 60))
    data = load(DataSpec(dataset=dataset, resize=(10, 20), split=0.5), tmp_path)
    assert data.x_train.shape == (3, 10, 20, 3)
    whole = Image.open(tmp_path / "mine" / "line" / "00.png").resize((20, 10), Image.Resampling.BILINEAR)
    images = np.rint(np.concatenate([data.x_train, data.x_test]) * 255)
    assert any((image == np.asarray(whole)).all() for image in images), "its proportions are those asked for"


def test_a_single_picture_is_read_as_those_of_the_folder(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine", 2, (21, 13))
    for channels, shape in (("grey", (8, 8, 1)), ("colour", (8, 8, 3))):
        data = load(DataSpec(dataset=dataset, resize=(8, 8), channels=channels, split=0.5), tmp_path)
        images = np.rint(np.concatenate([data.x_train, data.x_test]) * 255).astype(np.uint8)
        one = own_folder.read_one(tmp_path / "mine" / "ring" / "01.png", shape)
        assert sum((image == one).all() for image in images) == 1


def test_pictures_of_greys_have_one_channel(tmp_path: Path) -> None:
    """Their files may have one channel, three equal ones, or an invisible background."""
    dataset = own_pictures.save(tmp_path / "mine", 0)
    grey = np.random.default_rng(0).integers(0, 256, (6, 12, 10), np.uint8)
    for number, mode in enumerate(("L", "RGB", "RGBA", "L", "RGB", "RGBA")):
        Image.fromarray(grey[number]).convert(mode).save(tmp_path / "mine" / NAMES[number % 2] / f"{number}.png")
    data = load(DataSpec(dataset=dataset, split=0.5), tmp_path)
    assert data.x_train.shape == (3, 12, 10, 1)
    coloured = load(DataSpec(dataset=dataset, split=0.5, channels="colour"), tmp_path)
    np.testing.assert_array_equal(coloured.x_train, np.repeat(data.x_train, 3, axis=3))
    assert data.warnings[0] == "1 folder is not read: it holds no pictures (ring)."

    own_pictures.save(tmp_path / "mixed", 1)
    (tmp_path / "mixed" / "circle" / "00.png").rename(tmp_path / "mine" / "circle" / "colour.png")
    mixed = load(DataSpec(dataset=dataset, split=0.4), tmp_path)
    assert mixed.x_train.shape[3] == 3, "one coloured picture is enough"
    assert load(DataSpec(dataset=dataset, split=0.4, channels="grey"), tmp_path).x_train.shape[3] == 1


def test_pictures_that_cannot_be_read_are_counted_and_named(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine")
    ring = tmp_path / "mine" / "ring"
    (ring / "00.png").write_bytes((ring / "00.png").read_bytes()[:100])
    (ring / "01.png").write_bytes(b"")
    (ring / "02.png").unlink()
    os.mkfifo(ring / "02.png")
    (ring / "03.png").unlink()
    (ring / "03.png").symlink_to(ring / "gone.png")
    for number in (4, 5, 6):
        (ring / f"{number:02d}.png").write_text("no picture")
    with pytest.raises(InputError) as caught:
        load(DataSpec(dataset=dataset), tmp_path)
    said = str(caught.value)
    assert said.startswith(f"7 of the 30 pictures in {tmp_path / 'mine'} cannot be read: ring/00.png cannot be read as")
    assert "ring/02.png is not a file; ring/03.png cannot be read: No such file" in said
    assert "ring/04.png" in said
    assert "ring/05.png" not in said
    assert said.endswith("; and 2 more. Fix them, or move them out of the folder.")


def test_sizes_that_differ(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine")
    Image.new("L", (7, 12)).save(tmp_path / "mine" / "line" / "04.png")
    with pytest.raises(InputError) as caught:
        load(DataSpec(dataset=dataset), tmp_path)
    assert str(caught.value) == (
        f"The pictures in {tmp_path / 'mine'} differ in size: circle/00.png is 12 x 10 (height x width) and "
        "line/04.png is 12 x 7. Resize all to one size, with --resize 28 or --resize 28x40, for example."
    )


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine", 4)
    own_pictures.save(tmp_path / "others", 4, names=("secret",))
    (tmp_path / "mine" / "secret").symlink_to(tmp_path / "others" / "secret")
    (tmp_path / "mine" / "ring" / "x.png").symlink_to(tmp_path / "others" / "secret" / "00.png")
    (tmp_path / "mine" / "ring" / "loop.png").symlink_to(tmp_path / "mine" / "ring" / "loop.png")
    (tmp_path / "mine" / "line" / "03.png").unlink()
    (tmp_path / "mine" / "line" / "03.png").symlink_to(tmp_path / "mine" / "line" / "02.png")
    data = load(DataSpec(dataset=dataset, split=0.5), tmp_path)
    assert data.spec is not None
    assert data.spec.classes == NAMES
    assert len(data.x_train) + len(data.x_test) == 12, "a link within the folder is followed"
    assert data.warnings[0] == (
        "3 links that lead out of the folder are not followed (secret, ring/loop.png, ring/x.png)."
    )


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    dataset = own_pictures.save(tmp_path / "mine", 4)
    mine = tmp_path / "mine"
    (mine / "README.txt").write_text("mine")
    (mine / "ring" / "scan.tiff").write_text("")
    (mine / "ring" / ".DS_Store").write_text("")
    (mine / ".git").mkdir()
    (mine / "empty").mkdir()
    Image.new("L", (3, 3)).save(mine / "loose.png")
    assert load(DataSpec(dataset=dataset), tmp_path).warnings == (
        "2 files are not read: their names do not end in .png, .jpg, .jpeg, .bmp, .gif, .webp (README.txt, "
        "ring/scan.tiff).",
        "1 picture is not read: it lies in no class's subfolder (loose.png).",
        "1 folder is not read: it holds no pictures (empty).",
    )


def nothing(folder: Path) -> None:
    folder.mkdir()


def one_class(folder: Path) -> None:
    own_pictures.save(folder, 1, names=("cat",))


def too_deep(folder: Path) -> None:
    own_pictures.save(folder / "pictures", 1)


def without_test(folder: Path) -> None:
    own_pictures.save(folder / "train", 1)


def validated(folder: Path) -> None:
    own_pictures.save(folder / "train", 1)
    own_pictures.save(folder / "val", 1)


def idx_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_text("")


def odd_name(folder: Path) -> None:
    own_pictures.save(folder, 1, names=("cat", "d\x1bog"))


BAD: dict[Callable[[Path], None], str] = {
    nothing: "mine has no class, and there must be two or more. The folder must hold one subfolder for each class",
    one_class: r"mine has one class \(cat\), and there must be two or more",
    too_deep: "If those are the classes, give folder:.*mine/pictures. The folder must hold",
    without_test: r"mine has train/ and no test/, so the test images are unknown\. Add test/ with the test",
    validated: "no test/, .* Rename val/ to test/ if it holds the test images, or give folder:.*train, which",
    idx_files: "For files in MNIST's format give idx:.*mine",
    odd_name: r"'d\\x1bog' cannot be the name of a class",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_folders_that_are_no_data_set(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "mine")
    with pytest.raises(InputError, match=BAD[make]):
        load(DataSpec(dataset=f"folder:{tmp_path / 'mine'}"), tmp_path)


def test_more_than_the_machine_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 5, "SC_PAGE_SIZE": 4096}[name])
    with pytest.raises(InputError, match=r"The 60 pictures in .*mine are 12 x 10 x 3 each and would take 0.0 GiB"):
        load(DataSpec(dataset=own_pictures.save(tmp_path / "mine", 20)), tmp_path)


def test_other_classes_than_recorded(tmp_path: Path) -> None:
    spec = load(DataSpec(dataset=own_pictures.save(tmp_path / "mine")), tmp_path).spec
    assert spec is not None
    (tmp_path / "mine" / "line").rename(tmp_path / "mine" / "lines")
    with pytest.raises(InputError, match=r"they are circle, lines, ring, and the record says circle, line, ring"):
        load(spec, tmp_path)


def test_a_class_without_training_images_is_named(tmp_path: Path) -> None:
    own_pictures.save(tmp_path / "mine" / "train", names=("line", "ring"))
    own_pictures.save(tmp_path / "mine" / "test", 2)
    warnings = load(DataSpec(dataset=f"folder:{tmp_path / 'mine'}"), tmp_path).warnings
    assert any(text.startswith("No training image is of class circle, but 2 of the 6 test") for text in warnings)


def test_the_path_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_pictures.save(tmp_path / "mine", 1)
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert choice.choose("mine", tmp_path).dataset == "folder:mine"
    assert choice.choose("digits", tmp_path).dataset == "digits", "a name goes before a path"
    assert choice.choose("folder:digits", tmp_path).dataset == "folder:digits"
    assert choice.short_name("folder:mine") == "mine"
    with pytest.raises(InputError, match="There is no data set 'yours'"):
        choice.choose("yours", tmp_path)


def test_resized_to_more_than_the_machine_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused for any source of images, and before memory is allocated."""
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 1 << 20, "SC_PAGE_SIZE": 4096}[name])
    with pytest.raises(InputError, match=r"The 1,797 images are 2000 x 2000 x 3 each and would take 100"):
        load(DataSpec(dataset="digits", resize=(2000, 2000), channels="colour"), tmp_path)
