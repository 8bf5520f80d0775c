"""Resize images or change their channels, by one rule for all sources."""

import os
import re
from dataclasses import replace

import numpy as np

from shared import pictures
from shared.choices import Channels
from shared.data.dataset import RawImages
from shared.errors import InputError

Size = tuple[int, int]  # height and width
MOST = 2_000  # pixels along each side
SIZE = re.compile(r"(\d{1,6})(?:x(\d{1,6}))?")
BYTES_A_VALUE = 5  # as 8 bits, and then as float32
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R 601, as in Pillow


def parse_size(text: str) -> Size:
    """Return (height, width) of "28" or "28x40" (height x width). Raises InputError if `text` is neither."""
    match = SIZE.fullmatch(text.strip().lower())
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (1 <= height <= MOST and 1 <= width <= MOST):
        raise InputError(
            f"--resize {text} is not possible. Give a number of pixels from 1 to {MOST:,}, or height and width as "
            "28x40."
        )
    return height, width


def in_words(shape: tuple[int, ...]) -> str:
    """Return a shape as "28 x 40"."""
    return " x ".join(map(str, shape))


def changed(raw: RawImages, size: Size | None, channels: Channels | None) -> RawImages:
    """Return the images of `raw` at `size` and with `channels`; None leaves either unchanged."""
    if size is not None:
        n_images, n_channels = len(raw.x_train) + len(raw.x_test), 3 if channels == "colour" else raw.x_train.shape[3]
        check_room(f"The {n_images:,} images", n_images, (*size, n_channels))
    train, test = (_with_channels(_resized(x, size), channels) for x in (raw.x_train, raw.x_test))
    return replace(raw, x_train=train, x_test=test)


def check_room(what: str, n_images: int, shape: tuple[int, ...]) -> None:
    """Raise InputError, which begins with `what`, if images of this `shape` exceed this machine's memory, before any of
    it is used."""
    needed = n_images * int(np.prod(shape)) * BYTES_A_VALUE
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise InputError(
            f"{what} are {in_words(shape)} each and would take {needed / 2**30:,.1f} GiB, and this machine has "
            f"{there / 2**30:,.1f} GiB of memory. Resize them to fewer pixels with --resize."
        )


def _resized(images: np.ndarray, size: Size | None) -> np.ndarray:
    """Return images (N, H, W, C), 8-bit or floating, as (N, *size, C), each channel by `pictures.fitted`."""
    from PIL import Image

    if size is None or images.shape[1:3] == size:
        return images
    found = np.empty((len(images), *size, images.shape[3]), images.dtype if images.dtype == np.uint8 else np.float32)
    for number, image in enumerate(images):
        for channel in range(images.shape[3]):
            plane = image[..., channel]
            of_one = Image.fromarray(np.ascontiguousarray(plane, found.dtype))
            edge = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
            ground = np.median(edge).astype(found.dtype).item()
            found[number, ..., channel] = pictures.fitted(of_one, ground, size)
    return found


def _with_channels(images: np.ndarray, channels: Channels | None) -> np.ndarray:
    """Return grey images from colours by their luma, or coloured ones from greys as three equal channels."""
    n_channels = images.shape[3]
    if channels is None or n_channels == (1 if channels == "grey" else 3):
        return images
    if channels == "colour" and n_channels == 1:
        return np.repeat(images, 3, axis=3)
    if channels == "grey" and n_channels == 3:
        grey = images @ np.array(LUMA, np.float32)
        return (np.rint(grey).astype(np.uint8) if images.dtype == np.uint8 else grey)[..., None]
    raise InputError(
        f"--channels {channels} is not possible: the images have {n_channels} channels, which are neither greys nor "
        "colours. Leave it out."
    )
