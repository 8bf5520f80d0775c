"""What changed from one run folder to another, and whether accuracy or speed moved by more than noise."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from compare.analysis import condensed
from compare.analysis.equivalence import SIGNIFICANCE, paired
from compare.analysis.machines import machine as machine_of
from compare.analysis.timing import StepTime, step_time
from compare.folders.manifest import Manifest
from compare.folders.run_folder import load_manifest
from shared.errors import InputError
from shared.result import RunResult

# The standard deviation of the logarithm of a launch's median step: a process keeps the luck that it was started with.
LAUNCH_DEVIATION = 0.04
NORMAL_95 = 1.96
MOST_SAID = 2_000  # of the names of runs, of which there may be very many
NORMAL_99 = 2.576
MACHINE = ("cpu", "cores", "system")

Moved = Literal["better", "worse", "within noise"]


@dataclass(frozen=True)
class Side:
    """One of the two folders."""

    name: str
    manifest: Manifest
    results: list[RunResult]

    @cached_property
    def done(self) -> dict[tuple[str, int], RunResult]:
        """The runs that came to their end, by implementation and seed."""
        return {(r.run.implementation, r.run.train.seed): r for r in self.results if r.outcome}


@dataclass(frozen=True)
class Change:
    """How a figure of one implementation moved from the first folder to the second, and how it is said."""

    implementation: str
    what: Literal["accuracy", "step time"]
    moved: Moved
    said: str


def read(folder: Path) -> Side:
    """A folder's records. Raises InputError where they cannot be read."""
    return Side(str(folder), load_manifest(folder), condensed.load(folder, None))


def machines_differ(a: Side, b: Side) -> list[str]:
    """What of the machine is not the same, in words; none where both ran on one machine."""
    said = []
    for field in MACHINE:
        first, second = (
            sorted({str(getattr(r.environment, field)) for r in side.results if r.environment}) for side in (a, b)
        )
        if first != second:
            said.append(f"{field}: {', '.join(first)} became {', '.join(second)}")
    return said


def settings_changed(a: Side, b: Side) -> list[str]:
    """Every setting, version and environment field that is not the same, in words."""
    said = [
        f"{what}: {_shortened(first)} became {_shortened(second)}"
        for what, first, second in (
            ("compare", _version(a.manifest), _version(b.manifest)),
            ("data", _digests(a), _digests(b)),
            ("runs", _runs(a), _runs(b)),
        )
        if first != second
    ]
    for key in sorted(a.done.keys() & b.done.keys()):
        before, after = a.done[key], b.done[key]
        if (before.run, before.environment) == (after.run, after.environment):
            continue
        first, second = _fields(before), _fields(after)
        for name in sorted(first.keys() | second.keys()):
            one, other = first.get(name, "nothing"), second.get(name, "nothing")
            if one != other:
                said.append(f"{key[0]}, {name}: {one} became {other}")
    return list(dict.fromkeys(said))


def changes(a: Side, b: Side, margin: float, across_machines: bool = False) -> list[Change]:
    """How accuracy and step time of every implementation moved; the latter by runs on machines of one kind, unless
    `across_machines`. Raises InputError where no run is in both."""
    both = a.done.keys() & b.done.keys()
    if not both:
        raise InputError(f"{a.name} and {b.name} have no run of the same implementation and seed that ended in both.")
    found = []
    machine = _machine(a, b)
    for name in dict.fromkeys(r.run.implementation for r in a.results):
        seeds = sorted(seed for implementation, seed in both if implementation == name)
        if seeds:
            pairs = [(a.done[name, seed], b.done[name, seed]) for seed in seeds]
            found.append(_accuracy(name, pairs, margin))
            alike = [(one, other) for one, other in pairs if across_machines or machine_of(one) == machine_of(other)]
            found += _step_time(name, alike, machine)
    return found


