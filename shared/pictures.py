"""Decode a picture file as a person sees it, and fit it to a size.

The readers of picture folders (shared/data/own_folder.py) and of a single picture to classify
(compare/folders/picture_file.py) share this module, and therefore see the same.
"""

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.errors import InputError
from shared.storage import files

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")  # some of the others start programs
ADVICE = "Give a PNG or JPEG file."
MAX_BYTES = 64 << 20
MAX_PIXELS = 50_000_000
LONGEST = 2_000
LEAST_CONTRAST = 16.0  # of 255: two greys that are nearer to each other look alike
SEEN = 128  # of 255: less opaque pixels count as ground
OWN_CONTRAST = 64.0  # of 255: a drawing on a transparent ground with more contrast has its own paper
ORIENTATION = 0x0112  # the EXIF tag
# Pillow's errors for damaged files differ by format.
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)


def decoded(path: Path, longest: int | None = LONGEST) -> "Image.Image":
    """Return the picture in `path` upright, with 8 bits a channel, in mode L, RGB or RGBA, at most `longest` pixels
    long.

    Raises InputError if the file is not one picture in a supported format, or is too large.
    """
    files.check(path, MAX_BYTES, ADVICE)
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of small damages that can be skipped
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                _check(picture, path)
                if longest:
                    picture.draft(None, (longest, longest))  # a large JPEG is decoded at a smaller size
                raw_mode = picture.tile[0][3] if picture.format == "PNG" and picture.tile else None
                picture.load()
                upright = _TURNS.get(_orientation(picture, path))
                plain = _in_8_bits(picture, raw_mode)
                if longest:
                    plain.thumbnail((longest, longest))  # otherwise a line of pixels would become a square
                return plain if upright is None else plain.transpose(Image.Transpose[upright])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(_too_large(path)) from None
    except UnidentifiedImageError:
        *others, last = FORMATS
        raise InputError(
            f"{path} cannot be read as a picture: it is neither {', '.join(others)} nor {last}, or it is damaged. "
            f"{ADVICE}"
        ) from None
    except DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{path} cannot be read as a picture: {reason}. {ADVICE}") from None


def _check(picture: "Image.Image", path: Path) -> None:
    """Raise InputError if a picture has too many pixels, by its header, or if the file has more than one picture."""
    if picture.width * picture.height > MAX_PIXELS:
        raise InputError(_too_large(path))
    # The second picture in a phone's MPO is a preview or a depth map; every viewer shows the first.
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        raise InputError(f"{path} is animated, and it is unclear which of its pictures is meant. Save one of them.")


def _too_large(path: Path) -> str:
    return f"{path} has more than {MAX_PIXELS:,} pixels. Give a smaller picture."


# How to turn the stored pixels upright, by the value of the EXIF tag; 1 is upright.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _orientation(picture: "Image.Image", path: Path) -> Any:
    """Return the EXIF tag's value; 1 if there is none. Pillow's exif_transpose also writes EXIF, and fails there."""
    try:
        return picture.getexif().get(ORIENTATION, 1)
    except (*DAMAGE, LookupError, TypeError, AttributeError):
        raise InputError(
            f"The EXIF data of {path} are damaged, so it is unclear which side is up. Save the picture as PNG."
        ) from None


def _in_8_bits(picture: "Image.Image", raw_mode: Any) -> "Image.Image":
    """Return a loaded picture in mode L, RGB or RGBA. `raw_mode` is Pillow's name for the content of its file."""
    key = picture.info.get("transparency")
    if picture.mode.startswith("I"):
        return _from_16_bits(np.asarray(picture), key)
    if raw_mode in _KEY_SCALE and key is not None:  # Pillow scales the pixels, but not the key
        scale = _KEY_SCALE[raw_mode]
        scaled = tuple(int(value * scale) for value in key) if isinstance(key, tuple) else int(key * scale)
        picture.info["transparency"] = scaled
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in {"1", "L"} else "RGB")


# From a PNG file's transparent colour, as stored, to the pixels that Pillow returns for it.
_KEY_SCALE = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}


def _from_16_bits(pixels: np.ndarray, key: int | None) -> "Image.Image":
    """Return a grey PNG of 16 bits, in which 65,535 is white; `key` is the transparent value."""
    from PIL import Image

    scaled = np.multiply(pixels, 255 / 65_535, dtype=np.float32)
    grey = Image.fromarray(np.rint(scaled, out=scaled).astype(np.uint8))
    if key is None:
        return grey
    opaque = Image.fromarray(np.where(pixels == key, 0, 255).astype(np.uint8))
    return Image.merge("RGBA", (grey, grey, grey, opaque))


def on_a_ground(picture: "Image.Image") -> "Image.Image":
    """Return a picture in mode L or RGB, without transparency."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    if picture.getchannel("A").getextrema()[0] == 255:  # the ground is invisible
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, _ground_colour(picture))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _ground_colour(picture: "Image.Image") -> tuple[int, int, int]:
    """Return a colour on which a picture with transparency is visible.

    A sheet of paper with its own ink continues in its own colour. Anything else is put on white, or on black if it is
    light itself.
    """
    from scipy.ndimage import binary_erosion

    pixels, grey = np.asarray(picture), np.asarray(picture.convert("RGB").convert("L"), np.float32)
    alpha = pixels[..., 3]
    seen = alpha >= SEEN
    rim = seen & ~binary_erosion(seen, border_value=1)
    if rim.any():
        low, level, high = np.quantile(grey[rim], (0.1, 0.5, 0.9))
        own = np.quantile(np.abs(grey[seen] - level), 0.99)
        if high - low < LEAST_CONTRAST and own > OWN_CONTRAST:
            red, green, blue = np.median(pixels[rim][:, :3], axis=0).astype(int).tolist()
            return red, green, blue
    light = alpha.any() and np.average(grey, weights=alpha) > 255 - OWN_CONTRAST
    return (0, 0, 0) if light else (255, 255, 255)


def fitted(picture: "Image.Image", ground: Any, size: tuple[int, int]) -> np.ndarray:
    """Return a picture in mode L, RGB or F at `size` (height, width), as an array of that shape, with the colours last.

    It keeps its proportions: the missing area is filled with `ground`, half on each side. Then it is resized by
    Pillow's BILINEAR filter, which takes the mean over all pixels that a new one covers.
    """
    from PIL import Image

    height, width = size
    scale = max(picture.width / width, picture.height / height)
    across, down = (max(length, round(scale * of)) for length, of in zip(picture.size, (width, height), strict=True))
    whole = picture
    if (across, down) != picture.size:
        whole = Image.new(picture.mode, (across, down), ground)
        whole.paste(picture, ((across - picture.width) // 2, (down - picture.height) // 2))
    return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR))


def edge_colour(picture: "Image.Image") -> Any:
    """Return the median of the pixels along a picture's edge, in Pillow's format for a colour of its mode."""
    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    median = np.median(edge, axis=0).astype(int).tolist()
    return tuple(median) if isinstance(median, list) else median
