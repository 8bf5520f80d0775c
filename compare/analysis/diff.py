"""Compare two run folders: what changed, and whether accuracy or speed moved by more than noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from compare.analysis import condensed
from compare.analysis.equivalence import SIGNIFICANCE, paired
from compare.analysis.figures import figure_of
from compare.analysis.machines import machine as machine_of
from compare.analysis.speed import Launch, Pair, Ratio, machine, ratio, ratios_of_launches
from compare.folders.manifest import Manifest
from compare.folders.run_folder import load_manifest
from shared.errors import InputError
from shared.plurals import number_of
from shared.result import RunResult

MOST_SAID = 2_000  # characters for the names of runs, of which there may be very many
NORMAL_99 = 2.576
MACHINE = ("cpu", "cores", "system")
ONE_LAUNCH = "Launches of one program can vary by as much. More runs of each show it: --more-before, --more-after."

Moved = Literal["better", "worse", "within noise", "not known"]


@dataclass(frozen=True)
class Side:
    """One of the two folders; `more` are further runs of the same code and settings, each a separate launch."""

    name: str
    manifest: Manifest
    results: list[RunResult]
    more: tuple["Side", ...] = ()

    @cached_property
    def done(self) -> dict[tuple[str, int], RunResult]:
        """The completed runs, by implementation and seed."""
        return {(r.run.implementation, r.run.train.seed): r for r in self.results if r.outcome}


@dataclass(frozen=True)
class Change:
    """The change of one implementation's figure from the first folder to the second, with its text. `what` is "step
    time", or the figure of the task: "accuracy", "RMSE".

    `value` is the difference of the two figures (KeyFigure.difference), or the second step time over the first. `low`
    and `high` bound that ratio, and are None if there is no interval.
    """

    implementation: str
    what: str
    moved: Moved
    said: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


def read(folder: Path, more: Sequence[Path] = ()) -> Side:
    """Read a folder's records, and those of further runs. Raises InputError if they cannot be read, or if further runs
    have other settings."""
    side = Side(str(folder), load_manifest(folder), condensed.load(folder, None), tuple(read(one) for one in more))
    for other in side.more:
        if changed := settings_changed(side, other):
            raise InputError(f"{other.name} is not another run of {side.name} ({changed[0]}). Leave it out.")
    return side


def machines_differ(a: Side, b: Side) -> list[str]:
    """Return the machine's properties that differ, in words; none if both ran on one machine."""
    said = []
    for field in MACHINE:
        first, second = (
            sorted({str(getattr(r.environment, field)) for r in side.results if r.environment}) for side in (a, b)
        )
        if first != second:
            said.append(f"{field}: {', '.join(first)} became {', '.join(second)}")
    return said


def settings_changed(a: Side, b: Side) -> list[str]:
    """Return every setting, version and environment field that differs, in words."""
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
    """Return how accuracy (or the figure of another task) and step time of every implementation changed. Step times are
    only compared between machines of one kind, unless `across_machines`. Raises InputError if no run is in both."""
    both = a.done.keys() & b.done.keys()
    tasks = [figure_of(list(side.done.values())).task.title for side in (a, b)]
    if both and tasks[0] != tasks[1]:
        raise InputError(f"{a.name} is of {tasks[0]}, and {b.name} of {tasks[1]}: give two runs of one task.")
    if not both:
        raise InputError(f"{a.name} and {b.name} have no run of the same implementation and seed that ended in both.")
    pairs: dict[str, list[Pair]] = {r.run.implementation: [] for r in a.results}
    for name, seed in sorted(both):
        pairs[name].append((a.done[name, seed], b.done[name, seed]))
    alike = {
        name: [(one, other) for one, other in of_one if across_machines or machine_of(one) == machine_of(other)]
        for name, of_one in pairs.items()
        if of_one
    }
    of_machine = machine([pair for of_one in alike.values() for pair in of_one])
    ratios = {name: ratio(of_one, of_machine) for name, of_one in alike.items()}
    if a.more or b.more:
        ratios |= ratios_of_launches(*_launches(a, b, [name for name, of_one in alike.items() if of_one]))
    n_compared = sum(found.estimate is not None for found in ratios.values())
    said = []
    for name, found in ratios.items():
        said.append(_accuracy(name, pairs[name], margin))
        said.append(_step_time(name, found, of_machine.slower, n_compared))
    return said


