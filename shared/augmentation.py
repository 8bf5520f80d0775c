"""Changes to training images that keep their meaning, computed here to give all implementations the same images."""

import numpy as np

from shared import randomness
from shared.choices import Augmentation

MAX_ANGLE = 10.0  # degrees
MAX_SCALE = 0.1
MAX_SHIFT = 2.0  # pixels
MAX_BEND = 1.5  # pixels
BEND_GRID = 5  # points in each direction

N_CHANCES: dict[Augmentation, int] = {"none": 0, "affine": 5, "elastic": 5 + 2 * BEND_GRID**2}


def chances(n_images: int, seed: int, epoch: int, kind: Augmentation) -> np.ndarray:
    """Return the random numbers for each image in epoch `epoch` (from 1): (n_images, N_CHANCES[kind]), in [-1, 1)."""
    unit = randomness.uniform(n_images * N_CHANCES[kind], "augmentation", seed, epoch)
    return (2 * unit - 1).reshape(n_images, N_CHANCES[kind])


def augment(images: np.ndarray, chance: np.ndarray, kind: Augmentation) -> np.ndarray:
    """Return images (N, H, W, C) changed by `kind` and the random numbers `chance` (N, N_CHANCES[kind]): float, with
    the same shape and dtype. Interpolation is bilinear, with the pixels at the edge repeated beyond it.

    - `affine`: turned by up to 10 degrees, stretched by up to 10 % in each direction, shifted by up to 2 pixels.
    - `elastic`: the same, and bent. Each of 5 x 5 points is moved by up to 1.5 pixels in each direction, together with
      its surroundings (a coarse form of Simard, Steinkraus and Platt 2003).
    """
    if kind == "none":
        return images
    _, height, width, _ = images.shape
    from_y, from_x = _affine(chance[:, :5], height, width)
    if kind == "elastic":
        bend = MAX_BEND * chance[:, 5:].reshape(-1, 2, BEND_GRID, BEND_GRID)
        bend = _spread(height) @ bend @ _spread(width).T
        from_y, from_x = from_y + bend[:, 0], from_x + bend[:, 1]
    return _at(images, from_y, from_x)


def _affine(chance: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the place in the original of each pixel of the result: rows and columns, (N, H, W) each."""
    angle, scale_y, scale_x, shift_y, shift_x = chance.T[:, :, None, None]
    angle = np.deg2rad(MAX_ANGLE * angle)
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    from_y = (np.cos(angle) * y - np.sin(angle) * x) * (1 + MAX_SCALE * scale_y)
    from_x = (np.sin(angle) * y + np.cos(angle) * x) * (1 + MAX_SCALE * scale_x)
    return from_y + (height - 1) / 2 + MAX_SHIFT * shift_y, from_x + (width - 1) / 2 + MAX_SHIFT * shift_x


def _spread(n: int) -> np.ndarray:
    """Return the weight (n, BEND_GRID) of each point of the grid at each of `n` pixels. It is smooth, 1 at the point
    itself and 0 at its neighbours; the weights at a pixel add up to 1."""
    place = np.linspace(0, BEND_GRID - 1, n)[:, None]
    near = np.clip(1 - abs(place - np.arange(BEND_GRID)), 0, 1)
    return near * near * (3 - 2 * near)


def _at(images: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the values of images (N, H, W, C) at rows `y` and columns `x`, (N, H, W) each, bilinear between pixels."""
    n, height, width, _ = images.shape
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top = np.minimum(y.astype(np.int64), height - 2)
    left = np.minimum(x.astype(np.int64), width - 2)
    down = (y - top)[..., None].astype(images.dtype)
    right = (x - left)[..., None].astype(images.dtype)
    image = np.arange(n)[:, None, None]
    above = images[image, top, left] * (1 - right) + images[image, top, left + 1] * right
    below = images[image, top + 1, left] * (1 - right) + images[image, top + 1, left + 1] * right
    value: np.ndarray = above * (1 - down) + below * down
    return value
