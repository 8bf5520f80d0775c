"""Step times from samples made up for the purpose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results import result
from scipy.stats import bootstrap

from compare.analysis.timing import _median_of_counted, steady_slices, step_time
from shared.result import Samples


def test_warm_up_and_small_batches_are_left_out() -> None:
    # 23 batches an epoch, the last of them smaller
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
    """Turns of 50 equal steps whose level varies: 500 steps, but only 10 independent draws."""
    rng = np.random.default_rng(1)
    levels = rng.normal(0.02, 0.002, 10)
    step_s = np.repeat(levels, 50)
    time = step_time(result(step_s=step_s, n_train=6_400, batch_size=64, slice_steps=(50,) * 10))
    assert time is not None
    assert time.low_s is not None
    assert time.high_s is not None
    assert time.high_s - time.low_s > 0.001


def test_the_interval_is_that_of_medians_over_drawn_turns() -> None:
    """Against scipy's bootstrap of the plain median of concatenated turns, of unequal length."""
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
    ("epoch_s", "steps", "expected"), [((9.0, 4.0, 2.0), (20, 20, 10), 0.2), ((9.0,), (20,), 0.45)]
)
def test_an_epoch_at_a_time(epoch_s: tuple[float, ...], steps: tuple[int, ...], expected: float) -> None:
    """In the idiomatic recipe: an epoch's time over its own steps, the first epoch only where it is alone."""
    run = result()
    assert run.outcome is not None
    outcome = run.outcome.model_copy(update={"samples": Samples(epoch_s=epoch_s, epoch_steps=steps)})
    time = step_time(run.model_copy(update={"outcome": outcome}))
    assert time is not None
    assert (time.median_s, time.low_s) == (pytest.approx(expected), None)


@given(st.lists(st.tuples(st.floats(1e-6, 1e3), st.integers(0, 5)), min_size=1, max_size=30))
def test_the_median_of_counted_values_is_that_of_the_values_written_out(counted: list[tuple[float, int]]) -> None:
    values, counts = (np.array(column) for column in zip(*sorted(counted), strict=True))
    if counts.sum():
        assert _median_of_counted(values, counts) == np.median(np.repeat(values, counts))
