"""How far training is, and how long it will go on."""

import io
import time

import pytest
from results import result, run

from compare import progress
from compare.parity.command import TimeLeft
from shared.result import Epoch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_whole_study(clock: list[float]) -> None:
    left = progress.TimeLeft()
    left.seeds = [3, 4, 5]
    left.begin(run(seed=3), 40)
    clock[0] += 10
    left.advance(run(seed=3), 20)
    assert left.seconds(run(seed=3)) == pytest.approx(10 + 2 * 20)
    left.begin(run(seed=5), 40)
    clock[0] += 15
    left.advance(run(seed=5), 30)
    assert left.seconds(run(seed=5)) == pytest.approx(5)


def test_a_line_for_each_epoch_says_what_is_left(clock: list[float]) -> None:
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=4, seed=0)
    with lines:
        lines.expect([0, 1])
        lines.begin(one, 10, 0)
        clock[0] += 200
        lines.advance(one, 10, 1, 0.5, 1000)
        lines.epoch(one, Epoch(epoch=1, train_loss=0.5, train_accuracy=0.9, test_accuracy=0.8, test_loss=1))
    assert stream.getvalue().splitlines()[-1].endswith("about 23 min left")  # 600 s of this seed, 800 of the other


def test_bars_show_the_same(clock: list[float]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    bars = progress.shown_on(stream, quiet=False)
    one = run(epochs=2, seed=0)
    with bars:
        bars.expect([0])
        bars.begin(one, 10, 0)
        clock[0] += 30
        bars.advance(one, 10, 1, 0.25, 1234)
        bars.end(result(), "a word of the worker's")
    shown = stream.getvalue()
    for text in ("30 s left", "1,234 img/s", "epoch 1/2", "torch-seed0 | a word of the worker's"):
        assert text in shown


def test_quiet_shows_failures_alone() -> None:
    stream = io.StringIO()
    quiet = progress.shown_on(stream, quiet=True)
    with quiet:
        quiet.begin(run(), 10, 0)
        quiet.end(result(), "a warning")
    assert stream.getvalue() == ""


def test_a_run_that_goes_on_counts_what_is_left_of_it(clock: list[float]) -> None:
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=4, seed=0)
    with lines:
        lines.expect([0])
        lines.begin(one, 10, 2)
        clock[0] += 10
        lines.advance(one, 10, 3, 0.5, 1000)
        lines.epoch(one, Epoch(epoch=3, train_loss=0.5, train_accuracy=0.9, test_accuracy=0.8, test_loss=1))
    first, last = stream.getvalue().splitlines()
    assert first.endswith("4 epochs of 10 steps, of which 2 are done")
    assert last.endswith("about 10 s left")


def test_the_time_left_of_a_comparison() -> None:
    """Two precisions of three networks: 10 s for the first, 50 s for the second."""
    now = iter([0.0, 10.0, 60.0])
    left = TimeLeft(6, lambda: next(now))
    assert left.after_another() == "about 50 s left"
    assert left.after_another() == "about 2 min left"
