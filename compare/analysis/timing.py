"""Step times from the samples of a run."""

from dataclasses import dataclass

import numpy as np

from shared.batches import n_batches
from shared.result import CondensedResult, RunResult

WARMUP_STEPS = 20
CONFIDENCE = 0.95
N_RESAMPLES = 500


@dataclass(frozen=True)
class StepTime:
    """The median time of a steady step in seconds, and its 95 % interval where there are turns enough to resample."""

    median_s: float
    low_s: float | None
    high_s: float | None


def steady_slices(result: RunResult) -> list[np.ndarray]:
    """The step times in seconds of each turn, without warm-up and without the smaller batches that end an epoch.

    The first 20 steps are warm-up, or the first half where a run has fewer than 40.
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


def _epoch_step_time(result: RunResult) -> StepTime:
    """The median over epochs of an epoch's time over its steps, without the first epoch where there are others."""
    assert result.outcome is not None
    samples = result.outcome.samples
    step_s = np.array(samples.epoch_s) / np.array(samples.epoch_steps)
    return StepTime(float(np.median(step_s[1:] if len(step_s) > 1 else step_s)), None, None)


def step_time(result: RunResult) -> StepTime | None:
    """The median over all steady steps, None where there is none; its interval is a percentile bootstrap over turns.

    Steps within a turn meet the machine in one state and are not independent, turns are nearly so. What differs from
    one launch of a process to the next is not in this interval: a run is one launch.
    """
    if isinstance(result, CondensedResult):
        return None if result.step_median_s is None else StepTime(result.step_median_s, None, None)
    assert result.outcome is not None
    if result.outcome.samples.epoch_s:
        return _epoch_step_time(result)
    slices = steady_slices(result)
    if not slices:
        return None
    median_s = float(np.median(np.concatenate(slices)))
    if len(slices) < 5:
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
    return StepTime(median_s, float(low), float(high))


def median_step_s(result: RunResult) -> float | None:
    """The median of `step_time` alone, in seconds; None where there is none."""
    assert result.outcome is not None
    if result.outcome.samples.epoch_s:
        return _epoch_step_time(result).median_s
    slices = steady_slices(result)
    return float(np.median(np.concatenate(slices))) if slices else None


def _median_of_counted(in_order: np.ndarray, counts: np.ndarray) -> float:
    """The median of values, in order, of which each counts as often as `counts` says."""
    until = np.cumsum(counts)
    low, high = np.searchsorted(until, ((until[-1] - 1) // 2, until[-1] // 2), side="right")
    return float(in_order[low] + in_order[high]) / 2
