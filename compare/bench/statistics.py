"""Medians and ratios with intervals, from samples that come launch by launch and round by round.

Rounds of one launch are not independent, because timings vary between launches. Therefore launches are resampled first,
and rounds within them second (a hierarchical bootstrap; Davison and Hinkley 1997, section 3.8). Few launches fit into a
bench, which needs two corrections. Without them 95 % intervals contain the truth in as little as 78 % of simulated
benches, or are needlessly wide (docs/decisions.md has the simulation):

- Between launches the bootstrap sees (n - 1) / n of the variance, and estimates it from only n - 1 differences.
  Deviations of launches are therefore widened by sqrt(n / (n - 1)), and all deviations by Student's t over the normal
  quantile.
- The scatter of launch medians includes the scatter of their rounds, which the second stage adds again. It is
  subtracted from the first stage.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CONFIDENCE = 0.95
LEAST_FOR_INTERVAL = 3  # with two, Student's t makes an interval useless
LEAST_TO_STOP = 5  # with fewer, an interval is too often narrow by chance, which would then end the bench
N_RESAMPLES = 2000
KEPT, LEAST_KEPT = 5, 50  # search so many times the samples above a high quantile, and at least LEAST_KEPT
LEAST_P = 2 / N_RESAMPLES  # the smallest p that so many resamples can estimate


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, and `p`, the probability of a value at least as far from 1 if the truth is 1.
    There is no interval if there were fewer than three launches."""

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def half_width(self) -> float:
        """Half the interval's width relative to the estimate; infinite if there is no interval."""
        if self.low is None or self.high is None:
            return float("inf")
        return (self.high - self.low) / 2 / self.value

    def holds(self, value: float) -> bool:
        """Whether `value` is in the interval; True if there is no interval."""
        return self.low is None or self.high is None or self.low <= value <= self.high


def median(launches: Sequence[Sequence[float]]) -> Interval:
    """Return the typical sample: the geometric mean over launches of the median over rounds."""
    return _estimate(tuple(np.log(np.array(rounds)).tobytes() for rounds in launches), N_RESAMPLES)


def ratio(launches: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]) -> Interval:
    """Return how many times as fast as `baseline` the other is, from step times. It is the geometric mean over launches
    of the median over rounds of the paired ratio. Both have the same launches with the same rounds."""
    pairs = zip(launches, baseline, strict=True)
    logs = tuple((np.log(np.array(slow)) - np.log(np.array(fast))).tobytes() for fast, slow in pairs)
    return _estimate(logs, N_RESAMPLES)


def high_quantile(launches: Sequence[Sequence[Sequence[float]]], share: float) -> Interval:
    """Return the geometric mean over launches of a quantile of all samples of a launch. It is the smallest sample that
    a `share` of them (from a half to 1) does not exceed. Samples are grouped by round, and resampled by round."""
    effects = np.array([np.log(_quantile(rounds, share)) for rounds in launches])
    return _of_effects(effects, lambda place, random: np.log(_resampled_quantiles(launches[place], share, random)))


def _quantile(rounds: Sequence[Sequence[float]], share: float) -> float:
    return float(np.quantile(np.concatenate(rounds), share, method="inverted_cdf"))


def _resampled_quantiles(rounds: Sequence[Sequence[float]], share: float, random: np.random.Generator) -> np.ndarray:
    """Return the quantile in N_RESAMPLES other launches, each with this one's rounds drawn with replacement."""
    samples, sizes = np.concatenate(rounds), np.array([len(one) for one in rounds])
    n_kept = min(len(samples), LEAST_KEPT + int(KEPT * (1 - share) * len(samples)))
    largest = np.argsort(samples)[::-1][:n_kept]  # the largest samples: no other one can be the quantile
    times = random.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), N_RESAMPLES)  # draws of each round
    from_top = np.cumsum(times[:, np.repeat(np.arange(len(sizes)), sizes)[largest]], axis=1)
    above = (1 - share) * (times @ sizes)
    found: np.ndarray = samples[largest[np.minimum((from_top <= above[:, None]).sum(axis=1), n_kept - 1)]]
    return found


@lru_cache(maxsize=10_000)  # a report needs the same intervals in its verdict, tables and pictures
def _estimate(launches: tuple[bytes, ...], n_resamples: int) -> Interval:
    """Return the mean over launches of the median over rounds. `launches` are logarithms (float64 in bytes); the result
    is on the original scale."""
    logs = [np.frombuffer(rounds) for rounds in launches]
    effects = np.array([np.median(rounds) for rounds in logs])
    return _of_effects(effects, lambda place, random: _resampled_medians(logs[place], random))


def _of_effects(effects: np.ndarray, resampled: Callable[[int, np.random.Generator], np.ndarray]) -> Interval:
    """Return the mean of `effects` (launches,), which are logarithms, on the original scale. `resampled` returns the
    effect of a launch in N_RESAMPLES others with rounds drawn from it."""
    estimate = float(effects.mean())
    if len(effects) < LEAST_FOR_INTERVAL:
        return Interval(float(np.exp(estimate)))
    drawn = estimate + _deviations(effects, resampled)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    beyond = min(float(np.mean(drawn <= 0)), float(np.mean(drawn >= 0)))
    p = min(1.0, max(2 * beyond, LEAST_P))
    return Interval(float(np.exp(estimate)), float(np.exp(low)), float(np.exp(high)), p)


def _deviations(effects: np.ndarray, resampled: Callable[[int, np.random.Generator], np.ndarray]) -> np.ndarray:
    """Return the deviations of the mean over launches in each of N_RESAMPLES other benches."""
    from scipy.special import ndtri, stdtrit

    random = np.random.default_rng(0)
    n = len(effects)
    of_rounds = np.array([resampled(place, random) for place in range(n)]) - effects[:, None]
    total, within = effects.var(ddof=1), of_rounds.var(axis=1).mean()
    between = np.sqrt(max(0.0, 1 - within / total)) if total > 0 else 0.0
    quantile = (1 + CONFIDENCE) / 2
    of_launches = (effects - effects.mean()) * between * np.sqrt(n / (n - 1))
    first = random.integers(0, n, (N_RESAMPLES, n))
    second = random.integers(0, N_RESAMPLES, (N_RESAMPLES, n))
    widened = float(stdtrit(n - 1, quantile) / ndtri(quantile))
    deviations: np.ndarray = (of_launches[first] + of_rounds[first, second]).mean(axis=1) * widened
    return deviations


def _resampled_medians(rounds: np.ndarray, random: np.random.Generator) -> np.ndarray:
    medians: np.ndarray = np.median(rounds[random.integers(0, len(rounds), (N_RESAMPLES, len(rounds)))], axis=1)
    return medians