def _accuracy(name: str, pairs: Sequence[tuple[RunResult, RunResult]], margin: float) -> Change:
    """Over several seeds by the differences of each; of one seed by what other test images would scatter."""
    first = [one.outcome.test_accuracy for one, _ in pairs if one.outcome]
    second = [other.outcome.test_accuracy for _, other in pairs if other.outcome]
    differences = [after - before for before, after in zip(first, second, strict=True)]
    n_test = pairs[0][0].n_test
    mean = float(np.mean(differences))
    if len(differences) > 1:
        p = paired(differences, margin, 1 / n_test).p
        shown = p is not None and p < SIGNIFICANCE and abs(mean) > margin
    else:
        share = (first[0] + second[0]) / 2
        shown = abs(mean) > max(margin, NORMAL_99 * math.sqrt(2 * share * (1 - share) / n_test))
    moved: Moved = "within noise" if not shown else "better" if mean > 0 else "worse"
    seeds = "1 seed" if len(pairs) == 1 else f"{len(pairs)} seeds"
    said = (
        f"{name}: test accuracy {np.mean(first):.2%} became {np.mean(second):.2%} ({mean * 100:+.2f} points, {seeds})"
    )
    return Change(name, "accuracy", moved, f"{said}, {moved}.")


def _machine(a: Side, b: Side) -> float | None:
    """How many times as long a matrix product took in the second folder's runs, the same for every implementation;
    None where a run did not measure it."""
    logs = []
    for key in a.done.keys() & b.done.keys():
        first, second = (side.done[key].outcome for side in (a, b))
        yardsticks = [outcome.samples.yardstick_s for outcome in (first, second) if outcome]
        if not all(yardsticks):
            return None
        logs.append(math.log(statistics.median(yardsticks[1]) / statistics.median(yardsticks[0])))
    return math.exp(float(np.mean(logs)))


def _step_time(name: str, pairs: Sequence[tuple[RunResult, RunResult]], machine: float | None) -> list[Change]:
    """The ratio of median steps, less what the machine itself was slower, with the scatter of turns and of launches
    (all seeds of a run are one launch)."""
    logs, variances = [], []
    for one, other in pairs:
        first, second = step_time(one), step_time(other)
        if first is not None and second is not None:
            logs.append(math.log(second.median_s / first.median_s))
            variances.append(_variance(first) + _variance(second))
    if not logs:
        return []
    ratio = math.exp(float(np.median(logs))) / (machine or 1.0)
    spread = NORMAL_95 * math.sqrt(float(np.mean(variances)) / len(logs) + 2 * LAUNCH_DEVIATION**2)
    low, high = ratio * math.exp(-spread), ratio * math.exp(spread)
    moved: Moved = "worse" if low > 1 else "better" if high < 1 else "within noise"
    against = "" if machine is None else f", held against a matrix product, which takes {machine:.2f}x"
    said = f"{name}: a step takes {ratio:.2f}x [{low:.2f}, {high:.2f}] as long as before{against}: {moved}."
    return [Change(name, "step time", moved, said)]


def _variance(time: StepTime) -> float:
    """Of the logarithm of a median, by its interval over turns."""
    if time.low_s is None or time.high_s is None:
        return 0.0
    return float((math.log(time.high_s / time.low_s) / (2 * NORMAL_95)) ** 2)


def _fields(result: RunResult) -> dict[str, str]:
    """Everything that was asked for and everything that the worker saw, flat."""
    flat: dict[str, str] = {}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{prefix}.{key}" if prefix else key, inner)
        else:
            flat[prefix] = str(value)

    add("", result.run.model_dump(mode="json", exclude={"tuned"} if result.run.tuned is None else None))
    if result.environment:
        add("environment", result.environment.model_dump(mode="json"))
    return flat


def _version(of: Manifest) -> str:
    return of.version + (f" ({of.commit})" if of.commit else "")


def _digests(side: Side) -> str:
    return ", ".join(sorted({result.data_digest[:12] for result in side.results}))


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]} ..."


def _runs(side: Side) -> str:
    return ", ".join(f"{name}-seed{seed}" for name, seed in side.done)
