"""Real colour images of 32 x 32 pixels: pieces of the two photographs that scikit-learn ships.

What a drawing on a plain ground would not do: with a constant ground some channels are active in every pixel, batch
normalisation then takes the bias out again, and its gradient is nothing but rounding.
"""

import numpy as np
from sklearn.datasets import load_sample_images

from shared.data import Data

SIZE, STRIDE, N_TEST = 32, 16, 360


def load() -> Data:
    """1,437 training and 360 test images; the label is the tenth into which an image's warmth (red less blue) falls."""
    images = np.concatenate([_pieces(photograph) for photograph in load_sample_images().images])
    order = np.random.default_rng(0).permutation(len(images))[:1_797]
    images = images[order].astype(np.float32) / 255
    warmth = (images[..., 0] - images[..., 2]).mean(axis=(1, 2))
    labels = warmth.argsort().argsort() * 10 // len(warmth)
    return Data(images[N_TEST:], labels[N_TEST:], images[:N_TEST], labels[:N_TEST])


def _pieces(photograph: np.ndarray) -> np.ndarray:
    height, width, _ = photograph.shape
    return np.stack(
        [
            photograph[y : y + SIZE, x : x + SIZE]
            for y in range(0, height - SIZE + 1, STRIDE)
            for x in range(0, width - SIZE + 1, STRIDE)
        ]
    )
