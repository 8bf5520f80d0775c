"""Warnings on data that load, but are probably not what their owner thinks."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import own_files
import pytest
from own_files import Arrays

from shared.choices import Scale
from shared.data import Data, DataSpec, load
from shared.data.dataset import RawImages
from shared.data.sanity import data_warnings


def of(arrays: Arrays, scale: Scale = "unit", limited: bool = False) -> tuple[str, ...]:
    return data_warnings(RawImages(**arrays), scale, limited)  # type: ignore[arg-type]


def changed(**changes: Callable[[np.ndarray], np.ndarray]) -> Arrays:
    found = own_files.arrays()
    return found | {name: change(found[name]) for name, change in changes.items()}


def zero_one(images: np.ndarray) -> np.ndarray:
    return (images > 127).astype(np.uint8)


def unit(images: np.ndarray) -> np.ndarray:
    return images / 255


BLACK = "so the networks see almost black images"
SCALED = "8-bit pixels are divided by 255. Multiply images of 0 and 1 by 255, or save them as floating numbers."

ONE = {
    "blank": (changed(x_test=lambda x: x * 0), "Every pixel of the test images is 0 of 255: they show nothing."),
    "white": (changed(x_test=lambda x: x * 0 + 255), "Every pixel of the test images is 255 of 255: they show nothing"),
    "blank float": (changed(x_test=lambda x: x * 0.0), "Every pixel of the test images is 0 of 1"),
    "some 0 and 1": (
        changed(x_train=lambda x: np.concatenate([x[:30], zero_one(x[30:])])),
        "10 of the 40 training images have no pixel above 1 of 255, and others have up to 255 of 255. Scale all",
    ),
    "some blank": (
        changed(
            x_train=lambda x: np.concatenate([x[:30], x[30:] * 0 + np.arange(100, 110, dtype=np.uint8)[:, None, None]])
        ),
        "10 of the 40 training images are of one colour: they show nothing.",
    ),
    "each blank": (
        changed(x_test=lambda x: x * 0 + np.arange(200, 220, dtype=np.uint8)[:, None, None]),
        "20 of the 20 test images are of one colour: they show nothing.",
    ),
    "one class": (changed(y_test=lambda y: y * 0 + 3), "All test images are of class 3, so there is nothing"),
    "no 3 and no 4": (
        changed(y_train=lambda y: np.where((y == 3) | (y == 4), 5, y)),
        "No training image is of class 3 or 4, but 4 of the 20 test images are: no network can get them right.",
    ),
    "1 to 9": (
        changed(y_train=lambda y: np.maximum(y, 1), y_test=lambda y: np.maximum(y, 1)),
        "No image is of class 0, and the labels are 1 to 9. Labels count from 0: if yours count from 1, subtract 1",
    ),
    "1 to 3": (
        changed(y_train=lambda y: y % 3 + 1, y_test=lambda y: y % 3 + 1),
        "No image is of class 0, and the labels are 1 to 3.",
    ),
    "a duplicate": (
        changed(x_train=lambda x: np.concatenate([own_files.arrays()["x_test"][:1], x[1:]])),
        "1 of the 20 test images is among the training images, pixel for pixel.",
    ),
    "all duplicates": (
        changed(x_test=lambda x: own_files.arrays()["x_train"][:20]),
        "20 of the 20 test images are among the training images, pixel for pixel.",
    ),
    "duplicates labelled otherwise": (
        changed(x_test=lambda x: own_files.arrays()["x_train"][:20], y_test=lambda y: (y + (y < 3)) % 10),
        "20 of the 20 test images are among the training images, pixel for pixel, 6 of them with another label.",
    ),
    "duplicates in another type": (
        changed(x_test=lambda x: unit(own_files.arrays()["x_train"][:20])),
        "20 of the 20 test images are among the training images",
    ),
    "duplicates in duplicates": (
        changed(x_train=lambda x: np.repeat(x[:1], 40, 0), x_test=lambda x: own_files.arrays()["x_train"][[0] * 20]),
        "20 of the 20 test images are among the training images",
    ),
}


@pytest.mark.parametrize("case", ONE)
def test_one_doubt_gives_one_sentence(case: str) -> None:
    arrays, message = ONE[case]
    (said,) = of(arrays)
    assert said.startswith(message)


PIXELS = {
    "8-bit 0 and 1": (zero_one, f"is 1 of 255, {BLACK}. {SCALED}"),
    "8-bit 0 to 16": (lambda x: x // 16, "is 15 of 255, so the networks see dark images. 8-bit pixels are divided"),
    "divided twice": (lambda x: unit(unit(x)), f"is 0.00392 of 1, {BLACK}. Floating pixels must reach from 0 to 1."),
}


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("case", PIXELS)
def test_dark_images_of_one_part(case: str, part: str) -> None:
    """Only that part is dark."""
    change, message = PIXELS[case]
    dark, warning = of(changed(**{f"x_{part}": change}))
    assert message in dark
    named, other = ("training", "test") if part == "train" else ("test", "training")
    assert dark.startswith(f"The largest pixel of the {named} images is ")
    assert warning.startswith(
        f"The {other} images are about {17 if '16' in case else 255} times as bright as the {named}"
    )


def test_dark_images_of_both_parts() -> None:
    (said,) = of(changed(x_train=zero_one, x_test=zero_one))
    assert said == f"The largest pixel of the training images and of the test images is 1 of 255, {BLACK}. {SCALED}"
    assert len(of(changed(x_train=lambda x: x // 16, x_test=lambda x: x // 8))) == 2
    # Standardising compensates for that, but not for parts scaled differently.
    assert of(changed(x_train=zero_one, x_test=zero_one), "standard") == ()
    (warning,) = of(changed(x_test=zero_one), "standard")
    assert "255 times as bright" in warning


def test_a_single_bright_image_hides_nothing() -> None:
    said = of(changed(x_test=lambda x: np.concatenate([x[:1], zero_one(x[1:])])))
    assert any("255 times as bright as the test images" in text for text in said)
    assert any("19 of the 20 test images have no pixel above 1 of 255" in text for text in said)


def test_labels_of_one_part_count_from_1() -> None:
    said = of(changed(y_train=lambda y: y % 9 + 1, y_test=lambda y: y % 9))
    assert said[-1].startswith(
        "The training labels are 1 to 9 and the test labels 0 to 8. One of them may count from 1"
    )


GOOD = {
    "8-bit": changed(),
    "floating": changed(x_train=unit, x_test=unit),
    "one of each": changed(x_train=unit),
    "floating 0 and 1": changed(x_train=lambda x: unit(zero_one(x) * 255.0), x_test=lambda x: zero_one(x) * 1.0),
    "few blank images": changed(x_train=lambda x: np.concatenate([x[:39], x[39:] * 0])),
    "half as bright": changed(x_test=lambda x: x // 2),
    "nine classes with 0": changed(y_train=lambda y: y % 9, y_test=lambda y: y % 9),
    "a class without test images": changed(y_test=lambda y: y % 9),
    "not without a warning": changed(y_train=lambda y: y % 3 * 2 + 1, y_test=lambda y: y % 3 * 2 + 1),
}


@pytest.mark.parametrize("case", GOOD)
def test_nothing_is_said_of_good_data(case: str) -> None:
    assert of(GOOD[case]) == ()


@pytest.mark.parametrize("name", ["digits", "photographs"])
def test_nothing_is_said_of_the_embedded_data(name: str) -> None:
    assert load(DataSpec(dataset=name), Path()).warnings == ()


def test_the_limit_of_a_sorted_file(tmp_path: Path) -> None:
    arrays = changed(y_train=np.sort)
    path = own_files.save_npz(tmp_path / "mine.npz", arrays)
    assert load(DataSpec(dataset=path), tmp_path).warnings == ()
    (said,) = load(DataSpec(dataset=path, n_train=32), tmp_path).warnings
    assert said.startswith("No training image is of class 8 or 9, but 4 of the 20 test images are")
    assert said.endswith("The training images are the first ones of the data: shuffle data that are sorted by class.")


def test_what_is_held_out_is_not_trained_on(tmp_path: Path) -> None:
    """The only image of class 9 is held out for validation in some of these, and trained on in the others."""
    arrays = changed(y_train=lambda y: np.where(np.arange(40) < 39, y % 9, 9))
    path = own_files.save_npz(tmp_path / "mine.npz", arrays)
    found = set()
    for n in range(1, 39):
        data = load(DataSpec(dataset=path, validation=n), tmp_path)
        assert (9 in data.y_train) == (not any(" 9, but" in text for text in data.warnings))
        found.add(9 in data.y_train)
    assert found == {True, False}


def test_labels_are_compared_with_their_images(digits: Data) -> None:
    """No warning is given if something else explains why images look unlike others of their class."""
    arrays = {name: getattr(digits, name)[:200] for name in ("x_train", "y_train", "x_test", "y_test")}
    shifted = arrays | {"y_test": np.roll(arrays["y_test"], 1)}
    (said,) = of(shifted)
    assert "The test labels look shifted by one image." in said
    said_of_dark = of(shifted | {"x_test": unit(arrays["x_test"])})
    assert len(said_of_dark) == 2
    assert not any("shifted" in text for text in said_of_dark)


def test_warnings_change_no_digest(digits: Data) -> None:
    assert Data.of_arrays(digits.arrays()).digest() == digits.digest()


def test_60_000_images_take_little_time() -> None:
    """It takes less time than reading and scaling them. Quadratic work would take minutes."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (60_000, 28, 28, 1), np.uint8),
        "y_train": rng.integers(0, 10, 60_000),
        "x_test": rng.integers(0, 256, (10_000, 28, 28, 1), np.uint8),
        "y_test": rng.integers(0, 10, 10_000),
    }
    arrays["x_test"][:7] = arrays["x_train"][-7:]
    start = time.process_time()
    (said,) = of(arrays)
    assert said.startswith("7 of the 10,000 test images are among the training images")
    assert time.process_time() - start < 30
