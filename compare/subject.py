"""The subject of a comparison or a bench: a network, its training and its data."""

from dataclasses import dataclass

import numpy as np

from shared import randomness
from shared.batches import n_batches
from shared.choices import Device, Mode
from shared.data import Data
from shared.models import ModelSpec
from shared.training import TrainSpec

N_IMAGES = 48


@dataclass(frozen=True)
class Subject:
    """A network, its training and its data, and where and how it is computed."""

    spec: ModelSpec
    train: TrainSpec
    data: Data
    device: Device = "cpu"
    mode: Mode | None = None  # None: each implementation's default

    @property
    def images(self) -> np.ndarray:
        """The images (N_IMAGES, H, W, C) whose activations and logits are compared: test images and as many of noise.
        The images of many data sets have a uniform margin, which hides how the margin is padded."""
        known = self.data.x_test[: N_IMAGES // 2]
        noise = randomness.uniform(known.size, "parity images", self.train.seed).reshape(known.shape)
        noise = noise if self.spec.vocabulary is None else np.floor(noise * self.spec.vocabulary)
        return np.concatenate([known, noise.astype(known.dtype)])

    @property
    def first_rate(self) -> float:
        """The learning rate of the first step."""
        n_steps = self.train.epochs * n_batches(len(self.data.x_train), self.train.batch_size)
        return self.train.learning_rate(0, n_steps)
