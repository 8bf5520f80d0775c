"""The ratio of two runs' step times, with an interval for everything that is known to scatter.

The variance of the ratio's logarithm has four parts, and data for one of them may be missing. The ratio is then not
known, however far it is from 1: a missing interval is not an interval of width 0.

- *turns*: the scatter of the median step from turn to turn, within a run; or, with five seeds or more, between seeds.
- *yardstick*: two runs' machine speeds are compared by the time of one matrix product, which scatters, too.
- *launch*: timings vary between launches of a process. A run is one launch, and gives no estimate of this scatter.
  `LAUNCH_DEVIATION` is the usual one, and `LAUNCH_UNSURE` the largest that was observed. A ratio that only the larger
  of the two explains is not known. Several runs of each code show how their launches vary.
- *load*: other processes slow steps and the matrix product unequally. How unequally was measured (docs/decisions.md).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compare.analysis.timing import TURNS_FOR_AN_INTERVAL, StepTime, neighbours_alike, step_time
from shared.result import RunResult

# Standard deviations of the logarithm of a run's median step.
LAUNCH_DEVIATION = 0.04
LAUNCH_UNSURE = 0.11
LAUNCH_FREEDOM = 1.0  # weight of the usual scatter, in degrees of freedom, if several runs are given
LOAD_DEVIATION = 0.1  # if other processes take a core or more; proportional for less load
NORMAL_95 = 1.96
CONFIDENCE = 0.95  # probability that every interval of a comparison holds
SEEDS_FOR_AN_INTERVAL = 5
TRIMMED = 0.2  # share of a run's matrix products left out at either end
TRIMMED_MEAN = 1.1  # the variance of such a mean of normal values, relative to that of their plain mean

Pair = tuple[RunResult, RunResult]
Launch = Mapping[str, Sequence[RunResult]]  # the runs of one folder by implementation, with the same seeds in each


@dataclass(frozen=True)
class Estimate:
    """A logarithm, its variance, and the degrees of freedom of that variance."""

    log: float
    variance: float
    freedom: float

    def __sub__(self, other: "Estimate") -> "Estimate":
        """Return the difference of two independent ones; its degrees of freedom are Welch and Satterthwaite's."""
        variance = self.variance + other.variance
        parts = self.variance**2 / self.freedom + other.variance**2 / other.freedom
        return Estimate(self.log - other.log, variance, variance**2 / parts if parts else math.inf)

    def interval(self, n_compared: int) -> tuple[float, float]:
        """Return the interval of the number itself by Student's t. It is wide enough for `n_compared` such intervals to
        hold together with 95 % (Bonferroni)."""
        from scipy.special import stdtrit  # the basis of scipy.stats.t, a hundred times as quick

        freedom = min(self.freedom, 1e6)
        half = float(stdtrit(freedom, 1 - (1 - CONFIDENCE) / (2 * n_compared))) * math.sqrt(self.variance)
        return math.exp(self.log - half), math.exp(min(self.log + half, 700.0))


@dataclass(frozen=True)
class Ratio:
    """How many times as long the steps of one implementation took in the second run.

    `raw` is the ratio of median steps; None if a run has no steady step. `estimate` is corrected for the machine's own
    slowdown; None if `why_unknown` says what is missing.
    """

    raw: float | None
    estimate: Estimate | None
    why_unknown: str = ""
    load_known: bool = True
    n_launches: int = 2  # of both codes together

    @property
    def unsure(self) -> Estimate | None:
        """The estimate with the largest launch scatter observed; unchanged if several launches show their own."""
        if self.estimate is None or self.n_launches > 2:
            return self.estimate
        more = 2 * (LAUNCH_UNSURE**2 - LAUNCH_DEVIATION**2)
        return self.estimate - Estimate(0.0, more, math.inf)


@dataclass(frozen=True)
class Machine:
    """How many times as long a matrix product took in the second run: by seed, and over all. `estimate` is None if
    there are too few products to know their scatter; `by_seed` is empty if there are none."""

    by_seed: dict[int, float]
    estimate: Estimate | None

    @property
    def slower(self) -> float | None:
        """The ratio over all seeds; None if a run timed no matrix product."""
        return math.exp(float(np.mean(list(self.by_seed.values())))) if self.by_seed else None


