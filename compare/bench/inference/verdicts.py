"""The results of a bench of inference: latency, throughput, start and memory of each way to serve, with intervals, and
the best way for each."""

import statistics
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from compare.analysis.headline import Headline, stated
from compare.bench.inference.record import CallWindow, InferenceResult
from compare.bench.result import Ending
from compare.bench.statistics import LEAST_FOR_INTERVAL, Interval, high_quantile, median, ratio
from compare.bench.verdicts import some_of
from compare.worker.machine import MUCH_LOAD

LEAST_CALLS = 100  # per launch: with fewer, the 99th percentile is just the slowest call
ENDINGS: dict[Ending, str] = {
    "precise": "It ended because every ratio of latencies is known to {precision:.1%}.",
    "budget": "It ended because most of another launch would exceed its budget of {budget:g} s. Not "
    "every ratio of latencies was known to {precision:.1%}.",
    "interrupted": "It was interrupted.",
    "failed": "It ended because every way to serve failed.",
}


def latency(result: InferenceResult, name: str, batch_size: int) -> Interval | None:
    """Return the median time of a call in seconds; None if it was not measured."""
    launches = [found for one in result.of(name) if (found := _medians(one.at(batch_size)))]
    return median(launches) if launches else None


def slow_latency(result: InferenceResult, name: str, batch_size: int) -> Interval | None:
    """Return the time in seconds that 99 of 100 calls do not exceed; None if a launch has too few calls."""
    launches = [[w.call_us for w in one.at(batch_size)] for one in result.of(name)]
    launches = [rounds for rounds in launches if rounds]
    if not launches or statistics.median(sum(map(len, rounds)) for rounds in launches) < LEAST_CALLS:
        return None
    return _scaled(high_quantile(launches, 0.99), 1e-6)


def throughput(result: InferenceResult, name: str, batch_size: int) -> Interval | None:
    """Return the images answered in a second, one batch after another; None if it was not measured."""
    launches = [[w.images_per_s for w in one.at(batch_size)] for one in result.of(name)]
    launches = [rounds for rounds in launches if rounds]
    return median(launches) if launches else None


def start(result: InferenceResult, name: str) -> Interval | None:
    """Return the seconds from the start of a process to its first answer, over all launches except the first. In that
    one the system's caches are empty and nothing is compiled. None if there is no other launch."""
    later = [[launch.measured[name].start_s] for launch in result.launches[1:] if name in launch.measured]
    return median(later) if later else None


def first_start(result: InferenceResult, name: str) -> float | None:
    """Return the seconds to the first answer in the first launch; None if it was not measured there."""
    first = result.launches[0].measured.get(name) if result.launches else None
    return first.start_s if first else None


def memory(result: InferenceResult, name: str) -> Interval | None:
    """Return the peak memory of a process in bytes; None if it is not known."""
    known = [[float(one.peak_rss_bytes)] for one in result.of(name) if one.peak_rss_bytes]
    return median(known) if known else None


def own_s(result: InferenceResult, name: str, batch_size: int) -> float | None:
    """Return the processor time of an image in seconds; None if it was not measured."""
    windows = [w for one in result.of(name) for w in one.at(batch_size)]
    n_images = sum(batch_size * len(w.call_us) for w in windows)
    return sum(w.own_s for w in windows) / n_images if n_images else None


def speed(result: InferenceResult, name: str, other: str, batch_size: int) -> Interval | None:
    """Return how many times as fast as `other` the calls of a way are: the ratio of median times within a round. None
    if the two were never measured together."""
    both = [launch.measured for launch in result.launches if {name, other} <= set(launch.measured)]
    pairs = [tuple(_medians(one[which].at(batch_size)) for which in (name, other)) for one in both]
    cut = [tuple(times[: min(map(len, pair))] for times in pair) for pair in pairs]  # one may have failed half-way
    if not cut or not all(all(pair) for pair in cut):
        return None
    return ratio([own for own, _ in cut], [others for _, others in cut])


def precise(result: InferenceResult) -> bool:
    """Return whether the ratio of latencies is precise enough for every way and batch size."""
    others = [name for name in result.names if name != result.baseline]
    found = [speed(result, name, result.baseline, n) for name in others for n in result.batch_sizes]
    if not others:
        found = [latency(result, result.baseline, n) for n in result.batch_sizes]
    known = [one for one in found if one]
    return bool(known) and all(one.half_width <= result.precision for one in known)


def headlines(result: InferenceResult) -> list[Headline]:
    """Return the verdict: whether all ways compute the same function, and then the criteria for choosing one. Each
    question gets the best way and those that are not shown to be worse."""
    largest = result.batch_sizes[-1]
    found = [_same_function(result), *(_fastest(result, n, "Lowest latency") for n in result.batch_sizes[:1])]
    if largest > 1:
        found.append(_fastest(result, largest, "Most images a second"))
    found.append(_least(result, start, "Soonest first answer", lambda seconds: f"{seconds:.1f} s"))
    found.append(_least(result, memory, "Least memory", lambda n_bytes: f"{n_bytes / 2**20:,.0f} MiB"))
    return [line for line in found if line is not None]


