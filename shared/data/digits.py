"""The embedded data set: the 1,797 real handwritten digits (8 x 8 pixels) that scikit-learn ships."""

import numpy as np

from shared.data import shipped
from shared.data.raw import RawImages

N_TEST = 360


def read() -> RawImages:
    """1,437 training and 360 test images, (N, 28, 28, 1) 8-bit, split by class with a fixed seed.

    Every pixel becomes a block of 3 x 3, with a margin of 2 around the digit as MNIST has one; its 0 ... 16 becomes 0
    ... 255.
    """
    table = np.loadtxt(shipped.path("data", "digits.csv.gz"), delimiter=",", dtype=np.uint8)
    small, labels = table[:, :-1], table[:, -1].astype(np.int64)
    pixels = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))[..., None]
    train, test = shipped.stratified_split(labels, N_TEST, seed=0)
    return RawImages(images[train], labels[train], images[test], labels[test])
