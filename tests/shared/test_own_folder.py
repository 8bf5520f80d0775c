"""A folder of pictures as a data set: its classes, its parts, what is read of it and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.data import DataSpec, load, own_folder
from shared.data.dataset import RawImages, Unsplit
from shared.errors import InputError


def picture(path: Path, value: int, size: tuple[int, int] = (6, 8), colour: bool = False) -> None:
    """A picture of one value, with a lighter square in its middle."""
    height, width = size
    pixels = np.full((height, width, 3) if colour else (height, width), value, np.uint8)
    pixels[height // 3 : -(height // 3), width // 3 : -(width // 3)] = value + 100
    if colour:
        pixels[..., 0] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of five pictures, of other brightness."""
    root = tmp_path / "mine"
    for place, name in enumerate(("dog", "cat")):
        for number in range(5):
            picture(root / name / f"{number}.png", 40 * place + number)
    return root


def test_classes_are_the_subfolders_in_order(folder: Path) -> None:
    found = own_folder.read(folder, None, None)
    assert isinstance(found, Unsplit)
    assert found.classes == ("cat", "dog")
    assert found.images.shape == (10, 6, 8, 1)
    assert found.images.dtype == np.uint8
    assert {label: sorted(found.images[found.labels == label][:, 0, 0, 0]) for label in (0, 1)} == {
        0: [40, 41, 42, 43, 44],
        1: [0, 1, 2, 3, 4],
    }
    assert found.notes == ()


def test_a_share_of_every_class_is_set_apart(folder: Path) -> None:
    data = load(DataSpec(dataset=f"folder:{folder}", split=0.4), folder)
    assert np.bincount(data.y_train).tolist() == [3, 3]
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert data.spec is not None
    assert data.spec.classes == ("cat", "dog")
    again = load(DataSpec(dataset=f"folder:{folder}", split=0.4), folder)
    assert again.digest() == data.digest()


def test_train_and_test_are_used_as_such(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "parts"
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            picture(root / part / name / "a.png", 7 if part == "test" else 50)
    found = own_folder.read(root, None, None)
    assert isinstance(found, RawImages)
    assert (found.x_train[:, 0, 0, 0] == 50).all()
    assert (found.x_test[:, 0, 0, 0] == 7).all()
    with pytest.raises(InputError, match="has test images of its own"):
        load(DataSpec(dataset=f"folder:{root}", split=0.4), folder)
    (root / "test").rename(root / "val")
    with pytest.raises(InputError, match="Rename val/ to test/ if it holds the test images"):
        own_folder.read(root, None, None)


def test_pictures_of_other_sizes_need_resize(folder: Path) -> None:
    picture(folder / "cat" / "large.png", 9, size=(12, 8))
    with pytest.raises(InputError, match=r"(?s)6 x 8.*12 x 8.*--resize") as caught:
        own_folder.read(folder, None, None)
    assert "large.png" in str(caught.value)
    found = own_folder.read(folder, (4, 4), None)
    assert found.images.shape == (11, 4, 4, 1)  # type: ignore[union-attr]


def test_one_coloured_picture_makes_all_coloured(folder: Path) -> None:
    picture(folder / "dog" / "red.png", 9, colour=True)
    found = own_folder.read(folder, None, None)
    assert isinstance(found, Unsplit)
    assert found.images.shape == (11, 6, 8, 3)
    grey = own_folder.read(folder, None, "grey")
    assert isinstance(grey, Unsplit)
    assert grey.images.shape == (11, 6, 8, 1)


def test_what_is_not_read_is_said(folder: Path, tmp_path: Path) -> None:
    picture(tmp_path / "secret" / "victim.png", 100)
    (folder / "cat" / "link.png").symlink_to(tmp_path / "secret" / "victim.png")
    (folder / "bird").symlink_to(tmp_path / "secret")
    (folder / "cat" / "notes.txt").write_text("x")
    picture(folder / "loose.png", 1)
    (folder / "empty").mkdir()
    found = own_folder.read(folder, None, None)
    assert isinstance(found, Unsplit)
    assert len(found.images) == 10
    assert found.classes == ("cat", "dog")
    said = " ".join(found.notes)
    for part in ("2 links that lead out of the folder are not followed", "notes.txt", "loose.png", "empty"):
        assert part in said


def test_pictures_that_cannot_be_read_are_counted_and_named(folder: Path) -> None:
    for number in range(7):
        (folder / "cat" / f"broken{number}.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="7 of the 17 pictures") as caught:
        own_folder.read(folder, None, None)
    assert "broken0.png" in str(caught.value)
    assert "and 2 more" in str(caught.value)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "has no class"),
        (["cat/a.png"], r"has one class \(cat\)"),
        (["cat/a.png", "dog/deeper/a.png"], "has folders within it"),
        (["train/cat/a.png", "train/dog/a.png"], "has train/ and no test/"),
    ],
)
def test_a_folder_that_says_no_classes_is_refused(made: list[str], said: str, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    root.mkdir()
    for name in made:
        picture(root / name, 1)
    with pytest.raises(InputError, match=said):
        own_folder.read(root, None, None)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        own_folder.read(tmp_path / "none", None, None)
    with pytest.raises(InputError, match="names no folder"):
        own_folder.folder_of("folder:")


def test_resizing_keeps_proportions_on_the_ground_of_the_edge(folder: Path) -> None:
    """Of a picture that is twice as wide as high, a quarter above and below is its ground."""
    root = folder.parent / "wide"
    for name in ("a", "b"):
        picture(root / name / "x.png", 10, size=(8, 16))
    found = own_folder.read(root, (8, 8), None)
    assert isinstance(found, Unsplit)
    (image, _) = found.images[..., 0]
    assert (image[[0, 1, 6, 7]] == 10).all()
    assert image[3:5, 3:5].min() > 90
