"""The harness costs almost nothing in a step, compared with the arithmetic of the smallest step.

Both are timed here in turns, on the machine that runs the test. One is the harness with a network whose steps do
nothing. The other is a matrix product with as many operations as a step of `cnn_same`. The quickest turn of each
counts.
"""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from compare.rpc import messages
from compare.worker.service import Service
from shared.data import Data
from shared.models import MODELS
from shared.training import TrainSpec
from shared.weights import initial_weights

MODEL = MODELS["cnn_same"]
TRAIN = TrainSpec(epochs=1000, batch_size=64)
WEIGHTS = initial_weights(MODEL, 0)
LIMIT = 0.02
TURNS = 15


class Idle:
    """A network that does nothing, so only the harness takes time."""

    def __init__(self, *_: Any) -> None:
        self.loss, self.logits = np.float32(1), np.zeros((TRAIN.batch_size, MODEL.n_classes), np.float32)

    def put(self, images: np.ndarray, labels: np.ndarray) -> int:
        return len(images)

    def train_step(self, n_images: int, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        return self.loss, self.logits[:n_images]

    def fetch(self, value: np.ndarray) -> np.ndarray:
        return value

    def sync(self) -> None:
        pass

    def weights(self) -> dict[str, np.ndarray]:
        return WEIGHTS

    def state(self) -> dict[str, np.ndarray]:
        return {f"{kind}/{name}": value for kind in ("p", "m", "v") for name, value in WEIGHTS.items()}

    def count_parameters(self) -> tuple[int, int]:
        return 0, 0

    def device_name(self) -> str:
        return "none"


@pytest.fixture
def bench(digits: Data) -> Service:
    made: Any = SimpleNamespace(create=Idle, matrix_product=lambda device, size: lambda: None)
    bench = Service(made)
    bench.load_data(digits.arrays())
    request = messages.Create(model=MODEL, train=TRAIN, device="cpu", mode="eager", recipe="matched")
    bench.create(request, dict(initial_weights(MODEL, 0)))
    return bench


def arithmetic_s() -> float:
    """Return the time in seconds of a step's operations, at the rate of a large float32 matrix product."""
    size = 1024
    a = np.ones((size, size), np.float32)
    start = time.perf_counter()
    a @ a
    return (time.perf_counter() - start) * MODEL.training_flops * TRAIN.batch_size / (2 * size**3)


def quickest(of_step: Any) -> tuple[float, float]:
    """Return the quickest of several turns of a step's harness and of its arithmetic, in seconds."""
    turns = [(of_step(), arithmetic_s()) for _ in range(TURNS)]
    return min(harness for harness, _ in turns), min(arithmetic for _, arithmetic in turns)


@pytest.mark.parametrize("what", ["end_to_end", "compute"])
def test_a_timed_window(bench: Service, what: messages.Timed) -> None:
    harness, arithmetic = quickest(lambda: bench.training.timed.time(what, 200).elapsed_s / 200)
    assert harness < LIMIT * arithmetic


def test_a_slice_of_a_training_run(bench: Service) -> None:
    """This includes gathering its batch, copying its loss and logits, and averaging over its epoch."""
    n_steps = 23  # an epoch of the digits

    def of_step() -> float:
        start = time.perf_counter()
        assert len(bench.training.train_slice(messages.TrainSlice(steps=n_steps)).loss) == n_steps
        return (time.perf_counter() - start) / n_steps

    harness, arithmetic = quickest(of_step)
    assert harness < LIMIT * arithmetic
