"""Mixed precision rounds products, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from distance import relative

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.choices import MixedPrecision
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

pytestmark = pytest.mark.slow
STEPS = 5
# Half a unit in the last of bfloat16's 8 bits is 0.002 of a value.
ROUNDED, OFF = 1e-4, 3e-2


def training(mixed_precision: MixedPrecision) -> TrainSpec:
    return TrainSpec(epochs=10, batch_size=32, seed=5, mixed_precision=mixed_precision)


@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
@pytest.mark.parametrize("architecture", ["cnn_same", pytest.param("cnn_bn_valid", marks=pytest.mark.long)])
def test_bfloat16(session_for: Callable[[str, str], Session], digits: Data, which: str, architecture: str) -> None:
    """Logits and losses differ from float32 ones by about bfloat16's precision. Parameters and optimizer state stay
    float32."""
    session, spec = session_for(which, architecture), MODELS[architecture]

    def run(mixed_precision: MixedPrecision) -> tuple[np.ndarray, tuple[float, ...]]:
        train = training(mixed_precision)
        session.create(Build(spec, train, initial_weights(spec, 5), "cpu", IMPLEMENTATIONS[which].default_mode))
        return session.logits(digits.x_test[:48]), session.train_slice(STEPS).loss

    whole, losses = run("none")
    rounded, rounded_losses = run("bfloat16")
    assert rounded.dtype == np.float32
    assert ROUNDED < relative(rounded, whole) < OFF
    assert rounded_losses == pytest.approx(losses, rel=OFF)
    assert rounded_losses != pytest.approx(losses, rel=1e-6)
    kept = {name: array.dtype for name, array in {**session.weights(), **session.optimizer_state()}.items()}
    assert set(kept.values()) == {np.dtype(np.float32)}
    assert session.fingerprint()["TF32"] == "off"


@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
def test_tf32_is_on_only_where_it_was_asked_for(session_for: Callable[[str, str], Session], which: str) -> None:
    """The framework's own setting is checked. On a CPU it has no effect, so the test needs no CUDA device."""
    session, spec = session_for(which, "dense_baseline"), MODELS["dense_baseline"]
    asked: tuple[MixedPrecision, ...] = ("none", "tf32", "none")
    for mixed_precision in asked:
        session.create(Build(spec, training(mixed_precision), initial_weights(spec, 5), "cpu", "eager"))
        assert session.fingerprint()["TF32"] == ("on" if mixed_precision == "tf32" else "off")