def verdicts(result: InferenceResult) -> list[str]:
    """Return the verdict in sentences."""
    return [line.sentence for line in headlines(result)]


def _same_function(result: InferenceResult) -> Headline:
    failed = sorted({name for launch in result.launches for name in launch.failed})
    distances = [one.distance for name in result.names for one in result.of(name)]
    if failed or not distances:
        return stated("Same function", f"not known of {' and '.join(failed) or 'any way'}, which failed", False)
    said = f"yes, to {max(distances):.0e} of the largest output in every launch; {result.bound:.0e} is allowed"
    return stated("Same function", said, True)


def _fastest(result: InferenceResult, batch_size: int, question: str) -> Headline | None:
    times = {name: found for name in result.names if (found := latency(result, name, batch_size))}
    if not times:
        return None
    best = min(times, key=lambda name: times[name].value)
    alike = [
        name
        for name in times
        if name != best and (found := speed(result, best, name, batch_size)) and found.low is not None
        if found.holds(1.0)
    ]
    rate = throughput(result, best, batch_size)
    said = f"{best}, {_milliseconds(times[best])} a call"
    if rate and batch_size > 1:
        said += f", {rate.value:,.0f} images/s"
    if best != result.baseline and (against := speed(result, best, result.baseline, batch_size)):
        said += f", {against.value:.2f}x{_bounds(against)} as fast as {result.baseline}"
    known = _known(result, times, alike)
    settled = not alike and len(result.launches) >= LEAST_FOR_INTERVAL
    return stated(f"{question} in batches of {batch_size}", f"{said}. {known}".rstrip(), settled)


def _known(result: InferenceResult, times: dict[str, Interval], alike: list[str]) -> str:
    if len(result.launches) < LEAST_FOR_INTERVAL:
        return f"An interval needs {LEAST_FOR_INTERVAL} launches: give a larger --budget."
    if alike:
        return f"Not shown to differ from {', '.join(alike)}."
    return "All others are slower." if len(times) > 1 else ""


def _least(
    result: InferenceResult,
    of: Callable[[InferenceResult, str], Interval | None],
    question: str,
    shown: Callable[[float], str],
) -> Headline | None:
    found = {name: one for name in result.names if (one := of(result, name))}
    if not found:
        return None
    best = min(found, key=lambda name: found[name].value)
    alike = [
        name
        for name, one in found.items()
        if name != best and one.low is not None and one.low <= (found[best].high or found[best].value)
    ]
    also = f" Not shown to differ from {', '.join(alike)}." if alike else ""
    settled = not alike and found[best].low is not None
    return stated(question, f"{best}, {shown(found[best].value)}.{also}", settled)


def why_not_measured(result: InferenceResult, name: str) -> str | None:
    """Return why there are no figures of a way to serve; None if there are some."""
    if any(one.windows for one in result.of(name)):
        return None
    said = [launch.failed[name] for launch in result.launches if name in launch.failed]
    return f"failed: {said[-1]}" if said else "not measured"


def warnings(result: InferenceResult) -> list[str]:
    """Return what a reader must know before believing the figures."""
    said = []
    loaded = {name: share for name in result.names if (share := foreign_load(result, name)) > MUCH_LOAD}
    if loaded:
        said.append(
            f"Foreign load: while {some_of(loaded)} worked, other processes took up to {max(loaded.values()):.0%} of "
            "a core. These figures are of a busy machine."
        )
    for name in result.names:
        if not all(one.warm for one in result.of(name)):
            said.append(f"{name} was still getting faster at the end of its warm-up in at least one launch.")
    for launch in result.launches:
        said += [f"{name} failed in launch {launch.number + 1}: {error}." for name, error in launch.failed.items()]
    return said


def foreign_load(result: InferenceResult, name: str) -> float:
    """Return the share of a core that other processes took in the windows of one way; 0 if it is not reported."""
    windows = [w for one in result.of(name) for w in one.windows if w.foreign_s is not None]
    elapsed_s = sum(w.elapsed_s for w in windows)
    return max(0.0, sum(w.foreign_s for w in windows if w.foreign_s is not None) / elapsed_s) if windows else 0.0


def why_ended(result: InferenceResult) -> str:
    """Return why there were no more launches."""
    n = len(result.launches)
    return f"{n} launch{'es' * (n != 1)}, {result.took_s:.0f} s. " + ENDINGS[result.ending].format(
        precision=result.precision, budget=result.budget_s
    )


def _medians(windows: Sequence[CallWindow]) -> tuple[float, ...]:
    """Return the median time of a call in each window, in seconds."""
    return tuple(_median(w.call_us) * 1e-6 for w in windows)


@cache
def _median(call_us: tuple[float, ...]) -> float:
    return float(np.median(call_us))


def _scaled(found: Interval, factor: float) -> Interval:
    low, high = (None if end is None else end * factor for end in (found.low, found.high))
    return Interval(found.value * factor, low, high, found.p)


def _milliseconds(time: Interval) -> str:
    return f"{time.value * 1e3:.3g} ms"


def _bounds(found: Interval) -> str:
    return "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
