"""Step times from made-up samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results import result
from scipy.stats import bootstrap

from compare.analysis import timing
from compare.analysis.rows import row
from compare.analysis.timing import (
    _medians_of_counted,
    _times_drawn,
    median_step_s,
    neighbours_alike,
    steady_slices,
    step_time,
)
from shared.result import RunResult, Samples


def test_warm_up_and_small_batches_are_left_out() -> None:
    # 23 batches per epoch, with a smaller last one
    step_s = np.full(46, 1.0)
    step_s[:20] = 9.0
    step_s[[22, 45]] = 0.1
    slices = steady_slices(result(step_s=step_s, n_train=1_437, batch_size=64))
    assert np.concatenate(slices).tolist() == [1.0] * 24


def test_even_batches_are_all_kept() -> None:
    slices = steady_slices(result(step_s=np.ones(40), n_train=1_280, batch_size=64))
    assert sum(len(s) for s in slices) == 20


def test_a_short_run_keeps_its_second_half() -> None:
    slices = steady_slices(result(step_s=np.array([9.0, 9, 1, 1]), n_train=256, batch_size=64))
    assert np.concatenate(slices).tolist() == [1, 1]


def test_a_run_of_one_step_has_no_steady_one() -> None:
    assert step_time(result(step_s=np.array([2.0]), n_train=64, batch_size=64)) is None


def test_the_median_shrugs_off_outliers_and_the_interval_holds_it() -> None:
    rng = np.random.default_rng(0)
    step_s = rng.normal(0.02, 0.001, 1_000)
    step_s[::50] = 1.0
    time = step_time(result(step_s=step_s, n_train=6_400, batch_size=64, slice_steps=(25,) * 40))
    assert time is not None
    assert time.median_s == pytest.approx(0.02, rel=0.01)
    assert time.low_s is not None
    assert time.high_s is not None
    assert time.low_s < time.median_s < time.high_s


def test_the_interval_is_that_of_turns_not_of_steps() -> None:
    """500 steps in turns of 50 equal steps, whose level varies, are only 10 independent draws."""
    rng = np.random.default_rng(1)
    levels = rng.normal(0.02, 0.002, 10)
    step_s = np.repeat(levels, 50)
    time = step_time(result(step_s=step_s, n_train=6_400, batch_size=64, slice_steps=(50,) * 10))
    assert time is not None
    assert time.low_s is not None
    assert time.high_s is not None
    assert time.high_s - time.low_s > 0.001


def test_the_interval_is_that_of_medians_over_drawn_turns() -> None:
    """Compare with scipy's bootstrap of the plain median over concatenated turns of unequal length."""
    rng = np.random.default_rng(3)
    turns = [rng.normal(0.02, 0.002, n) for n in (7, 12, 9, 20, 3, 15)]
    run = result(np.concatenate([np.ones(20), *turns]), n_train=86 * 64, slice_steps=(20, *map(len, turns)))
    time = step_time(run)
    assert time is not None
    interval = bootstrap(
        (np.arange(6),),
        lambda drawn: float(np.median(np.concatenate([turns[i] for i in drawn]))),
        vectorized=False,
        n_resamples=500,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (time.low_s, time.high_s) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_too_few_turns_give_no_interval() -> None:
    time = step_time(result(step_s=np.ones(100), n_train=6_400, batch_size=64, slice_steps=(50, 50)))
    assert time is not None
    assert (time.low_s, time.high_s) == (None, None)


@pytest.mark.parametrize(
    ("epoch_s", "steps", "expected"), [((9.0, 4.0, 2.0), (20, 20, 10), 0.2), ((9.0, 4.0), (20, 20), 0.2)]
)
def test_an_epoch_at_a_time(epoch_s: tuple[float, ...], steps: tuple[int, ...], expected: float) -> None:
    """In the idiomatic recipe, an epoch's time is divided by its own steps. The first epoch is left out."""
    run = of_epochs(epoch_s, steps)
    time = step_time(run)
    assert time is not None
    assert (time.median_s, time.low_s) == (pytest.approx(expected), None)
    assert median_step_s(run) == time.median_s


def test_the_epoch_that_compiles_has_no_step_time() -> None:
    """This holds if it is the only epoch, because the time of tracing cannot be separated."""
    alone = of_epochs((9.0,), (20,))
    assert step_time(alone) is None
    assert median_step_s(alone) is None
    figures = row(alone)
    assert (figures.step_ms_median, figures.images_per_s, figures.first_step_s) == (None, None, None)


def test_many_epochs_have_an_interval_without_the_first() -> None:
    time = step_time(of_epochs((90.0, 2.0, 2.2, 1.8, 2.1, 1.9), (10,) * 6))
    assert time is not None
    assert (time.median_s, time.n_turns) == (pytest.approx(0.2), 5)
    assert time.low_s is not None
    assert time.high_s is not None
    assert 0.17 < time.low_s < 0.2 < time.high_s < 0.23


def test_neighbouring_turns_that_are_alike() -> None:
    """Half of the run was beside a busy process, so its turns are not independent. Alternating turns are."""
    halves = np.repeat([1.0, 1.0, 2.0, 2.0, 2.0], 20) * np.random.default_rng(0).normal(1, 0.01, 100)
    made = result(halves, n_train=6_400, slice_steps=(10,) * 10)
    assert neighbours_alike(made) > 0.3
    alternating = result(np.tile(np.repeat([1.0, 2.0], 10), 5), n_train=6_400, slice_steps=(10,) * 10)
    assert neighbours_alike(alternating) == 0
    assert neighbours_alike(result(np.ones(100), n_train=6_400, slice_steps=(10,) * 10)) == 0


def of_epochs(epoch_s: tuple[float, ...], steps: tuple[int, ...]) -> RunResult:
    """Return a run of the idiomatic recipe."""
    run = result()
    assert run.outcome is not None
    outcome = run.outcome.model_copy(update={"samples": Samples(epoch_s=epoch_s, epoch_steps=steps)})
    return run.model_copy(update={"outcome": outcome, "run": run.run.model_copy(update={"recipe": "idiomatic"})})


@given(st.lists(st.tuples(st.floats(1e-6, 1e3), st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=30))
def test_the_medians_of_counted_values_are_those_of_the_values_written_out(
    counted: list[tuple[float, int, int]],
) -> None:
    values, *counts = (np.array(column) for column in zip(*sorted(counted), strict=True))
    counts = [column for column in counts if column.sum()]
    written_out = [np.median(np.repeat(values, column)) for column in counts]
    assert _medians_of_counted(values, np.array(counts)).tolist() == written_out


@given(st.integers(0, 99), st.integers(1, 8))
def test_turns_are_counted_in_every_draw(seed: int, n: int) -> None:
    draws = np.random.default_rng(seed).integers(0, n, (3, n))
    assert _times_drawn(draws).tolist() == [[list(draw).count(turn) for turn in range(n)] for draw in draws]


def test_an_interval_does_not_depend_on_how_many_draws_are_counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = result(np.random.default_rng(0).uniform(0.01, 0.02, 200), n_train=12_800, slice_steps=(10,) * 20)
    at_once = step_time(made)
    timing._interval.cache_clear()
    monkeypatch.setattr(timing, "MOST_COUNTS", 1_000)
    assert step_time(made) == at_once
