"""Decide on the number of launches: until every ratio is precise enough, or the budget is spent."""

import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from compare.bench.result import BenchResult, Ending
from compare.bench.statistics import LEAST_FOR_INTERVAL, LEAST_TO_STOP
from compare.bench.verdicts import ratio_to_baseline


class Launched(Protocol):
    """A completed launch."""

    @property
    def started_s(self) -> float: ...
    @property
    def measured(self) -> Mapping[str, Any]: ...


class Launches(Protocol):
    """An object that makes launches, one after another."""

    environments: Any

    def launch(self, number: int) -> Any:
        """Start all contestants, and time them."""

    def clock(self) -> float:
        """Return the seconds since the first launch began."""


class Repeated(Protocol):
    """A record of launches so far."""

    @property
    def launches(self) -> Sequence[Any]: ...
    @property
    def took_s(self) -> float: ...
    @property
    def budget_s(self) -> float: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Any:
        """Return the record with other fields."""


Found = TypeVar("Found", bound=Repeated)
Enough = Callable[[Found], bool]


def precise(result: BenchResult) -> bool:
    """Whether the interval of every available ratio is narrow enough."""
    others = [c.name for c in result.contestants if c.name != result.baseline]
    ratios = [found for found in (ratio_to_baseline(result, name) for name in others) if found]
    return bool(ratios) and all(found.half_width <= result.precision for found in ratios)


def ended(result: Found, enough: Enough[Found], until_known: bool = False) -> Ending | None:
    """Return why launches end; None if another one is due. With `until_known`, another one is due as long as there are
    too few for an interval."""
    if not result.launches[-1].measured:
        return "failed"
    if len(result.launches) >= LEAST_TO_STOP and enough(result):
        return "precise"
    if until_known and len(result.launches) < LEAST_FOR_INTERVAL:
        return None
    begins = [*(launch.started_s for launch in result.launches), result.took_s]
    usual_s = statistics.median(b - a for a, b in itertools.pairwise(begins[1:])) if len(begins) > 2 else begins[1]
    # Most of another launch would exceed the budget. But without it there might be no interval at all.
    beyond_s = usual_s / 2 if len(result.launches) >= LEAST_FOR_INTERVAL else 0.0
    return "budget" if result.took_s + beyond_s >= result.budget_s else None


def repeat(result: Found, launcher: Launches, enough: Enough[Found], until_known: bool = False) -> Iterator[Found]:
    """Launch until `enough` says that intervals are narrow enough or the budget is spent. Yield the result so far after
    each launch. `until_known` is as for `ended`."""
    ending: Ending | None = None
    while ending is None:
        done = launcher.launch(len(result.launches))
        result = result.model_copy(
            update={
                "launches": (*result.launches, done),
                "took_s": launcher.clock(),
                "environments": launcher.environments,
            }
        )
        ending = ended(result, enough, until_known)
        result = result.model_copy(update={"ending": ending or "interrupted"})
        yield result
