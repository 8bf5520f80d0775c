"""Read a picture file in the form that the networks expect of their images, with its orientation corrected."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compare.folders import ink
from shared.errors import InputError
from shared.pictures import LEAST_CONTRAST, decoded, edge_colour, fitted, on_a_ground

if TYPE_CHECKING:
    from PIL import Image

FINEST = 8  # ink is searched for in at most this many times an image's pixels, along each side


def read_picture(path: Path, shape: tuple[int, int, int]) -> tuple[np.ndarray, bool]:
    """Return the picture in `path` as one image (height, width, channels) of `shape`, float32 in [0, 1], and whether
    it is a negative.

    The picture is turned upright, made square by its longer side, and scaled. Grey images are light on dark, like those
    of MNIST: their ground is 0, and the ink that differs from it most is 1. If the ink of a picture is darker than its
    ground, the image is its negative. Colours are unchanged.

    Raises InputError if the file is not one picture in a supported format, is too large, or shows nothing.
    """
    flat = on_a_ground(decoded(path))
    image, negative = _grey(flat, shape) if shape[2] == 1 else (_coloured(flat, shape), False)
    if image is None:
        raise InputError(
            f"{path} is empty: nothing on it differs clearly from its background. "
            "Give a picture of one object, and more contrast."
        )
    return image, negative


def _coloured(flat: "Image.Image", shape: tuple[int, int, int]) -> np.ndarray | None:
    """Return an image of `shape` with its colours unchanged; None if it has only one colour."""
    picture = flat.convert("RGB")
    if np.ptp(np.asarray(picture), axis=(0, 1)).max() < LEAST_CONTRAST:
        return None
    return _square(picture, edge_colour(picture), shape) / 255


def _grey(flat: "Image.Image", shape: tuple[int, int, int]) -> tuple[np.ndarray | None, bool]:
    """Return the ink of a picture as an image of `shape`, or None if it has none; and whether it is a negative."""
    from PIL import Image

    grey = flat.convert("L")
    finest = FINEST * max(shape)
    grey.thumbnail((finest, finest), Image.Resampling.BOX)
    found = ink.find_ink(np.asarray(grey))
    return (None, False) if found is None else (_square(Image.fromarray(found[0]), 0, shape), found[1])


def _square(picture: "Image.Image", ground: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Centre a picture in a square of its ground, and return float32 (height, width, channels) of `shape`."""
    return fitted(picture, ground, shape[:2]).astype(np.float32).reshape(shape)
