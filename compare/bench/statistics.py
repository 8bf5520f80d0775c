"""Medians and ratios with intervals, from samples that come launch by launch and round by round.

Rounds of one launch are not independent: timings vary between launches. So launches are resampled first, and rounds
within them second (a hierarchical bootstrap; Davison and Hinkley 1997, section 3.8). There is time for few launches,
which needs two corrections. Without them 95 % intervals hold the truth in as little as 78 % of simulated benches, or
are needlessly wide (docs/decisions.md has the simulation):

- Between launches the bootstrap sees (n - 1) / n of the variance, and knows it from n - 1 differences alone. So
  deviations of launches are widened by sqrt(n / (n - 1)), and all deviations by Student's t over the normal quantile.
- The scatter of launch medians holds the scatter of their rounds, too, which the second stage adds again. It is taken
  out of the first stage.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CONFIDENCE = 0.95
LEAST_FOR_INTERVAL = 3  # of two, Student's t makes an interval that says nothing
LEAST_TO_STOP = 5  # of fewer, an interval is too often narrow by chance, and then that would be the moment to stop
N_RESAMPLES = 2000
KEPT, LEAST_KEPT = 5, 50  # times as many samples as are above a high quantile, and at least so many, are gone through
LEAST_P = 2 / N_RESAMPLES  # nothing smaller can be estimated from so many


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, and the probability of a value at least as far from 1 if the truth is 1. There is
    no interval if there were fewer than three launches."""

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def half_width(self) -> float:
        """Half the interval's width relative to the estimate; infinite if there is none."""
        if self.low is None or self.high is None:
            return float("inf")
        return (self.high - self.low) / 2 / self.value

    def holds(self, value: float) -> bool:
        """Whether `value` is in the interval; whatever is, if there is none."""
        return self.low is None or self.high is None or self.low <= value <= self.high


def median(launches: Sequence[Sequence[float]]) -> Interval:
    """The typical sample: the geometric mean over launches of the median over rounds."""
    return _estimate(tuple(np.log(np.array(rounds)).tobytes() for rounds in launches), N_RESAMPLES)


def ratio(launches: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]) -> Interval:
    """How many times as fast as `baseline` the other is, from step times: the median over rounds of the paired ratio,
    and of launches the geometric mean. Both have the same launches with the same rounds."""
    pairs = zip(launches, baseline, strict=True)
    logs = tuple((np.log(np.array(slow)) - np.log(np.array(fast))).tobytes() for fast, slow in pairs)
    return _estimate(logs, N_RESAMPLES)


def high_quantile(launches: Sequence[Sequence[Sequence[float]]], share: float) -> Interval:
    """Return the geometric mean over launches of a quantile of all samples of a launch. It is the smallest sample that
    a `share` of them (from a half to 1) does not exceed. Samples come round by round, and are resampled so."""
    effects = np.array([np.log(_quantile(rounds, share)) for rounds in launches])
    return _of_effects(effects, lambda place, random: np.log(_resampled_quantiles(launches[place], share, random)))


def _quantile(rounds: Sequence[Sequence[float]], share: float) -> float:
    return float(np.quantile(np.concatenate(rounds), share, method="inverted_cdf"))


def _resampled_quantiles(rounds: Sequence[Sequence[float]], share: float, random: np.random.Generator) -> np.ndarray:
    """The quantile in N_RESAMPLES other launches, which have each round of this one as often as chance has it."""
    samples, sizes = np.concatenate(rounds), np.array([len(one) for one in rounds])
    n_kept = min(len(samples), LEAST_KEPT + int(KEPT * (1 - share) * len(samples)))
    largest = np.argsort(samples)[::-1][:n_kept]  # from the top: no other sample is ever the quantile
    times = random.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), N_RESAMPLES)  # of each round
    from_top = np.cumsum(times[:, np.repeat(np.arange(len(sizes)), sizes)[largest]], axis=1)
    above = (1 - share) * (times @ sizes)
    found: np.ndarray = samples[largest[np.minimum((from_top <= above[:, None]).sum(axis=1), n_kept - 1)]]
    return found


@lru_cache(maxsize=10_000)  # a report needs the same ones in its verdict, its tables and its pictures
def _estimate(launches: tuple[bytes, ...], n_resamples: int) -> Interval:
    """The mean over launches of the median over rounds, of logarithms (float64 in bytes); given as what they are
    logarithms of."""
    logs = [np.frombuffer(rounds) for rounds in launches]
    effects = np.array([np.median(rounds) for rounds in logs])
    return _of_effects(effects, lambda place, random: _resampled_medians(logs[place], random))


def _of_effects(effects: np.ndarray, resampled: Callable[[int, np.random.Generator], np.ndarray]) -> Interval:
    """The mean of `effects` (launches,), which are logarithms, given as what it is a logarithm of. `resampled` gives
    the effect of a launch in N_RESAMPLES others that have its rounds by chance."""
    estimate = float(effects.mean())
    if len(effects) < LEAST_FOR_INTERVAL:
        return Interval(float(np.exp(estimate)))
    drawn = estimate + _deviations(effects, resampled)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    beyond = min(float(np.mean(drawn <= 0)), float(np.mean(drawn >= 0)))
    p = min(1.0, max(2 * beyond, LEAST_P))
    return Interval(float(np.exp(estimate)), float(np.exp(low)), float(np.exp(high)), p)


def _deviations(effects: np.ndarray, resampled: Callable[[int, np.random.Generator], np.ndarray]) -> np.ndarray:
    """How far the mean over launches would be from what it is in each of N_RESAMPLES other benches."""
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
