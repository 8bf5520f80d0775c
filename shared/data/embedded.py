"""The data sets that come with a library that is installed in any case, and need not be fetched.

`digits` are the 1,797 real handwritten digits (8 x 8 pixels) that scikit-learn ships. `photographs` are 1,797 pieces of
its two photographs, 32 x 32 pixels each. Unlike drawings on a plain ground, they have no channel of a network that is
active in every pixel. If a channel is active everywhere, batch normalisation removes its bias, and the gradient of that
bias is only rounding.
"""

from collections.abc import Callable

import numpy as np

from shared.data import shipped
from shared.data.dataset import RawImages

N_IMAGES, N_TEST = 1_797, 360
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
SIZE, STRIDE, N_CLASSES = 32, 16, 10


def digits() -> RawImages:
    """Return 1,437 training and 360 test images, (N, 28, 28, 1) 8-bit, split by class with a fixed seed.

    Every pixel becomes a block of 3 x 3, with a margin of 2 around the digit as in MNIST; its 0 ... 16 becomes 0 ...
    255.
    """
    table = np.loadtxt(shipped.path("data", "digits.csv.gz"), delimiter=",", dtype=np.uint8)
    small, labels = table[:, :-1], table[:, -1].astype(np.int64)
    pixels = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))[..., None]
    train, test = shipped.stratified_split(labels, N_TEST, seed=0)
    return RawImages(images[train], labels[train], images[test], labels[test])


def photographs() -> RawImages:
    """Return 1,437 training and 360 test images, (N, 32, 32, 3) 8-bit.

    The label is the tenth that an image's warmth (red minus blue) falls into, which can be learned.
    """
    from PIL import Image

    whole = [np.asarray(Image.open(shipped.path("images", name))) for name in PHOTOGRAPHS]
    pieces = np.concatenate([_pieces(photograph) for photograph in whole])
    images = pieces[np.random.default_rng(0).permutation(len(pieces))[:N_IMAGES]]
    unit = images.astype(np.float32) / 255
    warmth = (unit[..., 0] - unit[..., 2]).mean(axis=(1, 2))
    labels = warmth.argsort().argsort() * N_CLASSES // N_IMAGES
    return RawImages(images[N_TEST:], labels[N_TEST:], images[:N_TEST], labels[:N_TEST])


def _pieces(photograph: np.ndarray) -> np.ndarray:
    """Return every piece of a photograph (H, W, 3), a stride apart."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (SIZE, SIZE), axis=(0, 1))
    chosen = windows[::STRIDE, ::STRIDE]  # (rows, columns, 3, SIZE, SIZE)
    return chosen.transpose(0, 1, 3, 4, 2).reshape(-1, SIZE, SIZE, 3)


EMBEDDED: dict[str, Callable[[], RawImages]] = {"digits": digits, "photographs": photographs}
