"""An unfinished implementation: NumPy with only the tier train, and with slightly wrong logits."""

import numpy as np
from numpy_impl.model import NumpyModel, framework

from shared.protocol import Build

__all__ = ["create", "framework"]


class Unfinished:
    """What training needs, and no more."""

    def __init__(self, build: Build) -> None:
        whole = NumpyModel(build)
        self.put, self.train_step, self.sync, self.fetch = whole.put, whole.train_step, whole.sync, whole.fetch
        self.weights, self.count_parameters = whole.weights, whole.count_parameters
        self.whole = whole

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.whole.logits(images) * (1 + 1e-9)


def create(build: Build) -> Unfinished:
    """Build the network."""
    return Unfinished(build)
