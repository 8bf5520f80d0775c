"""A framework's own training loop, one epoch at a time."""

import pytest

from compare.worker.fitting import Fitting
from shared.protocol import FittedEpoch, OnEpoch


def epoch(number: int) -> FittedEpoch:
    return FittedEpoch(1 / number, 0.5, 1 / number, 0.5, 10, 0.1)


def test_it_goes_no_further_than_asked() -> None:
    begun: list[int] = []

    def fit(on_epoch: OnEpoch) -> None:
        for number in (1, 2, 3):
            begun.append(number)
            on_epoch(epoch(number))
        begun.append(-1)

    fitting = Fitting(fit)
    for number in (1, 2, 3):
        assert fitting.next_epoch() == epoch(number)
        assert begun == list(range(1, number + 1))
    fitting.finish()
    assert begun[-1] == -1


def test_errors_reach_the_caller() -> None:
    def fit(on_epoch: OnEpoch) -> None:
        on_epoch(epoch(1))
        raise ValueError("asked to fail")

    fitting = Fitting(fit)
    fitting.next_epoch()
    with pytest.raises(ValueError, match="asked to fail"):
        fitting.next_epoch()

    fitting = Fitting(fit)
    fitting.next_epoch()
    with pytest.raises(ValueError, match="asked to fail"):
        fitting.finish()


def test_a_loop_that_ends_early_or_goes_on_is_an_error() -> None:
    def fit(on_epoch: OnEpoch) -> None:
        for number in (1, 2):
            on_epoch(epoch(number))

    early = Fitting(fit)
    early.next_epoch()
    early.next_epoch()
    with pytest.raises(RuntimeError, match="ended before"):
        early.next_epoch()
    with pytest.raises(RuntimeError, match="has ended"):
        early.next_epoch()

    long = Fitting(fit)
    long.next_epoch()
    with pytest.raises(RuntimeError, match="went on"):
        long.finish()
