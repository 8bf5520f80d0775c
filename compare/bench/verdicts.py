"""The results of a bench in sentences."""

import math
from collections.abc import Collection
from statistics import geometric_mean

from compare.analysis.headline import NOT_CHECKED_BY_BENCH, Headline, stated
from compare.bench.result import BenchResult, Contestant, Launch
from compare.bench.statistics import LEAST_FOR_INTERVAL, Interval, median, ratio
from compare.rpc.messages import Timed
from compare.worker.machine import MUCH_LOAD

NOT_WAITED = 0.05
MOST_NAMED = 3  # names listed in a sentence


def ratio_to_baseline(result: BenchResult, name: str) -> Interval | None:
    """Return how many times as fast as the baseline `name` is; None if the two were never measured together."""
    return ratio_between(result, name, result.baseline)


def ratio_between(result: BenchResult, name: str, other: str, what: Timed = "end_to_end") -> Interval | None:
    """Return how many times as fast as `other` a contestant is; None if the two were never measured together."""
    both = [launch for launch in result.launches if {name, other} <= set(launch.measured)]
    pairs = [(launch.measured[name].step_s(what), launch.measured[other].step_s(what)) for launch in both]
    cut = [tuple(times[: min(map(len, pair))] for times in pair) for pair in pairs]  # one may have failed half-way
    if not all(all(pair) for pair in cut) or not cut:
        return None
    return ratio([own for own, _ in cut], [of_baseline for _, of_baseline in cut])


def step_time(result: BenchResult, name: str, what: Timed = "end_to_end") -> Interval | None:
    """Return the time of a steady step in seconds; None if it was not measured."""
    samples = [rounds for rounds in result.samples(name, what) if rounds]
    return median(samples) if samples else None


def say(result: BenchResult, name: str) -> str:
    """Return the verdict on one contestant against the baseline."""
    found = ratio_to_baseline(result, name)
    n = sum(name in one.measured and result.baseline in one.measured for one in result.launches)
    return in_words(found, name, result.baseline, n)


def headlines(result: BenchResult) -> list[Headline]:
    """Return the verdict: how fast each contestant is against the baseline. No bench checks that they are the same
    function, and the first line says so."""
    others = [name for name in names(result) if name != result.baseline]
    if not others:
        alone = step_time(result, result.baseline)
        said = "was not measured" if alone is None else f"takes {alone.value * 1e3:.2f} ms a step"
        return [stated("Speed", f"{result.baseline} {said}", alone is not None)]
    unchecked = Headline("Same function", NOT_CHECKED_BY_BENCH, "open")
    settled = {name: is_settled(ratio_to_baseline(result, name)) for name in others}
    return [unchecked, *(stated("Speed", say(result, name), settled[name]) for name in others)]


def is_settled(found: Interval | None) -> bool:
    """Whether a ratio settles which of two is the faster: it is known, and its interval excludes 1."""
    return found is not None and found.low is not None and not found.holds(1.0)


def in_words(found: Interval | None, name: str, baseline: str, n: int, where: str = "") -> str:
    """Return the verdict on how many times as fast as `baseline` `name` is, from `n` launches; `where`: in what."""
    if found is None:
        return f"{name} was not measured together with {baseline}{where}."
    if found.low is None or found.high is None:
        return (
            f"{name} was {found.value:.2f}x as fast as {baseline}{where} in {n} launch{'es' * (n > 1)}: too few to "
            f"say, since an interval needs {LEAST_FOR_INTERVAL}. Give a larger --budget."
        )
    interval = f"[{found.low:.2f}, {found.high:.2f}]"
    if found.holds(1.0):
        return f"No difference shown between {name} and {baseline}{where}: {found.value:.2f}x {interval}."
    return f"{name} is {found.value:.2f}x {interval} as fast as {baseline}{where}."


def budget_warning(launch_s: float, needs: int, budget_s: float, until_known: bool = False) -> str | None:
    """Return a warning if the budget is too short for as many launches as the result needs; None if it is not.
    `until_known`: they are made nevertheless."""
    if launch_s * needs <= budget_s:
        return None
    if until_known:
        return (
            f"A launch takes about {launch_s:.0f} s, and an interval needs {needs} launches: this bench takes about "
            f"{launch_s * needs:.0f} s. --budget S ends it earlier, without intervals."
        )
    return (
        f"Warning: a launch takes about {launch_s:.0f} s, and an interval needs {needs} launches. In {budget_s:g} s "
        f"there will be none: give --budget {math.ceil(launch_s * (needs + 1))} or more."
    )


def break_evens(result: BenchResult) -> list[str]:
    """Return, for every implementation timed both eagerly and compiled, after how many steps compiling pays off."""
    return [
        _say_break_even(result, compiled, plain)
        for plain in result.contestants
        for compiled in result.contestants
        if plain.mode == "eager" != compiled.mode and compiled.implementation == plain.implementation
    ]


def _say_break_even(result: BenchResult, compiled: Contestant, plain: Contestant) -> str:
    found = ratio_between(result, compiled.name, plain.name, "compute")
    steps = break_even(result, compiled, plain)
    if found is None or steps is None:
        return f"{compiled.name} and {plain.name} were not measured together: their break-even is unknown."
    if found.low is None or found.holds(1.0) or found.value < 1 or math.isinf(steps):
        return f"{compiled.name} never pays off against {plain.name}: its steps are not shown to be faster."
    return f"{compiled.name} pays off against {plain.name} after about {steps:,} steps, its first one included."


