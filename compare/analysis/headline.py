"""The verdict in three lines: are the implementations the same function, equally accurate, equally fast?

For tasks other than classification the second line is about the figure that the task is judged by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from compare.analysis.figures import KeyFigure, figure_of
from compare.analysis.machines import kinds
from compare.analysis.seeds import Judging, Pair, pairs
from compare.analysis.speed import between
from compare.registry import IMPLEMENTATIONS
from compare.worker.machine import MUCH_LOAD
from shared.result import RunResult

State = Literal["yes", "no", "open"]
MARKS: dict[State, str] = {"yes": "✓", "no": "✗", "open": "?"}
NOT_CHECKED = "not checked; --parity checks it"
NOT_CHECKED_BY_BENCH = "not checked; python -m compare parity checks it"


@dataclass(frozen=True)
class Headline:
    """One line: a question, its answer, and its state. The state is "yes" if it is settled as hoped, "no" if it is
    settled the other way, and "open" if it is not settled."""

    question: str
    answer: str
    state: State

    @property
    def text(self) -> str:
        """The line as text, with a mark that does not rely on colour."""
        return f"{MARKS[self.state]} {self.question}: {self.answer}"

    @property
    def sentence(self) -> str:
        """The line as a sentence without its mark."""
        return f"{self.question}: {self.answer}."


def stated(question: str, sentence: str, settled: bool) -> Headline:
    """Return a line whose answer is a sentence; `settled`: whether it leaves nothing open."""
    return Headline(question, sentence.rstrip("."), "yes" if settled else "open")


def headlines(results: Sequence[RunResult], judging: Judging, same_function: Headline | None) -> list[Headline]:
    """Return the three lines for a study; a single implementation only has a line with its own figures."""
    function = same_function or Headline("Same function", NOT_CHECKED, "open")
    if len({result.run.implementation for result in results}) < 2:
        return [accuracy(results, judging)]
    return [function, accuracy(results, judging), speed(results)]


def accuracy(results: Sequence[RunResult], judging: Judging) -> Headline:
    """Return whether the implementations are equally accurate: every pair, seed by seed."""
    figure = figure_of(results)
    question = figure.title
    values = [figure.of(result.outcome) for result in results if result.outcome]
    if not values:
        return Headline(question, "no run ended", "no")
    level = figure.levels(values)
    found = pairs(results, judging)
    if not found:
        return Headline(question, level, "yes" if all(result.outcome for result in results) else "open")
    by_seed = groupby(
        sorted((r.run.train.seed, figure.of(r.outcome)) for r in results if r.outcome), key=lambda one: one[0]
    )
    if all(len({share for _, share in of_seed}) == 1 for _, of_seed in by_seed):
        return Headline(question, f"equal for every seed ({level})", "yes")
    different = [pair for pair in found if pair.difference.verdict == "different"]
    if different:
        return Headline(question, "; ".join(_more_accurate(pair, figure) for pair in different), "no")
    if all(pair.difference.verdict == "equivalent" for pair in found):
        return Headline(
            question, f"equivalent within {found[0].difference.margin * 100:.2g} {figure.unit} ({level})", "yes"
        )
    return Headline(question, f"no difference seen ({level}); {_seeds_needed(found)}", "open")


def speed(results: Sequence[RunResult]) -> Headline:
    """Return the implementation with the shortest steps, and how many times as long the others take.

    It is settled if every ratio has an interval and one of them shows a difference, on a machine that was not busy.
    """
    question = "Speed"
    if len(kinds(results)) > 1:
        return Headline(question, "not compared: the runs were made on different kinds of machines", "open")
    by_name: dict[str, list[RunResult]] = {}
    for result in results:
        if result.outcome:
            by_name.setdefault(result.run.implementation, []).append(result)
    found = between(by_name)
    if found is None:
        return Headline(question, "not compared: too few steady steps", "open")
    faster: list[str] = []
    no_faster: list[str] = []
    known = True
    for other, ratio in found.others.items():
        if ratio.estimate is None:
            faster.append(f"{math.exp(ratio.log):.2f}x as fast as {other} (no interval)")
            known = False
            continue
        low, high = ratio.estimate.interval(len(found.others))
        measured = f"{math.exp(ratio.log):.2f}x as fast as {other} [{low:.2f}, {high:.2f}]"
        (faster if low > 1 else no_faster).append(measured)
    compared = f"{found.fastest} {' and '.join(faster)}" if faster else ""
    if no_faster:
        seen = f"no difference shown: {found.fastest} {' and '.join(no_faster)}"
        compared = f"{compared}; {seen}" if compared else seen
    loads = [r.outcome.foreign_load for r in results if r.outcome and r.outcome.foreign_load is not None]
    busy = bool(loads) and max(loads) > MUCH_LOAD
    where = _modes(results) + (", on a busy machine" if busy else "")
    return Headline(question, f"{compared}, {where}", "yes" if faster and known and not busy else "open")


def _more_accurate(pair: Pair, figure: KeyFigure) -> str:
    found = pair.difference
    better, sign = (pair.other, 1) if figure.is_better(found.mean) else (pair.one, -1)
    worse = pair.one if sign > 0 else pair.other
    assert found.low is not None
    assert found.high is not None
    low, high = sorted((sign * found.low * 100, sign * found.high * 100))
    return f"{better} {sign * found.mean * 100:+.2f} {figure.unit} over {worse} [{low:+.2f}, {high:+.2f}]"


def _seeds_needed(found: Sequence[Pair]) -> str:
    undecided = [pair.difference for pair in found if pair.difference.verdict == "too few"]
    if any(one.n < 2 for one in undecided):
        return "one seed decides nothing: give --seeds 5"
    enough = [max(one.enough, one.n + 1) for one in undecided if one.enough is not None]
    if len(enough) < len(undecided):
        return "more than 10,000 seeds would decide it"
    return f"about {max(enough):,} seeds would decide it"


def _modes(results: Sequence[RunResult]) -> str:
    modes = {r.run.implementation: "tuned" if r.run.tuned else r.run.mode for r in results}
    if set(modes.values()) == {"tuned"}:
        return "each tuned"
    own = {name: IMPLEMENTATIONS[name].default_mode for name in modes if name in IMPLEMENTATIONS}
    if modes == own:
        return "each in its default mode"
    return " and ".join(f"{name} in mode {mode}" for name, mode in modes.items())
