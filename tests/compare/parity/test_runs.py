"""The draws of moved weights."""

from typing import Any, cast

import pytest

from compare.parity import runs
from compare.parity.envelope import ULPS_OF_MORE
from compare.parity.observation import Observation
from compare.parity.runs import Extent
from compare.processes.session import Session
from compare.subject import Subject
from shared.data.embedded import digits
from shared.models import MODELS
from shared.training import TrainSpec


class Named:
    implementation = "torch"


def test_further_draws_move_the_weights_by_more(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[tuple[int, int]] = []

    def nudge(weights: Any, dtype: str, seed: int, draw: int, ulps: int) -> Any:
        moved.append((draw, ulps))
        return weights

    monkeypatch.setattr(runs, "nudge", nudge)
    monkeypatch.setattr(runs, "_trained", lambda *_: iter(()))
    subject = Subject(MODELS["dense_baseline"], TrainSpec(epochs=1), digits())
    unmoved = {"torch": Observation({}, None)}
    extent = Extent(n_steps=2, dtypes=("float32",), n_draws=2)
    runs.draw_all(cast(Session, Named()), subject, extent, unmoved, range(1, 5))
    assert moved == [(1, 1), (2, 1), (3, ULPS_OF_MORE), (4, ULPS_OF_MORE)]