def _launches(a: Side, b: Side, names: Sequence[str]) -> tuple[list[Launch], list[Launch]]:
    """Return the runs of every folder of each side, for the implementations and seeds that all folders have."""
    sides = ((a, *a.more), (b, *b.more))
    every = set.intersection(*(set(one.done) for side in sides for one in side))

    def launch(one: Side) -> Launch:
        return {name: [one.done[key] for key in sorted(every) if key[0] == name] for name in names}

    before, after = ([launch(one) for one in side] for side in sides)
    return before, after


def _accuracy(name: str, pairs: Sequence[tuple[RunResult, RunResult]], margin: float) -> Change:
    """Return the change of accuracy: over several seeds by their differences, else by the scatter of test images."""
    figure = figure_of([one for one, _ in pairs])
    first = [figure.of(one.outcome) for one, _ in pairs if one.outcome]
    second = [figure.of(other.outcome) for _, other in pairs if other.outcome]
    differences = [figure.difference(before, after) for before, after in zip(first, second, strict=True)]
    n_test = pairs[0][0].n_test
    mean, known = float(np.mean(differences)), True
    if len(differences) > 1:
        p = paired(differences, margin, figure.resolution(n_test)).p
        shown = p is not None and p < SIGNIFICANCE and abs(mean) > margin
    elif figure.task.classifies:
        shown = abs(mean) > accuracy_noise((first[0] + second[0]) / 2, n_test, margin)
    else:  # the scatter is unknown for one seed, unless the figure is a share of images
        shown, known = False, abs(mean) <= margin
    moved: Moved = "within noise" if not shown else "better" if figure.is_better(mean) else "worse"
    moved = moved if known else "not known"
    seeds = number_of(len(pairs), "seed")
    before_, after_ = figure.text_of(float(np.mean(first))), figure.text_of(float(np.mean(second)))
    said = f"{name}: test {figure.metric.title} {before_} became {after_} ({mean * 100:+.2f} {figure.unit}, {seeds})"
    return Change(name, figure.metric.title, moved, f"{said}, {moved}.", mean)


def accuracy_noise(share: float, n_test: int, margin: float) -> float:
    """Return the largest difference of two accuracies around `share` (0 to 1) that is noise for one seed: the 99 %
    interval of other test images, or the margin."""
    return max(margin, NORMAL_99 * math.sqrt(2 * share * (1 - share) / n_test))


def _step_time(name: str, found: Ratio, slower: float | None, n_compared: int) -> Change:
    """Return the change of one implementation's step time; `n_compared` implementations have an interval."""
    if found.estimate is None:
        said = f"{name}: it is unknown whether a step takes as long as before, since {found.why_unknown}"
        so_far = "" if found.raw is None else f" (the medians: {found.raw:.2f}x)"
        return Change(name, "step time", "not known", f"{said}{so_far}.", found.raw)
    assert found.unsure is not None, "there is an estimate"
    usual, unsure = (_direction(*one.interval(n_compared)) for one in (found.estimate, found.unsure))
    moved: Moved = usual if usual == unsure else "not known"
    low, high = (found.estimate if moved == "within noise" else found.unsure).interval(n_compared)
    ratio = math.exp(found.estimate.log)
    against = f", relative to a matrix product, which takes {slower:.2f}x" if slower is not None else ""
    unknown = "" if found.load_known else " The load by other processes is unknown and not in the interval."
    if moved == "not known":
        unknown = f" {ONE_LAUNCH}{unknown}"
    said = f"{name}: a step takes {ratio:.2f}x [{low:.2f}, {high:.2f}] as long as before{against}: {moved}.{unknown}"
    return Change(name, "step time", moved, said, ratio, low, high)


def _direction(low: float, high: float) -> Moved:
    return "worse" if low > 1 else "better" if high < 1 else "within noise"


def _fields(result: RunResult) -> dict[str, str]:
    """Return everything that was asked for and that the worker reported, as a flat mapping."""
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
