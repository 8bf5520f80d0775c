"""Small made-up folders of pictures, for tests of data sets that are folders."""

import zlib
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("circle", "line", "ring")


def save(folder: Path, n: int = 10, size: tuple[int, int] = (12, 10), names: tuple[str, ...] = NAMES) -> str:
    """Write `n` pictures of coloured noise, `size` (height, width), for each class; return what --dataset takes."""
    rng = np.random.default_rng(zlib.crc32(folder.name.encode()))
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(n):
            pixels = rng.integers(0, 256, (*size, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02d}.png")
    return f"folder:{folder}"


def pixels(path: Path) -> np.ndarray:
    """Return the pixels of a picture as stored in its file."""
    with Image.open(path) as picture:
        return np.asarray(picture)
