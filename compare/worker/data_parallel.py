"""One network trained by several processes, each on its share of every batch, with the interface of one `Model`.

All processes carry out requests in step. A framework leaves the loss and the logits of its share in each of them. They
are combined here when they are fetched: after the step, and therefore in no timed window.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.worker.peers import Peers
from shared.protocol import Batch, Build, Implementation, SharingModel, Tensor
from shared.weights import Weights


@dataclass(frozen=True)
class Whole:
    """A whole batch on the host, and this process's share of it on the device."""

    images: np.ndarray
    labels: np.ndarray
    share: Batch


@dataclass(frozen=True)
class Part:
    """This process's part of a step's loss, whose parts add up, or of its logits."""

    tensor: Tensor
    adds_up: bool


class SharedModel:
    """A `Model` (shared/protocol.py); all other methods are those of the framework's own model, in every process."""

    def __init__(self, model: SharingModel, peers: Peers) -> None:
        self._model, self._peers = model, peers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Whole:
        mine = self._peers.world.share(len(images))
        return Whole(images, labels, self._model.put_share(images[mine], labels[mine], len(images)))

    def fetch_batch(self, batch: Whole) -> tuple[np.ndarray, np.ndarray]:
        return self._model.fetch_batch(self._model.put(batch.images, batch.labels))

    def train_step(self, batch: Whole, learning_rate: float) -> tuple[Part, Part]:
        loss, logits = self._model.train_step(batch.share, learning_rate)
        return Part(loss, adds_up=True), Part(logits, adds_up=False)

    def fetch(self, tensor: Part) -> np.ndarray:
        mine = self._model.fetch(tensor.tensor)
        if not tensor.adds_up:
            return self._peers.gathered(mine)
        parts = self._peers.exchange(struct.pack("d", float(mine)))
        return np.asarray(sum(struct.unpack("d", part)[0] for part in parts))

    def loss_and_gradients(self, batch: Whole) -> tuple[float, Weights]:
        return self._model.loss_and_gradients(self._model.put(batch.images, batch.labels))


class Shared:
    """An `Implementation` whose networks are `SharedModel`s."""

    def __init__(self, implementation: Implementation, peers: Peers) -> None:
        self._implementation, self._peers = implementation, peers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._implementation, name)

    def create(self, build: Build) -> SharedModel:
        create: Callable[[Build], SharingModel] = self._implementation.create  # type: ignore[assignment]
        return SharedModel(create(build), self._peers)
