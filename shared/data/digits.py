"""The embedded data set: the 1,797 real handwritten digits (8 x 8 pixels) that scikit-learn ships."""

import numpy as np

from shared.data.raw import RawImages

N_TEST = 360


def read() -> RawImages:
    """1,437 training and 360 test images, (N, 28, 28, 1) 8-bit, split by class with a fixed seed.

    Every pixel becomes a block of 3 x 3, with a margin of 2 around the digit as MNIST has one; its 0 ... 16 becomes 0
    ... 255.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    small, labels = load_digits(return_X_y=True)
    pixels = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))[..., None]
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=N_TEST, stratify=labels, random_state=0
    )
    return RawImages(x_train, y_train, x_test, y_test)
