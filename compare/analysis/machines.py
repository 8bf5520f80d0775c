"""The kind of machine that a run was made on. Step times of different kinds of machine are not comparable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.analysis.timing import step_time
from shared.result import RunResult


@dataclass(frozen=True)
class OnMachine:
    """One implementation on one kind of machine: its number of runs, and the median of their steady steps in seconds;
    None if none has one."""

    implementation: str
    machine: str
    n: int
    step_s: float | None


def machine(result: RunResult) -> str | None:
    """Return the kind of machine in words; None if no worker reported it. Two machines of one kind count as one."""
    seen = result.environment
    if seen is None:
        return None
    device = f", {result.outcome.device_name}" if result.outcome and result.run.device == "cuda" else ""
    return f"{seen.cpu}, {seen.cores} cores{device}"


def kinds(results: Sequence[RunResult]) -> list[str]:
    """Return the kinds of machine on which any of the runs ended, in order of appearance."""
    return list(dict.fromkeys(found for result in results if result.outcome and (found := machine(result))))


def by_machine(results: Sequence[RunResult]) -> list[OnMachine]:
    """Return the step time of every implementation on every kind of machine; none if there is only one kind."""
    known = kinds(results)
    if len(known) < 2:
        return []
    found = []
    for kind in known:
        there = [result for result in results if result.outcome and machine(result) == kind]
        for name in dict.fromkeys(result.run.implementation for result in there):
            runs = [result for result in there if result.run.implementation == name]
            steps = [time.median_s for time in map(step_time, runs) if time]
            found.append(OnMachine(name, kind, len(runs), float(np.median(steps)) if steps else None))
    return found
