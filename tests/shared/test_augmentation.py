"""Augmentation, and the batches with augmented images."""

import numpy as np
import pytest

from shared import augmentation
from shared.batches import EpochBatches, epoch_batches
from shared.choices import Augmentation
from shared.data import Data

KINDS: list[Augmentation] = ["affine", "elastic"]


def chance(**values: float) -> np.ndarray:
    """Return the random numbers of one image, all zero except `values`."""
    names = ("angle", "scale_y", "scale_x", "shift_y", "shift_x")
    return np.array([[values.get(name, 0.0) for name in names]])


def bend(grid_y: int, grid_x: int, y: float, x: float) -> np.ndarray:
    """Return random numbers that move only one point of the grid."""
    moves = np.zeros((2, augmentation.BEND_GRID, augmentation.BEND_GRID))
    moves[:, grid_y, grid_x] = y, x
    return np.concatenate([np.zeros(5), moves.ravel()])[None]


@pytest.mark.parametrize("kind", KINDS)
def test_chance_0_changes_nothing(digits: Data, kind: Augmentation) -> None:
    images = digits.x_train[:20]
    still = np.zeros((20, augmentation.N_CHANCES[kind]))
    np.testing.assert_allclose(augmentation.augment(images, still, kind), images, atol=1e-6)


def test_whole_pixels_are_shifted_exactly() -> None:
    images = np.random.default_rng(0).random((1, 9, 7, 3)).astype(np.float32)
    moved = augmentation.augment(
        images, chance(shift_y=0.5, shift_x=-1.0), "affine"
    )  # shares of 2 pixels: 1 up, 2 to the right
    np.testing.assert_allclose(moved[:, :-1, 2:], images[:, 1:, :-2], atol=1e-6)
    np.testing.assert_allclose(moved[:, :-1, 0], images[:, 1:, 0], atol=1e-6)  # the edge is repeated


def test_a_turn_is_a_turn() -> None:
    """A point off the centre moves along a circle, by 10 degrees at most."""
    images = np.zeros((1, 41, 41, 1), np.float32)
    images[0, 20, 35] = 1
    turned = augmentation.augment(images, chance(angle=1.0), "affine")[0, :, :, 0]
    y, x = np.indices(turned.shape) - 20
    centre = np.array([(turned * y).sum(), (turned * x).sum()]) / turned.sum()
    assert np.hypot(*centre) == pytest.approx(15, abs=0.3)
    assert abs(np.rad2deg(np.arctan2(*centre))) == pytest.approx(10, abs=1)


def test_a_stretch_is_a_stretch() -> None:
    images = np.zeros((1, 41, 41, 1), np.float32)
    images[0, 20, 30] = 1
    stretched = augmentation.augment(images, chance(scale_x=-1.0), "affine")[0, 20, :, 0]
    assert (stretched * np.arange(41)).sum() / stretched.sum() == pytest.approx(20 + 10 / 0.9, abs=0.2)


def test_a_bend_moves_what_is_near_its_point() -> None:
    """On 41 x 41 pixels, the points of the grid are 10 apart. The one at (10, 20) moves its neighbourhood."""
    images = np.random.default_rng(0).random((1, 41, 41, 1)).astype(np.float32)
    whole = 1 / augmentation.MAX_BEND  # one pixel
    bent = augmentation.augment(images, bend(1, 2, whole, -whole), "elastic")
    np.testing.assert_allclose(bent[:, 10, 20], images[:, 11, 19], atol=1e-6)
    far = np.ones((41, 41), bool)
    far[1:20, 11:30] = False
    np.testing.assert_allclose(bent[0, far], images[0, far], atol=1e-6)
    near = abs(bent - images)[0, 8:13, 18:23]
    assert (near > 1e-3).mean() > 0.9


def test_all_points_moved_alike_are_a_shift(digits: Data) -> None:
    chances = np.zeros((1, augmentation.N_CHANCES["elastic"]))
    chances[:, 5:] = 2 / 3 / augmentation.MAX_BEND
    shifted = chance(shift_y=2 / 3 / augmentation.MAX_SHIFT, shift_x=2 / 3 / augmentation.MAX_SHIFT)
    images = digits.x_train[:1]
    np.testing.assert_allclose(
        augmentation.augment(images, chances, "elastic"), augmentation.augment(images, shifted, "affine"), atol=1e-6
    )


def test_between_pixels_values_are_those_of_scipy() -> None:
    """A shift of a quarter pixel down and half a pixel left equals `scipy.ndimage.shift`."""
    from scipy import ndimage

    images = np.random.default_rng(1).random((1, 9, 7, 1)).astype(np.float32)
    chances = chance(shift_y=-0.25 / augmentation.MAX_SHIFT, shift_x=0.5 / augmentation.MAX_SHIFT)
    moved = augmentation.augment(images, chances, "affine")[0, :, :, 0]
    np.testing.assert_allclose(
        moved, ndimage.shift(images[0, :, :, 0], (0.25, -0.5), order=1, mode="nearest"), atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_values_stay_between_those_of_the_image(digits: Data, kind: Augmentation) -> None:
    chances = augmentation.chances(200, seed=1, epoch=2, kind=kind)
    changed = augmentation.augment(digits.x_train[:200], chances, kind)
    assert changed.dtype == np.float32
    assert 0 <= changed.min() < changed.max() <= 1
    assert not np.array_equal(changed, digits.x_train[:200])
    # The drawing is still recognisable.
    assert np.corrcoef(changed.ravel(), digits.x_train[:200].ravel())[0, 1] > 0.5


def test_chances_are_uniform_and_keyed() -> None:
    chances = augmentation.chances(20_000, seed=0, epoch=1, kind="affine")
    assert -1 <= chances.min() < -0.999 < 0.999 < chances.max() < 1
    assert abs(chances.mean(axis=0)).max() < 0.02
    assert abs(np.corrcoef(chances.T) - np.eye(5)).max() < 0.03
    others = [augmentation.chances(20_000, seed, epoch, "affine") for seed, epoch in ((1, 1), (0, 2))]
    assert all(abs(np.corrcoef(chances.ravel(), other.ravel())[0, 1]) < 0.02 for other in others)


def test_a_batch_is_images_and_labels_in_the_order_of_the_epoch(digits: Data) -> None:
    x, y = digits.part("train")
    batches = EpochBatches(x, y, 100, seed=3, epoch=2, kind="none")
    order = epoch_batches(len(x), 100, 3, 2)
    assert len(batches) == len(order) == 15
    for number, indices in enumerate(order):
        np.testing.assert_array_equal(batches[number][0], x[indices])
        np.testing.assert_array_equal(batches[number][1], y[indices])


@pytest.mark.parametrize("kind", KINDS)
def test_what_becomes_of_an_image_does_not_depend_on_its_batch(digits: Data, kind: Augmentation) -> None:
    x, y = digits.part("train")
    seen = []
    for batch_size in (64, 1_000):
        batches = EpochBatches(x, y, batch_size, seed=3, epoch=2, kind=kind)
        images = np.concatenate([batches[n][0] for n in range(len(batches))])
        order = np.concatenate(batches.indices)
        seen.append(images[np.argsort(order)])
    np.testing.assert_array_equal(*seen)
    other = EpochBatches(x, y, 64, seed=3, epoch=3, kind=kind)
    assert not np.array_equal(other[0][0], x[other.indices[0]])
