"""Step times from the samples of a run."""

from dataclasses import dataclass

import numpy as np

from shared.batches import n_batches
from shared.result import CondensedResult, RunResult

WARMUP_STEPS = 20
CONFIDENCE = 0.95
TURNS_FOR_AN_INTERVAL = 5
N_RESAMPLES = 500


@dataclass(frozen=True)
class StepTime:
    """The median time of a steady step in seconds, and its 95 % interval if there are turns enough to resample.

    `n_turns` is how many turns (in the idiomatic recipe: epochs) the interval resamples, 0 if there is no interval.
    """

    median_s: float
    low_s: float | None
    high_s: float | None
    n_turns: int = 0


def steady_slices(result: RunResult) -> list[np.ndarray]:
    """The step times in seconds of each turn, without warm-up and without the smaller batches that end an epoch.

    The first 20 steps are warm-up, or the first half if a run has fewer than 40.
    """
    if isinstance(result, CondensedResult):
        return []
    assert result.outcome is not None
    samples, batch_size = result.outcome.samples, result.run.train.batch_size
    step_s = np.array(samples.step_s)
    step = np.arange(len(step_s))
    per_epoch = n_batches(result.n_train, batch_size)
    whole = np.full(len(step_s), True) if result.n_train % batch_size == 0 else (step + 1) % per_epoch != 0
    steady = whole & (step >= max(1, min(WARMUP_STEPS, len(step_s) // 2)))
    ends = np.cumsum(samples.slice_steps)[:-1]
    slices = [s[keep] for s, keep in zip(np.split(step_s, ends), np.split(steady, ends), strict=True)]
    return [s for s in slices if s.size]


def _steady_epochs(result: RunResult) -> list[np.ndarray]:
    """The seconds per step of each epoch of the idiomatic recipe but the first, as one-element arrays (1,).

    The first epoch holds what a framework traces and compiles. Its steps were not timed one by one, so that share
    cannot be taken out: the whole epoch is left out, also if it is the only one.
    """
    assert result.outcome is not None
    samples = result.outcome.samples
    pairs = zip(samples.epoch_s[1:], samples.epoch_steps[1:], strict=True)
    return [np.array([epoch_s / n_steps]) for epoch_s, n_steps in pairs if n_steps]


def _turns(result: RunResult) -> list[np.ndarray]:
    """The steady step times in seconds, turn by turn, of either recipe."""
    assert result.outcome is not None
    return _steady_epochs(result) if result.outcome.samples.epoch_s else steady_slices(result)


def step_time(result: RunResult) -> StepTime | None:
    """The median over all steady steps, None if there is none; its interval is a percentile bootstrap over turns.

    In the idiomatic recipe an epoch is a turn, known by its mean step.
    Steps within a turn meet the machine in one state and are not independent, turns are nearly so. What differs from
    one launch of a process to the next is not in this interval: a run is one launch.
    """
    if isinstance(result, CondensedResult):
        return None if result.step_median_s is None else StepTime(result.step_median_s, None, None)
    assert result.outcome is not None
    slices = _turns(result)
    if not slices:
        return None
    median_s = float(np.median(np.concatenate(slices)))
    if len(slices) < TURNS_FOR_AN_INTERVAL:
        return StepTime(median_s, None, None)

    turn = np.repeat(np.arange(len(slices)), [len(s) for s in slices])
    step_s = np.concatenate(slices)
    order = np.argsort(step_s)
    in_order, turn_in_order = step_s[order], turn[order]
    # What scipy.stats.bootstrap does, whose import takes longer than all else in a report.
    draws = np.random.default_rng(0).integers(0, len(slices), (N_RESAMPLES, len(slices)))
    counted = [np.bincount(drawn, minlength=len(slices))[turn_in_order] for drawn in draws]
    medians = [_median_of_counted(in_order, counts) for counts in counted]
    low, high = np.percentile(medians, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return StepTime(median_s, float(low), float(high), len(slices))


def median_step_s(result: RunResult) -> float | None:
    """The median of `step_time` alone, in seconds; None if there is none."""
    slices = _turns(result)
    return float(np.median(np.concatenate(slices))) if slices else None


def neighbours_alike(result: RunResult) -> float:
    """The correlation of the median steps of neighbouring turns, 0 to 0.6: 0 if they are independent."""
    medians = np.log([np.median(turn) for turn in _turns(result)])
    around = medians - medians.mean()
    total = float((around**2).sum())
    return min(0.6, max(0.0, float((around[1:] * around[:-1]).sum()) / total)) if total else 0.0


def _median_of_counted(in_order: np.ndarray, counts: np.ndarray) -> float:
    """The median of values, in order, of which each counts as often as `counts` says."""
    until = np.cumsum(counts)
    low, high = np.searchsorted(until, ((until[-1] - 1) // 2, until[-1] // 2), side="right")
    return float(in_order[low] + in_order[high]) / 2
