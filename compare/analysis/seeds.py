"""The results of several seeds: accuracy with its interval, and every pair of implementations compared seed by seed.

Figures are made from records alone. Accuracies are shares of 1 here and points (hundredths) in words. For a task other
than classification its figure replaces the accuracy (compare/analysis/figures.py).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat

from compare.analysis.equivalence import CONFIDENCE, Paired, paired
from compare.analysis.figures import ACCURACY, KeyFigure, figure_of
from compare.analysis.machines import kinds
from compare.analysis.timing import step_time
from shared.batches import n_batches
from shared.record import Record
from shared.result import CondensedResult, RunResult

RESULTS_FOR_AN_INTERVAL = 2


class Judging(Record):
    """What a study's results are compared with: equivalence within `margin`, and the time to reach `target`. Also the
    order in which implementations are listed, and whether TensorBoard's event files are made. It is kept beside the
    results, so a report can be made again."""

    implementations: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    margin: FiniteFloat = 0.003
    target: FiniteFloat | None = None
    tensorboard: bool = False


@dataclass(frozen=True)
class Summary:
    """One implementation over its seeds. `low` and `high` bound the mean accuracy (or other figure) with 95 %
    (Student's t); for one seed they and `deviation` are None.

    `step_s` is the median over seeds of the steady step. `reached_s` is the training time until the target, for every
    seed that reached it. With several kinds of machines there are neither.
    """

    implementation: str
    n: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    step_s: float | None
    reached_s: tuple[float, ...]


@dataclass(frozen=True)
class Pair:
    """How much more accurate `other` is than `one`, over the seeds that both completed; for another figure, how much
    higher it is."""

    one: str
    other: str
    difference: Paired


def in_order(results: Sequence[RunResult], judging: Judging) -> list[RunResult]:
    """Return the results by seed, and within a seed in the order of the study's implementations."""
    names = dict.fromkeys([*judging.implementations, *sorted({r.run.implementation for r in results})])
    places = {name: number for number, name in enumerate(names)}
    return sorted(results, key=lambda r: (r.run.train.seed, places[r.run.implementation]))


def summaries(results: Sequence[RunResult], judging: Judging) -> list[Summary]:
    """Return a summary for each implementation that completed a run, in order of appearance."""
    return [_summary(name, of_one, judging) for name, of_one in _by_implementation(results).items()]


def pairs(results: Sequence[RunResult], judging: Judging) -> list[Pair]:
    """Return every pair of implementations that completed runs of the same seed."""
    figure = figure_of(results)
    accuracy = {
        name: {r.run.train.seed: figure.of(r.outcome) for r in of_one if r.outcome}
        for name, of_one in _by_implementation(results).items()
    }
    found = []
    for one, other in itertools.combinations(accuracy, 2):
        both = [seed for seed in accuracy[one] if seed in accuracy[other]]
        if both:
            differences = [figure.difference(accuracy[one][seed], accuracy[other][seed]) for seed in both]
            found.append(Pair(one, other, paired(differences, judging.margin, figure.resolution(results[0].n_test))))
    return found


def say_all(found: Sequence[Pair], figure: KeyFigure = ACCURACY) -> list[str]:
    """Return the verdict on each pair; for single seeds one sentence says that there is no verdict."""
    if found and all(pair.difference.n == 1 for pair in found):
        return ["One seed shows neither a difference between implementations nor their equivalence. Give --seeds 5."]
    return [say(pair, figure) for pair in found]


def say(pair: Pair, figure: KeyFigure = ACCURACY) -> str:
    """Return the verdict on a pair as a sentence."""
    found, margin = pair.difference, f"{pair.difference.margin * 100:.2g} {figure.unit}"
    if found.low is None or found.high is None or found.p is None or found.detectable is None:
        return f"{pair.one} and {pair.other} have one seed in common, which decides nothing."
    interval = f"{found.mean * 100:+.2f} {figure.unit} [{found.low * 100:+.2f}, {found.high * 100:+.2f}]"
    match found.verdict:
        case "equivalent":
            return (
                f"{pair.one} and {pair.other} are equivalent within {margin}: {pair.other} is {interval} from "
                f"{pair.one} over {found.n} seeds."
            )
        case "different":
            return (
                f"{pair.one} and {pair.other} are different: {pair.other} {figure.compared(found.mean)} by {interval} "
                f"over {found.n} seeds ({_p(found.p)})."
            )
        case "too few":
            known = found.enough is not None
            enough = f"About {max(found.enough, found.n + 1):,}" if found.enough is not None else "More than 10,000"
            return (
                f"{pair.one} and {pair.other}: no difference seen ({interval}, {found.n} seeds). So few seeds can "
                f"miss a difference of less than {found.detectable * 100:.2f} {figure.unit}. {enough} seeds would be "
                f"{'enough' if known else 'needed'} to call equals equivalent within {margin}."
            )


def training_s_until(result: RunResult, target: float) -> float | None:
    """Return the seconds of training until the end of the first epoch with an accuracy of at least `target`; None if
    there was none. The accuracy is that of the validation images if there were any, else of the test images."""
    if isinstance(result, CondensedResult):
        return result.reached_s
    assert result.outcome is not None
    samples = result.outcome.samples
    if samples.epoch_s:
        epoch_s = np.cumsum(samples.epoch_s)
    else:
        per_epoch = n_batches(result.n_train, result.run.train.batch_size)
        epoch_s = np.cumsum(samples.step_s)[per_epoch - 1 :: per_epoch]
    for epoch, until_s in zip(result.outcome.epochs, epoch_s, strict=True):
        accuracy = ACCURACY.of_epoch(epoch)
        if accuracy is not None and accuracy >= target:
            return float(until_s)
    return None


def _by_implementation(results: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    """Return the completed runs, by implementation."""
    grouped: dict[str, list[RunResult]] = {}
    for result in results:
        if result.outcome:
            grouped.setdefault(result.run.implementation, []).append(result)
    return grouped


def _summary(name: str, results: Sequence[RunResult], judging: Judging) -> Summary:
    figure = figure_of(results)
    accuracies = np.array([figure.of(result.outcome) for result in results if result.outcome])
    n, mean = len(accuracies), float(accuracies.mean())
    deviation = half = None
    if n >= RESULTS_FOR_AN_INTERVAL:
        from scipy.special import stdtrit  # the import takes a moment

        deviation = float(accuracies.std(ddof=1))
        half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * deviation / math.sqrt(n)
    alike = len(kinds(results)) < 2  # otherwise no time describes them all (compare/analysis/machines.py)
    steps = [time.median_s for time in map(step_time, results) if time and alike]
    target = judging.target if alike else None
    reached = [training_s_until(result, target) for result in results] if target is not None else []
    return Summary(
        implementation=name,
        n=n,
        mean=mean,
        deviation=deviation,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        step_s=float(np.median(steps)) if steps else None,
        reached_s=tuple(seconds for seconds in reached if seconds is not None),
    )


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
