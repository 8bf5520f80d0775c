"""The exports of an implementation: `framework()` and `create(build)`, which returns a `Trainable` network.

A network's further abilities are grouped in tiers: a class each below, from `Comparable` on.

Arrays that cross this boundary are NumPy: images (N, height, width, channels), labels int64 (N,), weights under
canonical names (shared/models.py). A network of the user's own may take vectors (N, D), sequences (N, T, D) or tokens
int64 (N, T) instead of images. Its task may have labels float32 (N, K) (shared/task.py). Values that stay inside are
the framework's own: `Batch` and `Tensor` are opaque to the harness.

`put`, `train_step` and `sync` are separate calls. The harness therefore decides what a timed window includes, and it is
the same window for every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from shared.choices import Device, Format, Mode, Recipe, Scale

if TYPE_CHECKING:  # a process that only answers needs none of them, and its start is measured
    from shared.data import Data
    from shared.ledger import Answers
    from shared.models import ModelSpec
    from shared.products import Product
    from shared.training import TrainSpec
    from shared.weights import Weights

Batch = Any
Tensor = Any
Tuning = Mapping[str, str]


@dataclass(frozen=True)
class Framework:
    """A framework's description of itself: its version, the CUDA devices that it sees, and its settings."""

    name: str
    version: str
    n_cuda_devices: int
    settings: dict[str, str]


@dataclass(frozen=True)
class Idiom:
    """The choices of an implementation's idiomatic recipe: the scaling of its network's images, the rest in words."""

    scale: Scale
    choices: dict[str, str]


@dataclass(frozen=True)
class FittedEpoch:
    """One epoch of the idiomatic recipe: the framework's own figures, and the seconds of its training, without
    validation."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    n_steps: int
    train_s: float


OnEpoch = Callable[[FittedEpoch], None]


@dataclass(frozen=True)
class Trained:
    """A trained network to write to a file: its parameters and the epsilon of its batch normalisation. Also the mean
    and deviation of each channel (C,) that scaled its images (None: not scaled).

    The file takes float32 images from 0 to 1, any number of them, scales them itself, and returns logits.
    """

    model: ModelSpec
    weights: Weights
    epsilon: float
    scaling: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Build:
    """The input for building a network: its contract, its training, its initial weights, and where and how it computes.
    In the idiomatic recipe weights may be None: the network's own. The package's `tuning.py` makes it faster without
    changing its results."""

    model: ModelSpec
    train: TrainSpec
    weights: Weights | None = None
    device: Device = "cpu"
    mode: Mode = "eager"
    recipe: Recipe = "matched"
    tuning: Tuning = field(default_factory=dict)


Predict = Callable[[np.ndarray], np.ndarray]
Exporter = Callable[[Trained, Path], Predict]  # returns the logits (N, classes) of images (N, H, W, C)


class Trainable(Protocol):
    """One network in one framework, on one device, with its optimizer: enough to train it and to measure it."""

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        """Move images (N, H, W, C) and labels (N,) to the device, in the network's own type and layout."""

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[Tensor, Tensor]:
        """Update the weights once. Return the mean loss and the logits of this step, both left on the device."""

    def sync(self) -> None:
        """Wait until the device has completed all requests."""

    def fetch(self, tensor: Tensor) -> np.ndarray:
        """Return a tensor as a NumPy array, after waiting for it."""

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the outputs (N, classes) for images (N, H, W, C), in evaluation mode."""

    def weights(self) -> Weights:
        """Return the current value of every parameter."""

    def count_parameters(self) -> tuple[int, int]:
        """Return the framework's own counts of parameters: with moving statistics, and the trainable ones alone."""


class Comparable(Protocol):
    """The functions for comparing networks."""

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Return the batch that `put` made, channels last: images (N, H, W, C) in the network's type, labels (N,)."""

    def load(self, weights: Weights) -> None:
        """Set every parameter; the optimizer's state is unchanged."""

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        """Return the output of every layer of the contract for images (N, H, W, C), channels last, in evaluation or
        training mode; nothing is updated."""

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        """Return a batch's mean loss, and its gradient by every trainable parameter; nothing is updated."""

    def optimizer_state(self) -> Weights:
        """Return the optimizer's tensors: Adam's `<parameter>/m` and `<parameter>/v`, SGD's `<parameter>/velocity`."""

    def settings(self) -> dict[str, str]:
        """Return everything that determines the results, as reported by the network, its optimizer and the framework.
        That is constants of layers and of the optimizer, dtype, device, threads, TF32, determinism, the framework's
        version.

        The names are the same in every implementation, and so are the values of networks with the same settings.
        """


