"""What a worker will compute with, from the arrived data and the framework's report, field by field.

This runs in the worker process, and sees the framework only through the protocol.
"""

import hashlib
import platform
from collections.abc import Mapping

import numpy as np

from shared.batches import EpochBatches, epoch_order, n_batches
from shared.choices import Device
from shared.data import Data
from shared.protocol import Model
from shared.training import TrainSpec

Fields = dict[str, str]
DIGEST_DIGITS = 16


def of_worker(model: Model, train: TrainSpec, data: Data) -> Fields:
    """Return the fields of a network that was just created, in its worker."""
    batches = _batches(train, data)
    images, labels = model.fetch_batch(model.put(*batches[0]))
    return {
        **of_data(data),
        "images of the first batch, as the network gets them": digest(images),
        "labels of the first batch, as the network gets them": digest(labels),
        **of_training(train, data),
        **of_weights(model.weights()),
        **model.settings(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def of_request(train: TrainSpec, data: Data, weights: Mapping[str, np.ndarray], device: Device, threads: int) -> Fields:
    """Return the fields that are known before any worker is asked, with their expected values."""
    assert train.optimizer is not None, "a framework's own optimizer is not compared"
    images, _ = _batches(train, data)[0]
    first = epoch_order(len(data.x_train), train.seed, 1)[: train.batch_size]
    if train.augmentation == "none":
        images = data.x_train[first]
    return {
        **of_data(data),
        "images of the first batch, as the network gets them": digest(_as_put(images, train)),
        "labels of the first batch, as the network gets them": digest(_as_put(data.y_train[first], train)),
        **of_training(train, data),
        "batches of an epoch": _batches_by_arithmetic(len(data.x_train), train.batch_size),
        "different orders of an epoch": str(train.epochs),
        "learning rates": _rates_by_arithmetic(train, train.epochs * n_batches(len(data.x_train), train.batch_size)),
        **of_weights(weights),
        **train.optimizer.settings,
        "dtype": train.dtype,
        "device": device,
        "threads": str(threads),
        "TF32": "off",
        "deterministic": "on",
    }


def of_data(data: Data) -> Fields:
    """Return the fields of pixels and labels, for every part."""
    said = {"x": "pixels", "y": "labels"}
    return {
        f"{said[name[0]]}, {name[2:]}": f"{array.shape} {array.dtype} {digest(array)}"
        for name, array in data.arrays().items()
    }


def of_training(train: TrainSpec, data: Data) -> Fields:
    """Return the fields of the order of the batches and the learning rate of every step."""
    n_images = len(data.x_train)
    per_epoch = n_batches(n_images, train.batch_size)
    orders = [
        EpochBatches(data.x_train, data.y_train, train.batch_size, train.seed, epoch, "none").indices
        for epoch in range(1, train.epochs + 1)
    ]
    sizes = [len(batch) for batch in orders[0]]
    n_different = len(np.unique(np.concatenate(orders[0])))
    rates = np.array([train.learning_rate(step, per_epoch * train.epochs) for step in range(per_epoch * train.epochs)])
    return {
        "batches of an epoch": f"{len(sizes)} of {sizes[0]} images, the last of {sizes[-1]}; {n_different} different",
        "different orders of an epoch": str(len({digest(np.concatenate(order)) for order in orders})),
        "order of the batches": digest(np.concatenate([batch for order in orders for batch in order])),
        "learning rates": _said_of_rates(rates),
        "augmentation": train.augmentation,
    }


def of_weights(weights: Mapping[str, np.ndarray]) -> Fields:
    """Return the fields of every parameter's initial value."""
    return {f"initial {name}": digest(value.astype(np.float64)) for name, value in weights.items()}


def digest(array: np.ndarray) -> str:
    """Return the start of the SHA-256 of an array's values, whatever its layout in memory."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:DIGEST_DIGITS]


def _as_put(values: np.ndarray, train: TrainSpec) -> np.ndarray:
    """Return inputs and labels in the network's type; tokens and classes stay whole numbers."""
    return values.astype(train.dtype) if values.dtype.kind == "f" else values


def _batches_by_arithmetic(n_images: int, batch_size: int) -> str:
    """Return of_training's value for batches in which every image occurs once."""
    n, last = divmod(n_images - 1, batch_size)
    return f"{n + 1} of {min(batch_size, n_images)} images, the last of {last + 1}; {n_images} different"


def _said_of_rates(rates: np.ndarray) -> str:
    shown = ", ".join(f"{rate:.9g}" for rate in rates[:3])
    return f"{len(rates)}: {shown}, ... {rates[-1]:.9g}; at most {rates.max():.9g}, in all {rates.sum():.9g}"


def _rates_by_arithmetic(train: TrainSpec, n_steps: int) -> str:
    """Return of_training's value for the rates that TrainSpec's docstring describes."""
    assert train.optimizer is not None, "a framework's own optimizer is not compared"
    if train.schedule == "constant":
        return _said_of_rates(np.full(n_steps, train.optimizer.learning_rate))
    rising = n_steps // 10
    corners = [-1, rising, n_steps], [0 if rising else train.optimizer.learning_rate, train.optimizer.learning_rate, 0]
    return _said_of_rates(np.interp(np.arange(n_steps), *corners))


def _batches(train: TrainSpec, data: Data) -> EpochBatches:
    return EpochBatches(data.x_train, data.y_train, train.batch_size, train.seed, 1, train.augmentation)
