"""Changes from one bench of inference to another: each way's latency, throughput, start and memory, and whether a
change exceeds the intervals of the two."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from compare.bench.inference import verdicts
from compare.bench.inference.record import InferenceResult
from compare.bench.statistics import Interval

MACHINE = ("cpu", "cores", "system")
SAME = ("model", "dataset", "data_digest", "seed")
Moved = Literal["better", "worse", "within noise", "not known"]
LEAST_CHANGE = 0.02  # for memory, which hardly scatters


@dataclass(frozen=True)
class ServingChange:
    """The change of one way's figure: `ratio` is the second over the first, with its interval if it has one."""

    name: str
    what: str
    moved: Moved
    said: str
    ratio: float
    low: float | None = None
    high: float | None = None


def machines_differ(a: InferenceResult, b: InferenceResult) -> list[str]:
    """Return the machine's properties that differ, in words; none if both ran on one machine."""
    said = []
    for field in MACHINE:
        first, second = (sorted({str(getattr(e, field)) for e in side.environments.values()}) for side in (a, b))
        if first != second:
            said.append(f"{field}: {', '.join(first)} became {', '.join(second)}")
    return said


def settings_changed(a: InferenceResult, b: InferenceResult) -> list[str]:
    """Return every setting and version that differs, and the ways that only one of the two has, in words."""
    said = [
        f"{field.replace('_', ' ')}: {getattr(a, field)} became {getattr(b, field)}"
        for field in SAME
        if getattr(a, field) != getattr(b, field)
    ]
    for name in [name for name in a.names if name in b.names]:
        first, second = (next(one for one in side.served if one.name == name) for side in (a, b))
        for field in ("threads", "waiting", "variables", "files_bytes"):
            one, other = getattr(first, field), getattr(second, field)
            if one != other:
                said.append(f"{name}, {field.replace('_', ' ')}: {one} became {other}")
        versions = [side.environments[name].framework_version for side in (a, b) if name in side.environments]
        if len(set(versions)) > 1:
            said.append(f"{name}, version: {versions[0]} became {versions[1]}")
    said += [f"{name} is only in the first" for name in a.names if name not in b.names]
    return said + [f"{name} is only in the second" for name in b.names if name not in a.names]


def serving_changes(a: InferenceResult, b: InferenceResult) -> list[ServingChange]:
    """Return the change of every figure, for the ways and batch sizes that both have."""
    found = []
    for name in [name for name in a.names if name in b.names]:
        of: dict[str, Callable[[InferenceResult, str], Interval | None]] = {}
        for n in [n for n in a.batch_sizes if n in b.batch_sizes]:
            of[f"p50 at {n}"] = partial(_at, verdicts.latency, n)
            of[f"p99 at {n}"] = partial(_at, verdicts.slow_latency, n)
        of |= {"first answer": verdicts.start, "memory": verdicts.memory}
        for what, figure in of.items():
            before, after = figure(a, name), figure(b, name)
            if before is not None and after is not None:
                found.append(_change(name, what, before, after))
    return found


def _at(
    figure: Callable[[InferenceResult, str, int], Interval | None], n: int, result: InferenceResult, name: str
) -> Interval | None:
    return figure(result, name, n)


def _change(name: str, what: str, before: Interval, after: Interval) -> ServingChange:
    ratio = after.value / before.value
    said = f"{name}, {what}: {ratio:.2f}x"
    spread = _spread(before, after)
    if spread is None:
        return ServingChange(name, what, "not known", f"{said} as much, from too few launches to say more.", ratio)
    least = math.log(1 + LEAST_CHANGE) if what == "memory" else 0.0
    low, high = ratio * math.exp(-max(spread, least)), ratio * math.exp(max(spread, least))
    moved: Moved = "worse" if low > 1 else "better" if high < 1 else "within noise"
    return ServingChange(name, what, moved, f"{said} [{low:.2f}, {high:.2f}] as much: {moved}.", ratio, low, high)


def _spread(before: Interval, after: Interval) -> float | None:
    """Return half the interval of the ratio's logarithm; the two benches are independent."""
    halves = []
    for one in (before, after):
        if one.low is None or one.high is None:
            return None
        halves.append(math.log(one.high / one.low) / 2)
    return math.hypot(*halves)
