"""The progress of training, and the time left."""

import io
import time

import pytest
from results import result, run

from compare.commands.parity import ComparisonsLeft
from compare.reporting import progress
from compare.reporting.time_left import TimeLeft
from shared.result import Epoch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time in seconds, which a test may set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_whole_study(clock: list[float]) -> None:
    """Two implementations take turns. Their slow first turns do not count for this seed, but for the seeds to come."""
    left = TimeLeft()
    left.seeds = [3, 4, 5]
    one, other = run("torch", seed=3, epochs=2), run("keras", seed=3, epochs=2)
    for of in (one, other):
        left.begin(of, 10, 0, n_evaluated=0)
    for of, first_s in ((one, 4.0), (other, 6.0)):
        clock[0] += first_s
        left.advance(of, 1)
        assert left.seconds() is None
    for of, step_s in ((one, 1.0), (other, 2.0)):
        clock[0] += 4 * step_s
        left.advance(of, 4)
    # Each has 15 of 20 steps left. Two more seeds have all steps of both, and their first turns.
    assert left.seconds() == pytest.approx(15 * (1 + 2) + 2 * (20 * (1 + 2) + 4 + 6))
    left.end(one.name)
    assert left.seconds() == pytest.approx(15 * 2 + 2 * (20 * (1 + 2) + 4 + 6))


def test_evaluations_are_reckoned_by_their_images_until_one_was_seen(clock: list[float]) -> None:
    """At first, an image counts as a third of one in a training step. Then the measured time counts."""
    left, one = TimeLeft(), run(seed=0, epochs=3)
    left.begin(one, 10, 0, n_evaluated=3 * one.train.batch_size)
    clock[0] += 5
    left.advance(one, 1)
    clock[0] += 9
    left.advance(one, 9)
    assert left.seconds() == pytest.approx(20 * 1 + 3 * 1)
    clock[0] += 4
    left.epoch(one)
    assert left.seconds() == pytest.approx(20 * 1 + 2 * 4)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_from_a_fifth_on_the_time_left_is_right_on_a_steady_machine(clock: list[float], share: float) -> None:
    """There are three implementations with slow first steps and evaluations. Turns last half a second for the slowest,
    as in compare/training/study."""
    step_s, first_s, evaluation_s = {"torch": 0.02, "keras": 0.01, "tf_lowlevel": 0.01}, 3.0, 0.4
    runs = [run(name, seed=0, epochs=20) for name in step_s]
    left, n_batches, done = TimeLeft(), 23, dict.fromkeys(step_s, 0)
    said: list[tuple[float, float | None]] = []
    for one in runs:
        left.begin(one, n_batches, 0, n_evaluated=360)
    began, n_steps = clock[0], 1
    while any(n < 20 * n_batches for n in done.values()):
        for one in runs:
            name = one.implementation
            steps = min(n_steps, n_batches - done[name] % n_batches)
            clock[0] += steps * step_s[name] + (0 if done[name] else first_s)
            done[name] += steps
            left.advance(one, steps)
            if done[name] % n_batches == 0:
                clock[0] += evaluation_s
                left.epoch(one)
            said.append((clock[0] - began, left.seconds()))
        n_steps = 25 if min(done.values()) > 1 else 1
    took_s = clock[0] - began
    at_s, stated_s = next((at, reported) for at, reported in said if at >= share * took_s)
    assert stated_s is not None
    assert 1 / 1.5 < stated_s / (took_s - at_s) < 1.5


def test_a_line_for_each_tenth_says_what_is_left(clock: list[float]) -> None:
    """Two seeds have 40 epochs in total, so a line comes every fourth epoch."""
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=20, seed=0)
    with lines:
        lines.expect([0, 1])
        lines.begin(one, 10, 0, 0)
        for epoch in range(1, 21):
            clock[0] += 2
            lines.advance(one, 10, epoch, 0.5, 1000)
            lines.epoch(one, Epoch(epoch=epoch, train_loss=0.5, train_accuracy=0.9, test_accuracy=0.8, test_loss=1))
        lines.end(result(seed=0), "")
    said = stream.getvalue().splitlines()[1:]
    assert [line.partition(" ")[0] for line in said] == ["10%", "20%", "30%", "40%", "50%"]
    assert said[1] == (
        "20% trained: torch-seed0 after epoch 8/20, loss 0.5000, test accuracy 80.00%; about 66 s of training left"
    )


