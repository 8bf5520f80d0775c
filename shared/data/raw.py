"""What every reader returns: the arrays as they are on disk."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RawImages:
    """Images (N, H, W, C), 8-bit or floating in [0, 1], and integer labels (N,), for training and for testing."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