def machine(pairs: Sequence[Pair]) -> Machine:
    """Return the machine's slowdown, from runs of all implementations, which take turns on the same machine."""
    times = [(one.run.train.seed, _yardsticks(one), _yardsticks(other)) for one, other in pairs]
    times = [(seed, before, after) for seed, before, after in times if before.size and after.size]
    logs: dict[int, list[float]] = {}
    for seed, before, after in times:
        logs.setdefault(seed, []).append(_trimmed_mean(after) - _trimmed_mean(before))
    by_seed = {seed: float(np.mean(of_one)) for seed, of_one in logs.items()}
    all_runs = [run for _, before, after in times for run in (before, after)]
    freedom = sum(run.size - 1 for run in all_runs)
    if not freedom:
        return Machine(by_seed, None)
    gap = sum(float(abs(run - np.median(run)).sum()) for run in all_runs)
    deviation = math.sqrt(math.pi / 2) * gap / freedom  # for normal values; robust against a single outlier
    variance = sum(TRIMMED_MEAN * deviation**2 / run.size for run in all_runs) / len(times) ** 2
    return Machine(by_seed, Estimate(float(np.mean(list(by_seed.values()))), variance, freedom))


def ratio(pairs: Sequence[Pair], of_machine: Machine) -> Ratio:
    """Return the ratio for one implementation. `pairs` are its runs of each seed, on one kind of machine."""
    if not pairs:
        return Ratio(None, None, "the runs were made on different kinds of machines")
    times = [(one.run.train.seed, step_time(one), step_time(other), one, other) for one, other in pairs]
    timed = [(seed, a, b, one, other) for seed, a, b, one, other in times if a is not None and b is not None]
    if not timed:
        return Ratio(None, None, "a run has no steady step")
    logs = {seed: math.log(b.median_s / a.median_s) for seed, a, b, _, _ in timed}
    raw = math.exp(float(np.median(list(logs.values()))))
    if not of_machine.by_seed:
        return Ratio(raw, None, "a run does not record how fast its machine was (no matrix product was timed)")
    if both := [logs[seed] - of_machine.by_seed[seed] for seed in logs if seed in of_machine.by_seed]:
        found = _over_seeds(both)
    if len(both) < SEEDS_FOR_AN_INTERVAL:
        variances = [_run_variance(time, run) for _, a, b, one, other in timed for time, run in ((a, one), (b, other))]
        known = [estimate for estimate in variances if estimate is not None]
        if len(known) < len(variances):
            return Ratio(raw, None, f"a run has fewer than {TURNS_FOR_AN_INTERVAL} turns of steady steps")
        if of_machine.estimate is None:
            return Ratio(raw, None, "too few matrix products were timed to know their scatter")
        found = _within_runs(list(logs.values()), known) - of_machine.estimate
    loads = [_load(runs) for runs in zip(*pairs, strict=True)]
    between = 2 * LAUNCH_DEVIATION**2 + sum((LOAD_DEVIATION * (load or 0.0)) ** 2 for load in loads)
    return Ratio(raw, found - Estimate(0.0, between, math.inf), load_known=None not in loads)


def ratios_of_launches(before: Sequence[Launch], after: Sequence[Launch]) -> dict[str, Ratio]:
    """Return the ratios of implementations from several launches of either code, three or more together.

    The mean over the launches of each is compared. The scatter of a launch includes its turns, its yardstick and the
    load that it met. It is estimated from the differences between launches of one code, over all implementations.
    """
    sides = [[_levels(launch) for launch in launches] for launches in (before, after)]
    names = [name for name in before[0] if all(name in levels for levels in (*sides[0], *sides[1]))]
    known = {name: [np.array([levels[name] for levels in of_side]) for of_side in sides] for name in names}
    squares = sum(float(((values - values.mean()) ** 2).sum()) for both in known.values() for values in both)
    freedom = len(names) * (len(before) + len(after) - 2)
    loads = [_load([run for runs in launch.values() for run in runs]) or 0.0 for launch in (*before, *after)]
    expected = LAUNCH_DEVIATION**2 + float(np.mean([(LOAD_DEVIATION * load) ** 2 for load in loads]))
    variance = (LAUNCH_FREEDOM * expected + squares) / (LAUNCH_FREEDOM + freedom)
    found = {}
    for name, (first, second) in known.items():
        log = float(second.mean() - first.mean())
        of_means = Estimate(log, variance * (1 / len(before) + 1 / len(after)), LAUNCH_FREEDOM + freedom)
        found[name] = Ratio(math.exp(log), of_means, n_launches=len(before) + len(after))
    return found


def _levels(launch: Launch) -> dict[str, float]:
    """Return the logarithm of the median step over the time of a matrix product, by implementation, as the mean over
    seeds. Implementations without a steady step or a timed product are left out."""
    products = [_trimmed_mean(times) for runs in launch.values() for run in runs if (times := _yardsticks(run)).size]
    medians = {name: [time.median_s for run in runs if (time := step_time(run))] for name, runs in launch.items()}
    if not products:
        return {}
    yardstick = float(np.mean(products))
    return {name: float(np.mean(np.log(of_one))) - yardstick for name, of_one in medians.items() if of_one}


