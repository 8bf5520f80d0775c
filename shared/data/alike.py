"""Warn of labels that do not match their images: images that look most alike should have the same label."""

from collections.abc import Iterator

import numpy as np

from shared.data.dataset import unit

MOST_IMAGES = 1_000  # of each part, spread evenly over it
LEAST_IMAGES = 100  # fewer agree or disagree by chance
MOST_PIXELS = 4_096  # compared pixels of an image
CLEARLY = 0.25  # the share of matching labels is higher by this much: far more than chance in 100
TELLING = 0.5  # images determine their labels if those that look most alike agree in this share
DEVIATIONS = 4  # a share within so many standard deviations is no more than chance


def label_warnings(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> Iterator[str]:
    """Yield a sentence for each doubt about the labels (N,) of images (N, H, W, C), 8-bit or from 0 to 1."""
    if min(len(x_train), len(x_test)) < LEAST_IMAGES:
        return
    train, test = _chosen(len(x_train)), _chosen(len(x_test))
    pixels, of_test = _pixels(x_train[train]), _pixels(x_test[test])
    near = _nearest(pixels, pixels, to_itself=True)
    said = [
        *_label_shifts("training", y_train, train, near),
        *_label_shifts("test", y_test, test, _nearest(of_test, of_test, to_itself=True)),
    ]
    yield from said
    if not said and _agreement(y_train[train], y_train[train][near]) >= TELLING:
        yield from _unlike(y_train[train][_nearest(of_test, pixels)], y_test[test])


def _label_shifts(part: str, labels: np.ndarray, chosen: np.ndarray, near: np.ndarray) -> Iterator[str]:
    """Yield a warning if labels belong to the image before or after theirs."""
    agreed = {}
    for step in (-1, 0, 1):
        as_moved = labels[(chosen + step) % len(labels)]
        agreed[step] = _agreement(as_moved, as_moved[near])
    best = max((-1, 1), key=lambda step: agreed[step])
    if agreed[best] - agreed[0] >= CLEARLY:
        yield (
            f"The {part} labels look shifted by one image. Of the most similar images, {agreed[0]:.0%} have the "
            f"same label, and {agreed[best]:.0%} if each label goes to the image {'before' if best > 0 else 'after'} "
            "its own."
        )


def _unlike(expected: np.ndarray, labels: np.ndarray) -> Iterator[str]:
    """Yield a warning if test labels differ from those of the training images most similar to the test images."""
    known = np.isin(labels, expected)  # another warning covers classes without training images
    expected, labels = expected[known], labels[known]
    if len(labels) < LEAST_IMAGES:
        return
    agreed = _agreement(expected, labels)
    n_classes = max(int(expected.max()), int(labels.max())) + 1
    by_chance = float(np.bincount(expected, minlength=n_classes) @ np.bincount(labels, minlength=n_classes))
    by_chance /= len(labels) ** 2
    if agreed > by_chance + DEVIATIONS * np.sqrt(by_chance * (1 - by_chance) / len(labels)):
        return
    usual = "They may be in another order than their images, or the images differ from the training images."
    for step, direction in ((1, "higher"), (-1, "lower")):
        if _agreement((expected + step) % n_classes, labels) - agreed >= CLEARLY:
            usual = f"Most are {direction} by one: one part may count from 1 and the other from 0."
    yield (
        f"The test labels do not match the training labels: only {agreed:.0%} are those of the training images that "
        f"look most like the test images. {usual}"
    )


def _chosen(n: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_IMAGES)).astype(int))


def _pixels(images: np.ndarray) -> np.ndarray:
    """Return the images as float32 (N, pixels)."""
    rows = images.reshape(len(images), -1)
    return unit(rows[:, :: -(-rows.shape[1] // MOST_PIXELS)])


def _nearest(images: np.ndarray, among: np.ndarray, to_itself: bool = False) -> np.ndarray:
    """Return, for each of `images` (N, pixels), the place of the nearest of `among` (M, pixels), (N,). `to_itself` says
    that both are the same array, and an image is not its own neighbour."""
    distance = (among**2).sum(axis=1) - 2 * images @ among.T  # without the part that is constant along a row
    if to_itself:
        np.fill_diagonal(distance, np.inf)
    found: np.ndarray = distance.argmin(axis=1)
    return found


def _agreement(some: np.ndarray, others: np.ndarray) -> float:
    return float((some == others).mean())
