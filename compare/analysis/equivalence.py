"""Paired differences: whether two things are equivalent, different, or not measured often enough to say.

A difference is measured once for each seed, both sides starting from the same weights and seeing the same batches. The
mean over seeds has an interval by Student's t. Two verdicts are possible, and a third that there is none yet:

- *equivalent*: the 95 % interval lies inside (-margin, margin). That is two one-sided tests (Schuirmann 1987), each at
  2.5 %.
- *different*: a t-test rejects 0 at 1 %, and the interval does not lie inside the margin. Stricter than usual, since a
  study compares several pairs, and "different" is what gets quoted.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
SIGNIFICANCE = 0.01
POWER = 0.8
MOST_SEEDS = 10_000

Verdict = Literal["equivalent", "different", "too few"]


@dataclass(frozen=True)
class Paired:
    """What n paired differences say. Of a single one there is no interval and no test, and all but `mean` is None.

    `deviation` is the standard deviation over seeds, `p` of the test that the mean is 0, `p_equivalent` the larger one
    of the two one-sided tests against the margin.
    """

    n: int
    margin: float
    mean: float
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_equivalent: float | None = None

    @property
    def detectable(self) -> float | None:
        """The smallest difference that so many seeds of such a scatter show in 80 % of studies."""
        return None if self.deviation is None else _detectable(self.n) * self.deviation

    @property
    def enough(self) -> int | None:
        """How many seeds show two equals of such a scatter to be equivalent in 80 % of studies; None if more than
        10,000 would."""
        return None if self.deviation is None else _enough(self.margin / self.deviation)

    @property
    def verdict(self) -> Verdict:
        """Equivalent, different, or too few to say."""
        if self.low is None or self.high is None or self.p is None:
            return "too few"
        if -self.margin < self.low and self.high < self.margin:
            return "equivalent"
        return "different" if self.p < SIGNIFICANCE else "too few"


def paired(differences: Sequence[float], margin: float, resolution: float) -> Paired:
    """What `differences` say about equivalence within `margin`; all three in one unit.

    `resolution` is the step in which the two values can differ (one test image). A scatter smaller than the rounding
    to it explains is not believed: five differences of exactly 0 do not make the sixth certain.
    """
    from scipy.special import stdtr, stdtrit  # what scipy.stats.t is made of, a hundred times as quick

    values = np.asarray(differences, np.float64)
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Paired(n, margin, mean)
    deviation = max(float(np.std(values, ddof=1)), resolution / math.sqrt(12))
    error = deviation / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * error
    return Paired(
        n=n,
        margin=margin,
        mean=mean,
        deviation=deviation,
        low=mean - half,
        high=mean + half,
        p=float(2 * stdtr(n - 1, -abs(mean) / error)),
        p_equivalent=float(stdtr(n - 1, (abs(mean) - margin) / error)),
    )


@cache
def _detectable(n: int) -> float:
    """The difference, in standard deviations, that a t-test of n at SIGNIFICANCE rejects with the probability POWER."""
    from scipy.special import nctdtrinc, stdtrit

    critical = stdtrit(n - 1, 1 - SIGNIFICANCE / 2)
    return float(nctdtrinc(n - 1, 1 - POWER, critical)) / math.sqrt(n)


def _enough(margin: float) -> int | None:
    """The fewest seeds that show two equals to be equivalent with the probability POWER; the margin is in standard
    deviations."""
    if _power(MOST_SEEDS, margin) < POWER:
        return None
    return bisect_left(range(MOST_SEEDS), POWER, lo=2, key=lambda n: _power(n, margin))


def _power(n: int, margin: float) -> float:
    """How probable it is that n differences of two equals have an interval inside the margin. It is the mean over the
    deviations that n differences may have; each leaves the mean some room."""
    from scipy.special import gammaincinv, ndtr, stdtrit

    evenly = (np.arange(200) + 0.5) / 200
    deviations = np.sqrt(2 * gammaincinv((n - 1) / 2, evenly) / (n - 1))  # of the chi-squared distribution
    half = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * deviations / math.sqrt(n)
    room = np.maximum(margin - half, 0.0)
    return float(np.mean(2 * ndtr(room * math.sqrt(n)) - 1))