@dataclass(frozen=True)
class Lead:
    """The implementation with the shortest steps, and the step time of each other one relative to it. That is the
    logarithm of the ratio, with an estimate if the runs show how they scatter."""

    fastest: str
    others: dict[str, "Behind"]


@dataclass(frozen=True)
class Behind:
    """The logarithm of a ratio of step times, and an estimate of its scatter."""

    log: float
    estimate: Estimate | None


def between(by_name: Mapping[str, Sequence[RunResult]]) -> Lead | None:
    """Compare the step times of implementations within one study, whose runs shared the machine in turns. Return None
    if fewer than two of them have steady steps for the same seeds."""
    times = {
        name: {run.run.train.seed: (time, run) for run in runs if (time := step_time(run)) is not None}
        for name, runs in by_name.items()
    }
    seeds = set.intersection(*(set(of_one) for of_one in times.values())) if len(times) > 1 else set()
    if not seeds:
        return None
    logs = {name: float(np.mean([math.log(of_one[s][0].median_s) for s in seeds])) for name, of_one in times.items()}
    fastest = min(logs, key=lambda name: logs[name])
    others = {}
    for name in sorted(set(logs) - {fastest}, key=lambda name: logs[name]):
        both = [times[one][seed] for one in (fastest, name) for seed in seeds]
        others[name] = Behind(logs[name] - logs[fastest], _scatter(logs[name] - logs[fastest], both, len(seeds)))
    return Lead(fastest, others)


def _scatter(log: float, runs: Sequence[tuple[StepTime, RunResult]], n_seeds: int) -> Estimate | None:
    """Return the ratio with the scatter of turns, launches and loads; None if a run has too few turns. Seeds share a
    process, and more of them therefore give no more launches."""
    within = [_run_variance(time, run) for time, run in runs]
    known = [estimate for estimate in within if estimate is not None]
    if len(known) < len(within):
        return None
    total = Estimate(log, 0.0, math.inf)
    for estimate in known:
        total = total - Estimate(0.0, estimate.variance / n_seeds**2, estimate.freedom)
    load = _load([run for _, run in runs]) or 0.0
    return total - Estimate(0.0, 2 * LAUNCH_DEVIATION**2 + (LOAD_DEVIATION * load) ** 2, math.inf)


def _over_seeds(logs: Sequence[float]) -> Estimate:
    """Estimate the ratio from the scatter between seeds, which includes that of turns and products."""
    n = len(logs)
    variance = float(np.var(logs, ddof=1)) * math.pi / 2 / n if n > 1 else math.inf  # that of a median
    return Estimate(float(np.median(logs)), variance, max(1, n - 1))


def _within_runs(logs: Sequence[float], runs: Sequence[Estimate]) -> Estimate:
    """Estimate the ratio from the scatter within each of the runs, two for each of `logs`."""
    total = Estimate(0.0, 0.0, math.inf)
    for run in runs:
        total = total - run
    return Estimate(float(np.mean(logs)), total.variance / len(logs) ** 2, total.freedom)


def _run_variance(time: StepTime, run: RunResult) -> Estimate | None:
    """Return the variance of a run's median step, from its interval over turns; None if it has none.

    Neighbouring turns meet the same load on the machine, and therefore count as fewer than they are.
    """
    if time.low_s is None or time.high_s is None:
        return None
    alike = neighbours_alike(run)
    counted = max(3.0, time.n_turns * (1 - alike) / (1 + alike))
    # A bootstrap's variance is that of n values about their own mean, which is (n - 1) / n of the true one.
    variance = (math.log(time.high_s / time.low_s) / (2 * NORMAL_95)) ** 2 * time.n_turns / (time.n_turns - 1)
    return Estimate(0.0, variance * time.n_turns / counted, counted - 1)


def _yardsticks(run: RunResult) -> np.ndarray:
    """Return the logarithms of the times of a run's matrix products."""
    return np.log(run.outcome.samples.yardstick_s) if run.outcome else np.empty(0)


def _trimmed_mean(values: np.ndarray) -> float:
    n_left_out = int(TRIMMED * values.size)
    return float(np.sort(values)[n_left_out : values.size - n_left_out].mean())


def _load(runs: Sequence[RunResult]) -> float | None:
    """Return the cores that others took while these runs trained, at most 1 each; None if a run does not report it."""
    loads = [run.outcome.foreign_load for run in runs if run.outcome]
    known = [min(1.0, load) for load in loads if load is not None]
    return float(np.mean(known)) if known and len(known) == len(loads) else None