class Resumable(Protocol):
    """The functions for interrupting and continuing a training."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that determines the rest of the training: parameters, the optimizer's tensors and counts,
        and the state of random numbers. The names are the implementation's own."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue like the network whose `state` this is; it was made by the same call of `create`."""


class Profiled(Protocol):
    """The framework's own measurements and counts."""

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        """Do `work` under the framework's own profiler. Return the seconds that each kind of operation took itself."""

    def count_by_layer(self) -> dict[str, int]:
        """Return the framework's own count of parameters for each layer that has some."""

    def count_flops(self) -> int:
        """Return the FLOPs that the framework's own profiler counts in the convolutions and matrix products of one
        image's forward pass."""


class OnDevice(Protocol):
    """Facts about the device; without these it is "cpu", and its memory is unknown."""

    def device_name(self) -> str:
        """Return the maker's name of the network's device; "cpu" for the CPU."""

    def peak_device_bytes(self) -> int | None:
        """Return the peak device memory since the model was made; None if the framework does not know."""


class Model(Trainable, Comparable, Resumable, Profiled, OnDevice, Protocol):
    """A network with all tiers."""


Tier = Literal["parity", "resume", "profile", "limits", "idiomatic", "ledger", "export"]


def _methods(tier: type) -> tuple[str, ...]:
    return tuple(name for name, value in vars(tier).items() if callable(value) and not name.startswith("_"))


MODEL_TIERS: dict[Tier, tuple[str, ...]] = {
    "parity": _methods(Comparable),
    "resume": _methods(Resumable),
    "profile": _methods(Profiled),
}
MODULE_TIERS: dict[Tier, tuple[str, ...]] = {
    "limits": ("matrix_product", "memory_copy"),
    "idiomatic": ("idiom", "fit"),
    "ledger": ("ledger",),
    "export": ("exporters",),
}


class SharingModel(Model, Protocol):
    """A network that several processes train, each on its share of every batch (shared/world.py). The update is that of
    the whole batch. Reading the network only involves this process.

    `train_step` takes the result of `put_share`. The losses that it returns add up over the processes to the mean over
    the whole batch, and its logits are those of the share.
    """

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_whole: int) -> Batch:
        """Do the same as `put`, for a share of a batch of `n_whole` images."""


class Implementation(Protocol):
    """The exports of an implementation: `framework`, `create`, and the tiers of MODULE_TIERS. A command that needs a
    missing tier reports that."""

    idiom: Idiom
    ledger: Mapping[str, Answers]
    exporters: Mapping[Format, Exporter]

    def framework(self) -> Framework:
        """Describe the framework. When called before `create`, it does not occupy a device."""

    def create(self, build: Build) -> Model:
        """Build the network that `build` describes; a SharingModel if this process is one of several.

        In the idiomatic recipe its layers are the framework's own with their defaults. TF32 is off, and the framework's
        own random numbers are seeded with `build.train.seed`.
        """

    def matrix_product(self, device: Device, size: int) -> Callable[[], None]:
        """Return a function that multiplies two float32 matrices (size, size) on the device and waits for it."""

    def memory_copy(self, device: Device, n_values: int) -> Callable[[], None]:
        """Return a function that copies `n_values` float32 numbers on the device, and waits for it."""

    def product_alone(self, product: Product, batch_size: int, device: Device) -> Sequence[Callable[[], None]]:
        """Return functions that each compute that product alone for a batch of float32 numbers, each in its own form,
        and wait for it. Without it `compare bench --profile` does not report the times of single products."""

    def serve(self, trained: Trained, mode: Mode) -> Predict:
        """Return a function for the logits (N, classes) of float32 images (N, H, W, C), as the framework's users serve
        a network: no optimizer and no gradients. Without it `compare bench --inference` times `logits` of the network
        that `create` makes."""

    def fit(self, model: Any, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
        """Train `model`, which `create` made for the idiomatic recipe, on the training images of `data`, scaled to
        `unit`. A tenth of them is set apart for validation. Call `on_epoch` after each epoch.

        It ends after `train.epochs` epochs, or after the first that reaches `train.stop_at`.
        """
