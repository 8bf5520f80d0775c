"""Step times from the samples of a run."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from shared.batches import n_batches
from shared.result import CondensedResult, RunResult

WARMUP_STEPS = 20
CONFIDENCE = 0.95
TURNS_FOR_AN_INTERVAL = 5
N_RESAMPLES = 500
MOST_COUNTS = 1_000_000  # draws that are counted at once: 8 MB


@dataclass(frozen=True)
class StepTime:
    """The median time of a steady step in seconds, and its 95 % interval if there are enough turns to resample.

    `n_turns` is the number of turns (in the idiomatic recipe: epochs) that are resampled, 0 if there is no interval.
    """

    median_s: float
    low_s: float | None
    high_s: float | None
    n_turns: int = 0


def steady_slices(result: RunResult) -> list[np.ndarray]:
    """Return the step times in seconds of each turn, without warm-up and the smaller batches at the end of an epoch.

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
    """Return the seconds per step of each epoch of the idiomatic recipe except the first, as arrays (1,).

    The first epoch includes tracing and compiling. Its steps were not timed one by one, and that share cannot be
    subtracted. The whole epoch is therefore left out, even if it is the only one.
    """
    assert result.outcome is not None
    samples = result.outcome.samples
    pairs = zip(samples.epoch_s[1:], samples.epoch_steps[1:], strict=True)
    return [np.array([epoch_s / n_steps]) for epoch_s, n_steps in pairs if n_steps]


def _turns(result: RunResult) -> list[np.ndarray]:
    """Return the steady step times in seconds, turn by turn, of either recipe."""
    assert result.outcome is not None
    return _steady_epochs(result) if result.outcome.samples.epoch_s else steady_slices(result)


def step_time(result: RunResult) -> StepTime | None:
    """Return the median over all steady steps; None if there is none. The interval is a percentile bootstrap over
    turns.

    In the idiomatic recipe an epoch is a turn, represented by its mean step.
    Steps within a turn meet one state of the machine and are not independent; turns nearly are. A run is one launch:
    the interval does not include differences between launches of a process.
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

    step_s = np.concatenate(slices)
    low, high = _interval(step_s.dtype.str, step_s.tobytes(), tuple(map(len, slices)))
    return StepTime(median_s, low, high, len(slices))


@lru_cache(maxsize=10_000)  # a report needs the same intervals in its verdict, tables and pictures
def _interval(dtype: str, step_s: bytes, sizes: tuple[int, ...]) -> tuple[float, float]:
    """Return the interval of the median of step times: an array of `dtype`, in bytes, with turns of these sizes."""
    steps, turn = np.frombuffer(step_s, dtype), np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(steps)
    in_order, turn_in_order = steps[order], turn[order]
    # The same as scipy.stats.bootstrap, whose import takes longer than the rest of a report.
    draws = np.random.default_rng(0).integers(0, len(sizes), (N_RESAMPLES, len(sizes)))
    n_at_once = max(1, MOST_COUNTS // len(steps))
    medians = np.concatenate(
        [
            _medians_of_counted(in_order, _times_drawn(draws[first : first + n_at_once])[:, turn_in_order])
            for first in range(0, N_RESAMPLES, n_at_once)
        ]
    )
    low, high = np.percentile(medians, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return float(low), float(high)


def median_step_s(result: RunResult) -> float | None:
    """Return the median of `step_time` alone, in seconds; None if there is none."""
    slices = _turns(result)
    return float(np.median(np.concatenate(slices))) if slices else None


def neighbours_alike(result: RunResult) -> float:
    """Return the correlation of the median steps of neighbouring turns, 0 to 0.6: 0 if they are independent."""
    medians = np.log([np.median(turn) for turn in _turns(result)])
    around = medians - medians.mean()
    total = float((around**2).sum())
    return min(0.6, max(0.0, float((around[1:] * around[:-1]).sum()) / total)) if total else 0.0


def _times_drawn(draws: np.ndarray) -> np.ndarray:
    """Return how often each of n turns is drawn, (draws, n); `draws` (draws, n) are numbers of turns."""
    n_draws, n = draws.shape
    places = draws + n * np.arange(n_draws)[:, None]
    return np.bincount(places.ravel(), minlength=n_draws * n).reshape(n_draws, n)


def _medians_of_counted(in_order: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the medians (draws,) of sorted values (n,), each counted as often as a row of `counts` (draws, n) says."""
    until = np.cumsum(counts, axis=1)
    low, high = (until[:, -1:] - 1) // 2, until[:, -1:] // 2
    values = [in_order[(until <= place).sum(axis=1)].astype(float) for place in (low, high)]
    medians: np.ndarray = (values[0] + values[1]) / 2
    return medians
