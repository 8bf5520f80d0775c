"""A timed window contains exactly the requested steps and the wait for the device."""

import gc
from typing import Any

import numpy as np
import pytest

from compare.worker import windows
from compare.worker.windows import Windows
from shared.data import Data
from shared.training import TrainSpec

PUT_S, STEP_S, LOGITS_S = 0.001, 0.01, 0.1


class Clock:
    """A clock that advances only while a worker works."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Device:
    """A model on an asynchronous device. `sync` waits for it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pending_s = 0.0
        self.calls: list[str] = []
        self.loss = 1.0
        self.collecting: list[bool] = []

    def put(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert len(images) == 64
        self.calls.append("put")
        self.clock.now += PUT_S
        return images, labels

    def train_step(self, batch: Any, learning_rate: float) -> tuple[float, None]:
        assert 0 < learning_rate < 1e-6
        self.calls.append("step")
        self.collecting.append(gc.isenabled())
        self.pending_s += STEP_S
        return self.loss, None

    def sync(self) -> None:
        self.calls.append("sync")
        self.clock.now += self.pending_s
        self.pending_s = 0.0

    def fetch(self, value: float) -> np.ndarray:
        self.clock.now += self.pending_s
        return np.array(value)

    def logits(self, images: np.ndarray) -> np.ndarray:
        self.calls.append("logits")
        self.clock.now += LOGITS_S
        return np.zeros((len(images), 10))


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    clock = Clock()
    monkeypatch.setattr(windows, "time", clock)
    return Device(clock)


@pytest.fixture
def timed(device: Device, digits: Data) -> Windows:
    return Windows(device, TrainSpec(epochs=1, batch_size=64), digits)


def test_end_to_end_has_batches_brought_and_the_device_waited_for(timed: Windows, device: Device) -> None:
    window = timed.time("end_to_end", 5)
    assert device.calls == ["put", "step"] * 5 + ["sync"]
    assert window.elapsed_s == pytest.approx(5 * (PUT_S + STEP_S))
    assert window.fetch_s == 0


def test_compute_only_has_no_batches_brought(timed: Windows, device: Device) -> None:
    timed.time("compute", 1)
    device.calls.clear()
    window = timed.time("compute", 20)
    assert device.calls == ["step"] * 20 + ["sync"]
    assert window.elapsed_s == pytest.approx(20 * STEP_S)


def test_uncounted_steps_run_into_the_window(timed: Windows, device: Device) -> None:
    """They are finished before the window and not part of its time. The order of batches continues."""
    window = timed.time("end_to_end", 5, uncounted=2)
    assert device.calls == [*["put", "step"] * 2, "sync", *["put", "step"] * 5, "sync"]
    assert window.elapsed_s == pytest.approx(5 * (PUT_S + STEP_S))
    assert device.collecting == [False] * 7


def test_evaluation_counts_batches(timed: Windows, device: Device) -> None:
    assert timed.time("evaluation", 3).elapsed_s == pytest.approx(3 * LOGITS_S)
    assert device.calls == ["logits"] * 3 + ["sync"]


def test_a_device_that_was_not_waited_for_shows(
    timed: Windows, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetching the loss then takes as long as the steps, and compare/bench/verdicts.py warns of it."""
    monkeypatch.setattr(device, "sync", lambda: None)
    window = timed.time("compute", 10)
    assert window.fetch_s > 5 * window.elapsed_s


def test_no_garbage_is_collected_within(timed: Windows, device: Device) -> None:
    timed.time("end_to_end", 3)
    assert device.collecting == [False] * 3
    assert gc.isenabled()


def test_steps_go_round_whole_batches(timed: Windows, device: Device) -> None:
    """The digits make 22 batches of 64 and one of 29."""
    timed.time("end_to_end", 50)
    assert device.calls.count("step") == 50


def test_a_loss_that_is_no_number_is_reported(timed: Windows, device: Device) -> None:
    device.loss = float("nan")
    with pytest.raises(ValueError, match="the loss is nan"):
        timed.time("compute", 1)
