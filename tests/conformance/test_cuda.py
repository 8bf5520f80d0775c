"""Results on a CUDA device equal those on a CPU.

This covers every architecture, every tuning, mixed precision, and timed windows. Without a device these tests are
skipped, and nothing is known.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from distance import assert_close, relative
from patience import GENEROUS_S
from tracing import Tracer

from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.choices import Device, Mode
from shared.data import Data, DataSpec
from shared.data import load as load_data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import Adam, TrainSpec
from shared.weights import initial_weights

DEVICE: Device = "cuda"
BOUND = 1e-12
STEPS = 20
TRAIN = TrainSpec(epochs=10, batch_size=32, seed=5, optimizer=Adam(), dtype="float64")
THREE = ("torch", "keras", "tf_lowlevel")
Named = Callable[[str], Session]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason="no CUDA device here: nothing was tested on one"),
]


@pytest.fixture(scope="module")
def on_cuda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    """on_cuda(implementation) -> a worker that sees the device. Skip if its framework sees none."""
    logs = tmp_path_factory.mktemp("logs")
    started: list[Session] = []

    @cache
    def get(implementation: str) -> Session | None:
        session = Session(implementation, logs / f"{implementation}.log", 1, hide_cuda=False, timeout_s=GENEROUS_S)
        started.append(session)
        try:
            return session if session.wait_until_ready().n_cuda_devices else None
        except WorkerError:
            return None

    def get_or_skip(implementation: str) -> Session:
        session = get(implementation)
        if session is None:
            pytest.skip(f"{implementation}: its framework is not installed, or sees no CUDA device")
        return session

    yield get_or_skip
    for session in started:
        session.close()


@pytest.fixture(scope="module")
def photographs() -> Data:
    return load_data(DataSpec(dataset="photographs"), Path())


def load(session: Session, data: Data) -> None:
    if session.data_digest != data.digest():
        session.load_data(data)


def test_twenty_steps(
    on_cuda: Named, trace: Tracer, digits: Data, photographs: Data, implementation: str, model: str
) -> None:
    session, spec = on_cuda(implementation), MODELS[model]
    load(session, digits if spec.input_shape == (28, 28, 1) else photographs)
    train = TRAIN if spec.dropout is None else TRAIN.model_copy(update={"dropout": 0.0})
    session.create(Build(spec, train, initial_weights(spec, 5), DEVICE, IMPLEMENTATIONS[implementation].default_mode))
    losses = session.train_slice(STEPS).loss
    expected = trace(implementation, model, "adam", "float64")
    assert losses == pytest.approx(expected.losses, rel=BOUND, abs=0)
    assert_close(session.weights(), expected.trained, BOUND)


def candidates() -> Iterator[pytest.ParameterSet]:
    for implementation in THREE:
        for candidate in IMPLEMENTATIONS[implementation].candidates[DEVICE]:
            name = f"{implementation}-{candidate.factor}"
            yield pytest.param(implementation, candidate.mode, candidate.tuning, id=name)


@pytest.mark.parametrize(("which", "mode", "tuning"), list(candidates()))
def test_every_candidate(
    on_cuda: Named, trace: Tracer, digits: Data, which: str, mode: Mode, tuning: dict[str, str]
) -> None:
    session, spec = on_cuda(which), MODELS["cnn_same"]
    load(session, digits)
    session.create(Build(spec, TRAIN, initial_weights(spec, 5), DEVICE, mode, tuning=tuning))
    losses = session.train_slice(STEPS).loss
    expected = trace(which, "cnn_same", "adam", "float64")
    assert losses == pytest.approx(expected.losses, rel=BOUND, abs=0)
    assert_close(session.weights(), expected.trained, BOUND)


@pytest.mark.parametrize("which", THREE)
def test_rounding_is_as_asked_for(on_cuda: Named, digits: Data, which: str) -> None:
    """Default float32 uses no TF32, and each mixed precision is as coarse as its format."""
    session, spec = on_cuda(which), MODELS["cnn_same"]
    load(session, digits)
    mode = IMPLEMENTATIONS[which].default_mode

    def logits(**asked: str) -> np.ndarray:
        train = TRAIN.model_copy(update={"dtype": "float32", **asked})
        session.create(Build(spec, train, initial_weights(spec, 5), DEVICE, mode))
        return session.logits(digits.x_test[:48])

    whole = logits(dtype="float64")
    assert relative(logits(), whole) < 5e-6
    assert 1e-5 < relative(logits(mixed_precision="tf32"), whole) < 5e-3
    assert 1e-4 < relative(logits(mixed_precision="bfloat16"), whole) < 5e-2
    assert relative(logits(), whole) < 5e-6  # switched off again


@pytest.mark.parametrize("which", THREE)
def test_a_window_ends_when_the_device_has_done_everything(on_cuda: Named, digits: Data, which: str) -> None:
    session, spec = on_cuda(which), MODELS["cnn_same"]
    load(session, digits)
    train = TRAIN.model_copy(update={"dtype": "float32"})
    session.create(Build(spec, train, initial_weights(spec, 5), DEVICE, IMPLEMENTATIONS[which].default_mode))
    for what in ("end_to_end", "compute"):
        session.time_window(what, 50)
        window = session.time_window(what, 200)
        assert window.fetch_s < 0.05 * window.elapsed_s
    assert session.memory().peak_device_bytes
