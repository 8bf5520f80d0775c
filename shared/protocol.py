"""What an implementation exports: `framework()` and `create(build)`, which returns a `Trainable` network.

What a network can do beyond that is grouped in tiers: a class each below, from `Comparable` on.

Arrays that cross this boundary are NumPy: images (N, height, width, channels), labels int64 (N,), weights under
canonical names (shared/models.py). A network of the user's own may take vectors (N, D), sequences (N, T, D) or tokens
int64 (N, T) instead of images. Its task may have labels float32 (N, K) (shared/task.py). What stays inside is the
framework's own: `Batch` and `Tensor` are opaque to the harness.

`put`, `train_step` and `sync` are separate calls so that the harness decides what a timed window holds, and it is the
same window for every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from shared.choices import Device, Format, Mode, Recipe, Scale

if TYPE_CHECKING:  # a process that only infers needs none of them, and its start is measured
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
    """What a framework says of itself: its version, how many CUDA devices it sees, and how it is set up."""

    name: str
    version: str
    n_cuda_devices: int
    settings: dict[str, str]


@dataclass(frozen=True)
class Idiom:
    """What an implementation's idiomatic recipe chooses: the scaling of the images that its network sees, and the rest
    in words."""

    scale: Scale
    choices: dict[str, str]


@dataclass(frozen=True)
class FittedEpoch:
    """One epoch of the idiomatic recipe: figures as the framework itself reports them, and the time in seconds that
    its training took, without validation."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    n_steps: int
    train_s: float


OnEpoch = Callable[[FittedEpoch], None]


@dataclass(frozen=True)
class Trained:
    """A trained network that is to be written to a file: its parameters and the epsilon of its batch normalisation.
    Also the mean and deviation of each channel (C,) that its images were scaled by (None: not scaled).

    What is written takes float32 images from 0 to 1, any number of them, scales them itself, and gives logits.
    """

    model: ModelSpec
    weights: Weights
    epsilon: float
    scaling: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Build:
    """What a network is built of: its contract, how it is trained, its initial weights, and where and how it is
    computed. In the idiomatic recipe weights may be None: the network's own. The package's `tuning.py` makes it faster
    without changing what is computed."""

    model: ModelSpec
    train: TrainSpec
    weights: Weights | None = None
    device: Device = "cpu"
    mode: Mode = "eager"
    recipe: Recipe = "matched"
    tuning: Tuning = field(default_factory=dict)


Predict = Callable[[np.ndarray], np.ndarray]
Exporter = Callable[[Trained, Path], Predict]  # the logits (N, classes) of images (N, H, W, C), by the file alone


class Trainable(Protocol):
    """One network in one framework, on one device, with its optimizer: enough to train it and to measure it."""

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        """Move images (N, H, W, C) and labels (N,) to the device, in the network's own type and layout."""

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[Tensor, Tensor]:
        """Update the weights once. Return the mean loss and the logits of this step, both left on the device."""

    def sync(self) -> None:
        """Wait until the device has done everything asked of it."""

    def fetch(self, tensor: Tensor) -> np.ndarray:
        """A tensor as a NumPy array; waits for it."""

    def logits(self, images: np.ndarray) -> np.ndarray:
        """The outputs (N, classes) for images (N, H, W, C), in evaluation mode."""

    def weights(self) -> Weights:
        """The current value of every parameter."""

    def count_parameters(self) -> tuple[int, int]:
        """How many parameters the framework itself counts: with moving statistics, and the trainable ones alone."""


