"""Estimate how long a study will take, from the durations of its turns so far."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.result import Run

# Evaluating an image takes about a third of the time of its training step: one of three similar passes. This is used
# until an evaluation was timed.
EVALUATION_SHARE = 1 / 3


@dataclass
class Pace:
    """How long one implementation takes, in seconds; its first turns, which compile, are counted separately."""

    first_s: list[float] = field(default_factory=list)
    turns_s: float = 0.0
    n_steps: int = 0
    evaluations_s: float = 0.0
    n_evaluations: int = 0

    @property
    def step_s(self) -> float | None:
        """The time of a step, with its share of a turn's overhead; None before the second turn."""
        return self.turns_s / self.n_steps if self.n_steps else None


@dataclass
class Ahead:
    """The remaining work of a run in progress."""

    n_steps: int
    n_epochs: int
    n_evaluated: int
    begun: bool = False


class TimeLeft:
    """The remaining training time of a study, including the runs of later seeds.

    Runs of a seed take turns, so the time since the last turn belongs to the run whose turn it was. The first turn of a
    run builds and compiles: it gives no estimate for later steps, and is repeated with each seed.
    """

    def __init__(self) -> None:
        self.seeds: Sequence[int] = ()  # of all runs to come
        self._paces: dict[str, Pace] = defaultdict(Pace)
        self._ahead: dict[str, tuple[Run, Ahead]] = {}
        self._whole: dict[str, tuple[Run, Ahead]] = {}  # by implementation, the total work of a run
        self._seed = 0  # of the runs in progress
        self._last = 0.0
        self._steps_of: dict[str, int] = {}  # each run's total number of steps, reduced if it ended early
        self._n_done: dict[str, int] = {}

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        """Note that `run` has been built. An epoch has `n_batches` steps, and is followed by an evaluation of
        `n_evaluated` images."""
        left = run.train.epochs - epochs_done
        self._steps_of[run.name] = n_batches * run.train.epochs
        self._n_done[run.name] = n_batches * epochs_done
        self._ahead[run.name] = run, Ahead(n_batches * left, left, n_evaluated)
        whole = Ahead(n_batches * run.train.epochs, run.train.epochs, n_evaluated)
        self._whole[run.implementation] = run, whole
        self._seed = run.train.seed
        self._last = time.monotonic()

    def advance(self, run: Run, n_steps: int) -> None:
        """Note that `run` made `n_steps` steps in its turn."""
        took_s, pace = self._lap(), self._paces[run.implementation]
        ahead = self._ahead[run.name][1]
        ahead.n_steps -= n_steps
        self._n_done[run.name] += n_steps
        if ahead.begun:
            pace.turns_s += took_s
            pace.n_steps += n_steps
        else:
            pace.first_s.append(took_s)
            ahead.begun = True

    def epoch(self, run: Run) -> None:
        """Note that `run` ended an epoch, and was evaluated."""
        took_s, pace = self._lap(), self._paces[run.implementation]
        self._ahead[run.name][1].n_epochs -= 1
        if run.recipe == "matched":  # otherwise the turn was the epoch, with its evaluation
            pace.evaluations_s += took_s
            pace.n_evaluations += 1

    def end(self, name: str) -> None:
        """Note that the run of that name is over, however it ended."""
        self._ahead.pop(name, None)
        self._steps_of[name] = self._n_done[name] = self._n_done.get(name, 0)
        self._last = time.monotonic()

    def share(self) -> float:
        """Return how much of the study is done, by its steps: from 0 to 1, including later seeds."""
        of_a_seed = sum(whole.n_steps for _, whole in self._whole.values())
        of_all = sum(self._steps_of.values()) + of_a_seed * sum(later > self._seed for later in self.seeds)
        return sum(self._n_done.values()) / of_all if of_all else 0.0

    def seconds(self) -> float | None:
        """Return the seconds that are left; None while a run in progress has only had its first turn."""
        now = [self._takes(run, ahead) for run, ahead in self._ahead.values()]
        if not self._ahead or None in now:
            return None
        of_a_seed = 0.0
        for name, (run, whole) in self._whole.items():
            of_a_seed += (self._takes(run, whole) or 0.0) + min(self._paces[name].first_s, default=0.0)
        return sum(s for s in now if s) + of_a_seed * sum(later > self._seed for later in self.seeds)

    def _takes(self, run: Run, ahead: Ahead) -> float | None:
        pace = self._paces[run.implementation]
        step_s = pace.step_s
        if step_s is None:
            return None
        evaluation_s = step_s * EVALUATION_SHARE * ahead.n_evaluated / run.train.batch_size
        if pace.n_evaluations:
            evaluation_s = pace.evaluations_s / pace.n_evaluations
        if run.recipe == "idiomatic":
            evaluation_s = 0.0
        return ahead.n_steps * step_s + ahead.n_epochs * evaluation_s

    def _lap(self) -> float:
        """Return the seconds since the last event."""
        now = time.monotonic()
        took_s, self._last = now - self._last, now
        return took_s
