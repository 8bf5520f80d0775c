"""An implementation with the first tier only: the seven methods needed to train and measure it."""

import numpy as np
from numpy_impl import framework
from numpy_impl.model import Batch, NumpyModel

from shared.protocol import Build
from shared.weights import Weights

__all__ = ["create", "framework"]


class Bare:
    def __init__(self, build: Build) -> None:
        self._model = NumpyModel(build)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._model.put(images, labels)

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        return self._model.train_step(batch, learning_rate)

    def sync(self) -> None: ...

    def fetch(self, tensor: np.ndarray) -> np.ndarray:
        return tensor

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self._model.logits(images)

    def weights(self) -> Weights:
        return self._model.weights()

    def count_parameters(self) -> tuple[int, int]:
        return self._model.count_parameters()


def create(build: Build) -> Bare:
    return Bare(build)