class Comparable(Protocol):
    """What parity compares."""

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """What `put` made of a batch, channels last again: images (N, H, W, C) in the network's type, labels (N,)."""

    def load(self, weights: Weights) -> None:
        """Set every parameter; the optimizer's state is left as it is."""

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        """The output of every layer of the contract for images (N, H, W, C), channels last, in evaluation or training
        mode; nothing is updated."""

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        """The mean loss of a batch, and its gradient with respect to every trainable parameter; nothing is updated."""

    def optimizer_state(self) -> Weights:
        """The optimizer's own tensors: `<parameter>/m` and `<parameter>/v` for Adam, `<parameter>/velocity` for SGD."""

    def settings(self) -> dict[str, str]:
        """Everything that decides what is computed and how, as reported by the network, its optimizer and the
        framework. That is constants of layers and of the optimizer, dtype, device, threads, TF32, determinism, the
        framework's version.

        The names are the same in every implementation, and so are the values if the networks are set up alike.
        """


class Resumable(Protocol):
    """What lets training go on from where it stood."""

    def state(self) -> dict[str, np.ndarray]:
        """Everything that decides how training goes on from here: parameters, the optimizer's tensors and counts, and
        where random numbers stand. The names are the implementation's own."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on as the network that `state` was taken of would have; it was made by the same call of `create`."""


class Profiled(Protocol):
    """What the framework itself measures and counts."""

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        """Do `work`, watched by the framework's own profiler: the seconds that each kind of operation took itself."""

    def count_by_layer(self) -> dict[str, int]:
        """How many parameters the framework itself counts in each layer that has some."""

    def count_flops(self) -> int:
        """How many FLOPs the framework's own profiler counts in the convolutions and matrix products of one image's
        forward pass."""


class OnDevice(Protocol):
    """What is known of the device; without these it is "cpu", and nothing is known of its memory."""

    def device_name(self) -> str:
        """The device that the network is on, as its maker calls it; "cpu" for the CPU."""

    def peak_device_bytes(self) -> int | None:
        """The most device memory in use since the model was made; None if the framework does not know."""


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
    """A network that several processes train, each on its share of every batch (shared/world.py): the update is that of
    the whole batch. Reading it concerns the process alone.

    `train_step` takes what `put_share` gave; the losses that it returns add up over the processes to the mean over the
    whole batch, and its logits are those of the share.
    """

    def put_share(self, images: np.ndarray, labels: np.ndarray, n_whole: int) -> Batch:
        """`put`, of a share of a batch of `n_whole` images."""


class Implementation(Protocol):
    """What an implementation exports: `framework`, `create`, and the tiers of MODULE_TIERS. A command that needs a tier
    that is missing says so."""

    idiom: Idiom
    ledger: Mapping[str, Answers]
    exporters: Mapping[Format, Exporter]

    def framework(self) -> Framework:
        """Describe the framework. Called before `create`, it takes hold of no device."""

    def create(self, build: Build) -> Model:
        """Build the network that `build` describes; a SharingModel if this process is one of several.

        In the idiomatic recipe its layers are the framework's own with their defaults. TF32 is off, and the framework's
        own random numbers are seeded with `build.train.seed`.
        """

    def matrix_product(self, device: Device, size: int) -> Callable[[], None]:
        """A function that multiplies two float32 matrices (size, size) on the device, and returns when it is done."""

    def memory_copy(self, device: Device, n_values: int) -> Callable[[], None]:
        """A function that copies `n_values` float32 numbers on the device, and returns when it is done."""

    def product_alone(self, product: Product, batch_size: int, device: Device) -> Sequence[Callable[[], None]]:
        """Functions that each compute that product alone for a batch of float32 numbers, in a form of their own, and
        return when it is done. Without it `compare bench --profile` says nothing of what its products take alone."""

    def serve(self, trained: Trained, mode: Mode) -> Predict:
        """The logits (N, classes) of float32 images (N, H, W, C), as the framework's users serve a network: no
        optimizer and no gradients. Without it `compare bench --inference` times `logits` of what `create` gives."""

    def fit(self, model: Any, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
        """Train `model`, which `create` made for the idiomatic recipe, on the training images of `data`, scaled to
        `unit`. A tenth of them is set apart for validation. Call `on_epoch` after each epoch.

        It ends after `train.epochs` epochs, or after the first that reaches `train.stop_at`.
        """
