"""Warnings on labels that do not match their images, on the embedded digits."""

import numpy as np
import pytest
from own_files import Arrays

from shared.data import Data
from shared.data.alike import label_warnings


@pytest.fixture
def some(digits: Data) -> Arrays:
    """Return 400 training and 120 test images with their labels."""
    return {
        "x_train": digits.x_train[:400],
        "y_train": digits.y_train[:400],
        "x_test": digits.x_test[:120],
        "y_test": digits.y_test[:120],
    }


@pytest.mark.parametrize(("step", "where"), [(1, "before"), (-1, "after")])
@pytest.mark.parametrize(("part", "name"), [("train", "training"), ("test", "test")])
def test_labels_shifted_by_one_image(part: str, name: str, step: int, where: str, some: Arrays) -> None:
    some[f"y_{part}"] = np.roll(some[f"y_{part}"], step)
    (said,) = label_warnings(**some)
    assert said.startswith(f"The {name} labels look shifted by one image.")
    assert f"if each label goes to the image {where} its own." in said


def test_test_labels_that_count_differently(some: Arrays) -> None:
    """No label is out of range, and no class is missing."""
    for step, direction in ((1, "higher"), (9, "lower")):
        (said,) = label_warnings(**some | {"y_test": (some["y_test"] + step) % 10})
        assert f"Most are {direction} by one: one part may count from 1 and the other from 0." in said


@pytest.mark.parametrize("case", ["labels in another order", "negatives"])
def test_a_test_part_that_is_unlike_the_training_part(case: str, some: Arrays) -> None:
    if case == "negatives":
        some["x_test"] = 1 - some["x_test"]
    else:
        some["y_test"] = np.random.default_rng(0).permutation(some["y_test"])
    (said,) = label_warnings(**some)
    assert said.startswith("The test labels do not match the training labels: only ")
    assert said.endswith(
        "They may be in another order than their images, or the images differ from the training images."
    )


def test_nothing_is_said_of_what_may_be_right(some: Arrays) -> None:
    noise = np.random.default_rng(0).random((400, 28, 28, 1), np.float32)
    by_class = np.argsort(some["y_train"], kind="stable")
    good = {
        "as they are": {},
        "8-bit": {name: np.rint(255 * some[name]).astype(np.uint8) for name in ("x_train", "x_test")},
        "sorted by class": {"x_train": some["x_train"][by_class], "y_train": some["y_train"][by_class]},
        "images that tell nothing": {"x_train": noise, "x_test": noise[:120]},
        "labels of chance": {"y_train": np.random.default_rng(0).permutation(some["y_train"])},
        "a class without training images": {"y_train": np.maximum(some["y_train"], 1)},
        "too few to say": {"x_test": some["x_test"][:20], "y_test": np.roll(some["y_test"][:20], 1)},
    }
    for case, changes in good.items():
        assert tuple(label_warnings(**some | changes)) == (), case
