"""Changes to training images that leave what they show what it is, computed here so that all implementations see the
same changed images.
"""

import numpy as np

from shared import randomness

MAX_ANGLE = 10.0  # degrees
MAX_SCALE = 0.1
MAX_SHIFT = 2.0  # pixels
N_CHANCES = 5


def chances(n_images: int, seed: int, epoch: int) -> np.ndarray:
    """What chance does to each image in epoch `epoch` (from 1): (n_images, 5), each value in [-1, 1)."""
    unit = randomness.uniform(n_images * N_CHANCES, "augmentation", seed, epoch)
    return (2 * unit - 1).reshape(n_images, N_CHANCES)


def affine(images: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) turned by up to 10 degrees, stretched by up to 10 % in each direction and shifted by up to 2
    pixels, as `chance` (N, 5) says: bilinear, with the pixels at the edge repeated beyond it."""
    n, height, width, _ = images.shape
    angle, scale_y, scale_x, shift_y, shift_x = chance.T[:, :, None, None]
    angle = np.deg2rad(MAX_ANGLE * angle)
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    # Where in the original each pixel of the result lies.
    from_y = (np.cos(angle) * y - np.sin(angle) * x) * (1 + MAX_SCALE * scale_y)
    from_x = (np.sin(angle) * y + np.cos(angle) * x) * (1 + MAX_SCALE * scale_x)
    from_y = np.clip(from_y + (height - 1) / 2 + MAX_SHIFT * shift_y, 0, height - 1)
    from_x = np.clip(from_x + (width - 1) / 2 + MAX_SHIFT * shift_x, 0, width - 1)
    top = np.minimum(from_y.astype(np.int64), height - 2)
    left = np.minimum(from_x.astype(np.int64), width - 2)
    down = (from_y - top)[..., None].astype(images.dtype)
    right = (from_x - left)[..., None].astype(images.dtype)
    image = np.arange(n)[:, None, None]
    above = images[image, top, left] * (1 - right) + images[image, top, left + 1] * right
    below = images[image, top + 1, left] * (1 - right) + images[image, top + 1, left + 1] * right
    changed: np.ndarray = above * (1 - down) + below * down
    return changed
