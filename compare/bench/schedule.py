"""How many launches: until every ratio is known well enough, or the time is up."""

import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from compare.bench.result import BenchResult, Ending
from compare.bench.statistics import LEAST_FOR_INTERVAL, LEAST_TO_STOP
from compare.bench.verdicts import ratio_to_baseline


class Launched(Protocol):
    """A launch that is over."""

    @property
    def started_s(self) -> float: ...
    @property
    def measured(self) -> Mapping[str, Any]: ...


class Launches(Protocol):
    """What makes launches, one after another."""

    environments: Any

    def launch(self, number: int) -> Any:
        """Start all, and time them."""

    def clock(self) -> float:
        """Seconds since the first launch began."""


class Repeated(Protocol):
    """A record of launches so far."""

    @property
    def launches(self) -> Sequence[Any]: ...
    @property
    def took_s(self) -> float: ...
    @property
    def budget_s(self) -> float: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Any:
        """The record with other fields."""


Found = TypeVar("Found", bound=Repeated)
Enough = Callable[[Found], bool]


def precise(result: BenchResult) -> bool:
    """Whether the interval of every ratio that can be made is narrow enough."""
    others = [c.name for c in result.contestants if c.name != result.baseline]
    ratios = [found for found in (ratio_to_baseline(result, name) for name in others) if found]
    return bool(ratios) and all(found.half_width <= result.precision for found in ratios)


def ended(result: Found, enough: Enough[Found], until_known: bool = False) -> Ending | None:
    """Whether it is enough, and why; None if another launch is due. `until_known`: below as many launches as an
    interval needs, another one always is."""
    if not result.launches[-1].measured:
        return "failed"
    if len(result.launches) >= LEAST_TO_STOP and enough(result):
        return "precise"
    if until_known and len(result.launches) < LEAST_FOR_INTERVAL:
        return None
    begins = [*(launch.started_s for launch in result.launches), result.took_s]
    usual_s = statistics.median(b - a for a, b in itertools.pairwise(begins[1:])) if len(begins) > 2 else begins[1]
    # Most of another launch would be beyond it; but without that one there might be no interval at all.
    beyond_s = usual_s / 2 if len(result.launches) >= LEAST_FOR_INTERVAL else 0.0
    return "budget" if result.took_s + beyond_s >= result.budget_s else None


def repeat(result: Found, launcher: Launches, enough: Enough[Found], until_known: bool = False) -> Iterator[Found]:
    """Launch again and again until it is enough; give the result so far after each launch. `enough` says whether the
    intervals are narrow enough; `until_known` is as for `ended`."""
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