def break_even(result: BenchResult, compiled: Contestant, plain: Contestant) -> float | None:
    """Return the number of steps after which compiling pays off: the compiled contestant, first step included, is then
    ahead of the plain one. It is infinite if compiled steps are not faster, and None if one was not measured."""
    own, other = (step_time(result, c.name, "compute") for c in (compiled, plain))
    own_first_s, other_first_s = (_first_step_s(result, c.name) for c in (compiled, plain))
    if own is None or other is None or own_first_s is None or other_first_s is None:
        return None
    if own.value >= other.value:
        return math.inf
    return max(1, 2 + math.floor((own_first_s - other_first_s) / (other.value - own.value)))


def _first_step_s(result: BenchResult, name: str) -> float | None:
    """Return the first step of the first launch: later ones may find compiled code on disk."""
    measured = [launch.measured[name] for launch in result.launches if name in launch.measured]
    return measured[0].first_step_s if measured else None


def achieved(result: BenchResult, contestant: Contestant, time: Interval) -> tuple[float, float | None]:
    """Return the floating-point operations a second, by the contract, of a step that takes `time`, and their share of
    the roofline. The share is relative to the geometric mean of `roofline` over launches; None if that is unknown."""
    rate = contestant.batch_size * result.flops_per_image / time.value
    found = [roofline(result, contestant, launch) for launch in result.launches if contestant.name in launch.measured]
    roofs = [roof for roof in found if roof]
    # Both are means over launches: a launch on a slow machine has a lower roofline, too.
    return rate, rate / geometric_mean(roofs) if roofs else None


def roofline(result: BenchResult, contestant: Contestant, launch: Launch) -> float | None:
    """Return the most floating-point operations a second that the machine could do in `contestant`'s step. It is the
    roofline (Williams et al. 2009): the fastest framework's rate with as many threads, or less if the fastest copy
    cannot supply operands that quickly. None if that was not measured in `launch`."""
    ceilings = [c for c in launch.ceilings if c.threads == contestant.threads]
    if not ceilings:
        return None
    operations = contestant.batch_size * result.flops_per_image
    moved = contestant.batch_size * result.bytes_per_image + result.bytes_per_step
    fastest = max(c.flops_per_s for c in ceilings)
    return min(fastest, max(c.copied_bytes_per_s for c in ceilings) * operations / moved)


def own_share(result: BenchResult, contestant: Contestant, rate: float) -> float | None:
    """Return the share that `rate` (operations a second) is of its own framework's large matrix products, with as many
    threads: the geometric mean over launches. None if that was not measured."""
    environment = result.environments.get(contestant.name)
    own = [
        c.flops_per_s
        for launch in result.launches
        for c in launch.ceilings
        if environment and (c.framework, c.threads) == (environment.framework, contestant.threads)
    ]
    return rate / geometric_mean(own) if own else None


def some_of(names: Collection[str]) -> str:
    """Return the names for a sentence, or their number if there are many."""
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} of the contestants"


def warnings(result: BenchResult) -> list[str]:
    """Return what a reader must know before believing the figures."""
    said = []
    if load := foreign_load(result):
        loaded = {name: share for name, share in load.items() if share > MUCH_LOAD}
        if loaded:
            worst = max(loaded.values())
            said.append(
                f"Foreign load: while {some_of(loaded)} worked, other processes took up to {worst:.0%} of a "
                "core. These figures are of a busy machine."
            )
    for name in names(result):
        if not all(launch.measured[name].warm for launch in result.launches if name in launch.measured):
            said.append(f"{name} was still getting faster at the end of its warm-up in at least one launch.")
        if not_waited(result, name) > NOT_WAITED:
            said.append(f"{name}: the device was still at work when its windows ended; its times are too short.")
    for launch in result.launches:
        said += [f"{name} failed in launch {launch.number + 1}: {error}" for name, error in launch.failed.items()]
    return said


def names(result: BenchResult) -> list[str]:
    """Return the contestants' names, in their order."""
    return [contestant.name for contestant in result.contestants]


def foreign_load(result: BenchResult) -> dict[str, float]:
    """Return the share of a core that other processes took within the rounds of each contestant; {} if the system does
    not report it."""
    shares = {}
    for name in names(result):
        windows = [
            w
            for launch in result.launches
            if name in launch.measured
            for w in launch.measured[name].windows
            if w.round >= 0 and w.foreign_s is not None
        ]
        if windows:
            foreign_s = sum(w.foreign_s for w in windows if w.foreign_s is not None)
            shares[name] = max(0.0, foreign_s / sum(w.elapsed_s for w in windows))
    return shares


def not_waited(result: BenchResult, name: str) -> float:
    """Return how long fetching the last loss took after a window, relative to the window (the median over windows)."""
    shares = [
        w.fetch_s / w.elapsed_s
        for launch in result.launches
        if name in launch.measured
        for w in launch.measured[name].windows
        if w.what != "evaluation"
    ]
    return sorted(shares)[len(shares) // 2] if shares else 0.0
