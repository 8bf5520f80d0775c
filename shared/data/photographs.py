"""The embedded colour images: 1,797 pieces of the two photographs that scikit-learn ships, 32 x 32 pixels each.

They have what drawings on a plain ground have not: no channel of a network is active in every pixel of them. Where
one is, batch normalisation takes its bias out again, and the gradient of that bias is nothing but rounding.
"""

import numpy as np

from shared.data import shipped
from shared.data.raw import RawImages

PHOTOGRAPHS = ("china.jpg", "flower.jpg")
SIZE, STRIDE, N_IMAGES, N_TEST, N_CLASSES = 32, 16, 1_797, 360, 10


def read() -> RawImages:
    """1,437 training and 360 test images, (N, 32, 32, 3) 8-bit.

    The label is the tenth into which an image's warmth (red less blue) falls, so that there is something to learn.
    """
    from PIL import Image

    photographs = [np.asarray(Image.open(shipped.path("images", name))) for name in PHOTOGRAPHS]
    pieces = np.concatenate([_pieces(photograph) for photograph in photographs])
    images = pieces[np.random.default_rng(0).permutation(len(pieces))[:N_IMAGES]]
    unit = images.astype(np.float32) / 255
    warmth = (unit[..., 0] - unit[..., 2]).mean(axis=(1, 2))
    labels = warmth.argsort().argsort() * N_CLASSES // N_IMAGES
    return RawImages(images[N_TEST:], labels[N_TEST:], images[:N_TEST], labels[:N_TEST])


def _pieces(photograph: np.ndarray) -> np.ndarray:
    """Every piece of a photograph (H, W, 3), a stride apart."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (SIZE, SIZE), axis=(0, 1))
    chosen = windows[::STRIDE, ::STRIDE]  # (rows, columns, 3, SIZE, SIZE)
    return chosen.transpose(0, 1, 3, 4, 2).reshape(-1, SIZE, SIZE, 3)
