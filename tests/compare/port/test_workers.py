"""Workers are kept for the next comparison."""

from pathlib import Path
from typing import Any

import pytest

from compare.port import workers


class Worker:
    """The part of a worker used between comparisons."""

    def __init__(self, side: str, reference: str, *_: Any) -> None:
        self.side, self.reference, self.alive = side, reference, True

    def end_input(self) -> None:
        self.alive = False

    def close(self) -> None:
        self.alive = False


def test_a_worker_is_kept_for_its_side_and_framework(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other comparisons in between start no new worker. A dead worker is replaced, and all end."""
    monkeypatch.setattr(workers, "ModelWorker", Worker)
    with workers.ModelWorkers(tmp_path, 1, lambda _: None) as kept:
        first = kept.start("torch.nn:Tanh", "keras.layers:Dense(2)")
        other = kept.start("keras.layers:Dense(3)", "torch.nn:ReLU")
        again = kept.start("torch.nn:Sigmoid", "keras.layers:Dense(4)")
        assert len({id(each) for each in (*first, *other)}) == 4
        assert [again[0] is first[0], again[1] is first[1]] == [True, True]
        assert (again[0].reference, again[1].reference) == ("torch.nn:Sigmoid", "keras.layers:Dense(4)")
        again[0].alive = False
        replaced, same = kept.start("torch.nn:Tanh", "keras.layers:Dense(4)")
        assert replaced is not first[0]
        assert same is first[1]
    assert not any(each.alive for each in (*first, *other, replaced))
