"""A deleted network leaves nothing behind, because a worker builds thousands of them in a study of many seeds."""

from collections.abc import Callable

import pytest

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

FIRST, MORE = 3, 10
MOST_BYTES = 10 << 20  # a graph kept alive takes 2 MB


@pytest.mark.slow
@pytest.mark.parametrize(
    "which", ["keras", *(pytest.param(name, marks=pytest.mark.long) for name in ("torch", "tf_lowlevel"))]
)
def test_networks_do_not_pile_up(session_for: Callable[[str, str], Session], digits: Data, which: str) -> None:
    session, spec = session_for(which, "dense_baseline"), MODELS["dense_baseline"]
    weights = initial_weights(spec, 0)

    def build() -> None:
        session.create(Build(spec, TrainSpec(epochs=1), weights, "cpu", IMPLEMENTATIONS[which].default_mode))
        session.train_slice(1)
        session.logits(digits.x_test[:8])

    def peak_after(n: int) -> int:
        for _ in range(n):
            build()
        peak = session.memory().peak_rss_bytes
        if peak is None:
            pytest.skip("this system does not tell how much memory a process uses")
        return peak

    before = peak_after(FIRST)
    assert peak_after(MORE) - before < MOST_BYTES
