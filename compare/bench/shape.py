"""Decide how long a launch lasts: when its contestants are warm, and how many rounds of which windows follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.bench.entry import Entry
from compare.bench.statistics import LEAST_TO_STOP

# Windows scatter by a tenth, whether they have two steps or thirty. Many short ones are therefore more precise in the
# same time (docs/decisions.md).
WINDOW_S = 0.03  # about how long the slowest contestant's window takes
# Steps before a window are not counted: processors and threads wake up, and caches receive a contestant's data.
# This takes time as well as steps, and every contestant therefore has as many as it needs.
UNCOUNTED_S, LEAST_UNCOUNTED = 0.03, 2
# One uncounted step is enough for a contestant whose steps are at least this long. After 1.5 s of idleness the first
# step of cnn_bn_cifar took 0 to 8 % more processor time than later ones, the second 0 to 6 %, in five implementations
# whose steps take 100 to 250 ms.
LONG_S = 0.1
LEAST_ROUNDS, MOST_ROUNDS = 6, 200
COMPUTE_EVERY = 3  # every so many rounds there is a window of "compute only", too
WARM_WINDOWS = 4
WARM_LONG_WINDOWS = 2  # for windows with steps as long as LONG_S
FASTER = 0.98  # relative to the windows before: below this, steps still get faster


@dataclass(frozen=True)
class Shape:
    """The rounds of every launch: how many, the steps of a window, and the uncounted steps before each contestant's
    turn. `rounds_s` is about how long all of them take."""

    n_rounds: int
    steps: int
    uncounted: dict[str, int]
    rounds_s: float


def shape_of(entries: Sequence[Entry], rounds_s: float, pause_s: float) -> Shape:
    """Return the shape of rounds that take about `rounds_s` together, for contestants whose last windows are known.

    A framework's own loop is timed for an epoch, which gives no estimate for the others' steps. Before each
    contestant's turn there is a pause of `pause_s`.
    """
    step_s = {entry.contestant.name: entry.windows[-1].step_s for entry in entries if not entry.own_loop}
    steps = max(1, round(WINDOW_S / max(step_s.values(), default=WINDOW_S)))
    uncounted = {name: uncounted_steps(of_one) for name, of_one in step_s.items()}
    n_windows = 1 + 1 / COMPUTE_EVERY
    round_s = sum(pause_s + (uncounted[name] + n_windows * steps) * of_one for name, of_one in step_s.items())
    round_s += sum(pause_s + entry.windows[-1].elapsed_s for entry in entries if entry.own_loop)
    n_rounds = round(rounds_s / round_s) if round_s else LEAST_ROUNDS
    n_rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, n_rounds))
    return Shape(n_rounds, steps, uncounted, n_rounds * round_s)


def uncounted_steps(step_s: float) -> int:
    """Return how many steps of about `step_s` are not counted at the beginning of a contestant's turn."""
    return max(1 if step_s >= LONG_S else LEAST_UNCOUNTED, math.ceil(UNCOUNTED_S / step_s))


def warm_windows(step_s: Sequence[float]) -> int:
    """Return how many windows, whose steps took `step_s`, are compared with as many before them."""
    return WARM_LONG_WINDOWS if step_s and step_s[-1] >= LONG_S else WARM_WINDOWS


def affordable(rounds_s: float, left_s: float, before_s: float) -> float:
    """Return the seconds that the rounds of each launch may take, at most `rounds_s`.

    Five launches should fit into `left_s`, the time left after `before_s`, in which the first one's contestants were
    started and warmed up. Every later launch needs about as long for that. More launches are worth more than more
    rounds. If not even that fits, the result may be below 0, and a launch has its LEAST_ROUNDS.
    """
    return min(rounds_s, (left_s - (LEAST_TO_STOP - 1) * before_s) / LEAST_TO_STOP)


def is_warm(step_s: Sequence[float], n_windows: int = WARM_WINDOWS) -> bool:
    """Return whether steps have stopped getting faster. They have if the median of the last `n_windows` windows is at
    least 98 % of that of as many before."""
    if len(step_s) < 2 * n_windows:
        return False
    before, last = np.median(step_s[-2 * n_windows : -n_windows]), np.median(step_s[-n_windows:])
    return bool(last >= FASTER * before)
