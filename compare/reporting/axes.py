"""The axes of a chart: where values are drawn, and where the ticks are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TICKS = 7
DECADES_OF_ONES = 3  # over more decades only powers of ten have a tick


def value_text(value: float) -> str:
    """Return a value as text, with four significant digits."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high` in the data's unit, drawn from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, log: bool, room: float) -> "Axis":
        """Return the axis for `values` (all positive if `log`); `room` is the share of it left free at both ends."""
        low, high = (min(values), max(values)) if values else (1.0, 10.0) if log else (0.0, 1.0)
        if log:
            low, high = math.log10(low), math.log10(high)
        if low == high:
            low, high = low - 0.5, high + 0.5
        margin = (high - low) * room
        low, high = low - margin, high + margin
        return cls(10**low, 10**high, start, end, True) if log else cls(low, high, start, end)

    def __call__(self, value: float) -> float:
        """Return where `value` is drawn."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, whole: bool = False) -> list[tuple[float, str]]:
        """Return round values with their text, at most about MOST_TICKS; with `whole`, only whole numbers."""
        if self.log and (found := self._decades()):
            return [(value, value_text(value)) for value in found]
        step = _round_step((self.high - self.low) / MOST_TICKS)
        step = max(1, round(step)) if whole else step
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(number * step, value_text(_clean(number * step, step))) for number in range(first, last + 1)]

    def _decades(self) -> list[float]:
        """Return 1, 2 and 5 of each decade, or powers of ten alone; none if fewer than two are on the axis."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        factors = (1, 2, 5) if last - first <= DECADES_OF_ONES else (1,)
        every = max(1, math.ceil((last - first) / MOST_TICKS)) if len(factors) == 1 else 1
        found = [factor * 10.0**power for power in range(first, last + 1, every) for factor in factors]
        inside = [value for value in found if self.low <= value <= self.high]
        return inside if len(inside) > 1 else []


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


def _clean(value: float, step: float) -> float:
    """Remove the rounding of a multiplication: 0.30000000000000004 becomes 0.3."""
    return round(value, max(0, 1 - math.floor(math.log10(step)))) + 0.0