def test_at_the_end_no_time_is_left(clock: list[float]) -> None:
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=20, seed=0)
    with lines:
        lines.expect([0])
        lines.begin(one, 10, 0, 0)
        for epoch in range(1, 21):
            clock[0] += 2
            lines.advance(one, 10, epoch, 0.5, 1000)
            lines.epoch(one, Epoch(epoch=epoch, train_loss=0.5, train_accuracy=0.9, test_accuracy=0.8, test_loss=1))
    *_, before, last = stream.getvalue().splitlines()
    assert before.endswith("of training left")
    assert last == "100% trained: torch-seed0 after epoch 20/20, loss 0.5000, test accuracy 80.00%"


def test_one_epoch_is_named_as_one() -> None:
    stream = io.StringIO()
    progress.shown_on(stream, quiet=False).begin(run(epochs=1, seed=0), 10, 0, 0)
    assert stream.getvalue() == "torch-seed0: 1 epoch of 10 steps\n"


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (66, "66 s"), (300, "5 min"), (7200, "2.0 h")])
def test_a_duration_is_never_nothing(seconds: float, said: str) -> None:
    assert progress.duration(seconds) == said


def test_a_run_that_ended_early_is_done(clock: list[float]) -> None:
    left = TimeLeft()
    left.seeds = [0]
    one, other = run("torch", seed=0, epochs=2), run("keras", seed=0, epochs=2)
    for of in (one, other):
        left.begin(of, 10, 0, 0)
    left.advance(one, 5)
    assert left.share() == 5 / 40
    left.end(one.name)
    left.advance(other, 20)
    left.end(other.name)
    assert left.share() == 1


def test_bars_show_the_same(clock: list[float]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    bars = progress.shown_on(stream, quiet=False)
    one = run(epochs=2, seed=0)
    with bars:
        bars.expect([0])
        bars.begin(one, 10, 0, 0)
        clock[0] += 9
        bars.advance(one, 1, 1, 0.25, 1234)
        clock[0] += 27
        bars.advance(one, 9, 1, 0.25, 1234)
        bars.end(result(), "a word of the worker's")
    shown = stream.getvalue()
    for text in ("30 s of training left", "1,234 img/s", "epoch 1/2", "torch-seed0 | a word of the worker's"):
        assert text in shown


def test_quiet_shows_failures_alone() -> None:
    stream = io.StringIO()
    quiet = progress.shown_on(stream, quiet=True)
    with quiet:
        quiet.begin(run(), 10, 0, 0)
        quiet.end(result(), "a warning")
    assert stream.getvalue() == ""


def test_a_run_that_goes_on_counts_what_is_left_of_it(clock: list[float]) -> None:
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=4, seed=0)
    with lines:
        lines.expect([0])
        lines.begin(one, 10, 2, 0)
        clock[0] += 1
        lines.advance(one, 1, 3, 0.5, 1000)
        clock[0] += 9
        lines.advance(one, 9, 3, 0.5, 1000)
        lines.epoch(one, Epoch(epoch=3, train_loss=0.5, train_accuracy=0.9, test_accuracy=0.8, test_loss=1))
    first, last = stream.getvalue().splitlines()
    assert first.endswith("4 epochs of 10 steps, of which 2 are done")
    assert last.startswith("75% trained: torch-seed0 after epoch 3/4")
    assert last.endswith("about 10 s of training left")


def test_the_time_left_of_a_comparison() -> None:
    """The last two of four comparisons are three times as large as the first."""
    now = iter([0.0, 10.0, 20.0, 50.0])
    left = ComparisonsLeft([1, 1, 3, 3], lambda: next(now))
    said = []
    for _ in range(3):
        assert left.after_another()
        said.append(f"{left.done}, {left.in_words}")
    assert said == ["12% compared, about 70 s left", "25% compared, about 60 s left", "62% compared, about 30 s left"]


def test_comparisons_are_reported_ten_times_at_most() -> None:
    left = ComparisonsLeft([1] * 300)
    assert sum(left.after_another() for _ in range(300)) == 9


def test_a_long_epoch_is_no_silence(clock: list[float]) -> None:
    """A line with the position in the run comes at most every minute."""
    stream = io.StringIO()
    lines = progress.shown_on(stream, quiet=False)
    one = run(epochs=2, seed=0)
    lines.expect([0])
    lines.begin(one, 200, 0, 0)
    for _ in range(130):
        clock[0] += 1
        lines.advance(one, 1, 1, 0.5, 64)
    said = stream.getvalue().splitlines()[1:]
    assert said == [
        "15% trained: torch-seed0 in epoch 1/2, loss 0.5000; about 6 min of training left",
        "30% trained: torch-seed0 in epoch 1/2, loss 0.5000; about 5 min of training left",
    ]
