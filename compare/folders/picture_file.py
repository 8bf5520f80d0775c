"""Reading somebody's picture as the networks want their images."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.errors import InputError
from shared.storage import files

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")  # some of the others start programs
MAX_BYTES = 64 << 20
MAX_PIXELS = 50_000_000
LONGEST = 2_000


def read_picture(path: Path, shape: tuple[int, int, int]) -> tuple[np.ndarray, bool]:
    """The picture in `path` as one image (height, width, channels) of `shape`, float32 in [0, 1]; and whether it was
    turned into its negative.

    It is made square by its longer side, and scaled. Grey images are light on dark, as those of MNIST: a picture whose
    edge is lighter than the middle grey is dark on light, and its negative is taken. Raises InputError where the file
    is no picture, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    height, width, channels = shape
    files.check(path, MAX_BYTES, "Give a PNG or JPEG file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of small damages that can be read over
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise InputError(f"{path} has more than {MAX_PIXELS:,} pixels. Give a smaller picture.")
                picture.thumbnail((LONGEST, LONGEST))  # else a line of pixels would become a square of its length
                flat = _on_white(picture.convert("RGBA")).convert("RGB" if channels == 3 else "L")
    except (UnidentifiedImageError, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a picture: {error}. Give a PNG or JPEG file.") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for damaged files differs by format
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{path} cannot be read as a picture: {reason}. Give a PNG or JPEG file.") from None
    side = max(flat.size)
    square = Image.new(flat.mode, (side, side), _edge_colour(flat))
    square.paste(flat, ((side - flat.width) // 2, (side - flat.height) // 2))
    pixels = np.asarray(square.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    image = (pixels / 255).reshape(shape)
    negative = channels == 1 and _edge_colour(flat) > 127
    return (1 - image if negative else image), negative


def _on_white(picture: "Image.Image") -> "Image.Image":
    """A picture without transparency."""
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)


def _edge_colour(picture: "Image.Image") -> Any:
    """The median of the pixels along the edge: a number for a grey picture, a triple for a coloured one."""
    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    median = np.median(edge, axis=0).astype(int)
    return int(median) if median.ndim == 0 else tuple(median.tolist())
