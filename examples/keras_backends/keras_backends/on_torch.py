"""The networks of tf_impl/models.py on PyTorch. A worker of `keras@torch` imports this module."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.lean import lean_import

with lean_import():
    import keras
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from keras_backends.network import KerasNetwork
from shared.data import Data
from shared.protocol import Build, Framework, OnEpoch
from shared.training import TrainSpec
from shared.weights import Weights
from tf_impl import idiomatic
from tf_impl.idiomatic import IDIOM as idiom
from torch_impl.limits import matrix_product, memory_copy
from torch_impl.profile import by_operation

__all__ = ["create", "fit", "framework", "idiom", "matrix_product", "memory_copy"]

Batch = tuple[torch.Tensor, torch.Tensor]
RANDOM = "random/cpu"


def framework() -> Framework:
    """Return the versions of both, and Keras's backend."""
    backend = keras.backend.backend()
    return Framework("keras", f"{keras.__version__} (torch {torch.__version__})", 0, {"backend": backend})


def create(build: Build) -> "KerasOnTorch":
    """Build the network as a KerasOnTorch."""
    return KerasOnTorch(build)


def fit(model: "KerasOnTorch", train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.model, train, data, on_epoch)


class KerasOnTorch(KerasNetwork):
    """A `keras.Model` that is a `torch.nn.Module`, with its optimizer."""

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put(images), torch.tensor(labels)

    def _put(self, images: np.ndarray) -> torch.Tensor:
        return torch.tensor(images, dtype=getattr(torch, self.dtype))  # (N, H, W, C), copied

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[torch.Tensor, torch.Tensor]:
        images, labels = batch
        variables = self.model.trainable_variables
        logits = self.model(images, training=True)
        loss = self.loss(labels, logits)
        gradients = torch.autograd.grad(loss, [v.value for v in variables])
        with torch.no_grad():
            self.optimizer.learning_rate = learning_rate
            self.optimizer.apply(gradients, variables)
        return loss.detach(), logits.detach()

    def sync(self) -> None:
        """Do nothing: on the CPU every call returns only when it has finished."""

    def logits(self, images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.fetch(self.model(self._put(images), training=False))

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        with self.statistics_kept():
            loss = self.loss(labels, self.model(images, training=True))
        gradients = torch.autograd.grad(loss, [v.value for v in self.model.trainable_variables])
        return float(loss), self.named(list(gradients))

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        with self.statistics_kept(), torch.no_grad():
            outputs = self.inspected()(self._put(images), training=training)
        return {layer.name: self.fetch(t) for layer, t in zip(self.spec.layers, outputs, strict=True)}

    def state(self) -> dict[str, np.ndarray]:
        # Without a seed, Keras's dropout draws from PyTorch's generator, not from a SeedGenerator.
        return super().state() | {RANDOM: torch.get_rng_state().numpy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        super().restore(state)
        torch.set_rng_state(torch.tensor(state[RANDOM]))  # a copy, because a checkpoint's array may be read-only

    def settings(self) -> dict[str, str]:
        devices = {v.value.device.type for v in self.model.variables}
        return self.constants() | {
            "device": " and ".join(sorted(devices)),
            "threads": str(torch.get_num_threads()),
            "TF32": "off",  # a CPU has no TF32
            "deterministic": "on",
            "torch": torch.__version__,
        }

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        return by_operation(work, "cpu")

    def count_flops(self) -> int:
        images: Any = self._put(np.zeros((1, *self.spec.input_shape)))
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            self.model(images, training=False)
        return int(counter.get_total_flops())
