"""Paired differences: decide whether two things are equivalent, different, or measured too rarely to decide.

A difference is measured once for each seed, both sides starting from the same weights and seeing the same batches. The
mean over seeds has an interval by Student's t. There are two verdicts, or none yet:

- *equivalent*: the 95 % interval lies inside (-margin, margin). That is two one-sided tests (Schuirmann 1987), each at
  2.5 %.
- *different*: a t-test rejects 0 at 1 %, and the interval is not inside the margin. This is stricter than usual,
  because a study compares several pairs, and "different" is the verdict that gets quoted.
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
    """The results of n paired differences. A single one has no interval and no test; everything after `mean` is None.

    `deviation` is the standard deviation over seeds. `p` is from the test that the mean is 0, and `p_equivalent` is the
    larger one from the two one-sided tests against the margin.
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
        """The smallest difference that 80 % of studies with as many seeds and this scatter would show."""
        return None if self.deviation is None else _detectable(self.n) * self.deviation

    @property
    def enough(self) -> int | None:
        """The number of seeds that shows two equals with this scatter to be equivalent in 80 % of studies; None if it
        exceeds 10,000."""
        return None if self.deviation is None else _enough(self.margin / self.deviation)

    @property
    def verdict(self) -> Verdict:
        """Equivalent, different, or too few differences to decide."""
        if self.low is None or self.high is None or self.p is None:
            return "too few"
        if -self.margin < self.low and self.high < self.margin:
            return "equivalent"
        return "different" if self.p < SIGNIFICANCE else "too few"


def paired(differences: Sequence[float], margin: float, resolution: float) -> Paired:
    """Test `differences` for equivalence within `margin`; all three arguments are in one unit.

    `resolution` is the step in which the two values can differ (one test image). The scatter is taken to be at least
    what rounding to it causes: five differences of exactly 0 do not make the sixth certain.
    """
    from scipy.special import stdtr, stdtrit  # the basis of scipy.stats.t, a hundred times as quick

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
    """Return the difference, in standard deviations, that a t-test of n at SIGNIFICANCE rejects with power POWER."""
    from scipy.special import nctdtrinc, stdtrit

    critical = stdtrit(n - 1, 1 - SIGNIFICANCE / 2)
    return float(nctdtrinc(n - 1, 1 - POWER, critical)) / math.sqrt(n)


def _enough(margin: float) -> int | None:
    """Return the fewest seeds that show two equals to be equivalent with probability POWER; the margin is in standard
    deviations."""
    if _power(MOST_SEEDS, margin) < POWER:
        return None
    return bisect_left(range(MOST_SEEDS), POWER, lo=2, key=lambda n: _power(n, margin))


def _power(n: int, margin: float) -> float:
    """Return the probability that n differences of two equals have an interval inside the margin. It is the mean over
    the possible deviations of n differences, each of which leaves the mean some room."""
    from scipy.special import gammaincinv, ndtr, stdtrit

    evenly = (np.arange(200) + 0.5) / 200
    deviations = np.sqrt(2 * gammaincinv((n - 1) / 2, evenly) / (n - 1))  # from the chi-squared distribution
    half = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * deviations / math.sqrt(n)
    room = np.maximum(margin - half, 0.0)
    return float(np.mean(2 * ndtr(room * math.sqrt(n)) - 1))
