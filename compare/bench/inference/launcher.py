"""One launch of a bench of inference: every way to serve in a fresh process, checked, warmed up and timed in turns."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from compare.bench.inference.machine import environment_of
from compare.bench.inference.record import CallWindow, InferenceLaunch, MeasuredServer, Served
from compare.bench.shape import LEAST_ROUNDS, LEAST_UNCOUNTED, MOST_ROUNDS, UNCOUNTED_S, is_warm
from compare.processes.process import Tell, WorkerError
from compare.processes.serving import ServingSession
from shared.plurals import number_of
from shared.result import Environment

ROUNDS_S = 10.0  # approximate time of a launch's rounds
ROUNDS_SHARE = 0.1  # share of the budget, at most: starts take most of it
WINDOW_S = 0.04
LEAST_CALLS, MOST_CALLS = 2, 400  # per window
WARMUP_S, MOST_WARMUP_S = 0.06, 5.0  # per batch size
PAUSE_S = 0.01  # before each turn: the threads of the last way may look for work a little longer

Start = Callable[[Served], ServingSession]


@dataclass
class Turn:
    """A way to serve in this launch, its worker, and its measurements so far."""

    served: Served
    session: ServingSession
    start_s: float = math.nan
    distance: float = math.inf
    warm: bool = True
    call_s: dict[int, float] = field(default_factory=dict)  # time of a warm call, by batch size
    windows: list[CallWindow] = field(default_factory=list)
    peak_rss_bytes: int | None = None

    @property
    def measured(self) -> MeasuredServer:
        return MeasuredServer(
            start_s=self.start_s,
            warm=self.warm,
            distance=self.distance,
            windows=tuple(self.windows),
            peak_rss_bytes=self.peak_rss_bytes,
        )


class InferenceLauncher:
    """Launches of the same ways to serve. `environments` and `modules` (imported by each) are set by the first."""

    def __init__(
        self,
        served: Sequence[Served],
        images: np.ndarray,
        batch_sizes: Sequence[int],
        start: Start,
        budget_s: float,
        seed: int,
        bound: float,
        tell: Tell = lambda line: None,
    ) -> None:
        """All ways are timed with `images` (N, H, W, C). `bound` is how far logits may be from the median of all,
        relative to the largest. `tell` is called with a line of progress."""
        self.served, self.images, self.batch_sizes = list(served), images, tuple(batch_sizes)
        self.budget_s, self.bound = budget_s, bound
        self.environments: dict[str, Environment] = {}
        self.modules: dict[str, tuple[str, ...]] = {}
        self._start, self._seed, self._tell = start, seed, tell
        self._random = np.random.default_rng()
        self._began = time.monotonic()
        self._n_rounds: int | None = None  # from the first launch, used for all

    def clock(self) -> float:
        """Return the seconds since the bench began."""
        return time.monotonic() - self._began

    def launch(self, number: int) -> InferenceLaunch:
        """Start all one after another, compare their answers, and time them in turns. A way is dropped if its worker
        fails, or if it computes something else."""
        started_s, failed = self.clock(), dict[str, str]()
        self._random = np.random.default_rng([self._seed, number])
        self._tell(f"Launch {number + 1}: starting {len(self.served)} ways to serve, one after another ...")
        with self._started(failed) as turns:
            self._compare(turns, failed)
            for turn in list(turns):
                with _dropping(turn, turns, failed):
                    self._warm_up(turn)
            took_s = self.clock() - started_s
            if self._n_rounds is None:
                self._n_rounds = self._rounds_of(turns)
            rounds = number_of(self._n_rounds, "round")
            self._tell(f"Launch {number + 1}: all answer after {took_s:.0f} s, {rounds} to come ...")
            for place in range(self._n_rounds):
                self._round(turns, failed, place)
            measured = list(turns)  # failures from here on keep their measurements
            for turn in list(turns):
                with _dropping(turn, turns, failed):
                    turn.peak_rss_bytes = turn.session.memory().peak_rss_bytes
        found = {turn.served.name: turn.measured for turn in measured}
        in_order = {one.name: found[one.name] for one in self.served if one.name in found}
        return InferenceLaunch(number=number, started_s=started_s, measured=in_order, failed=failed)

    @contextmanager
    def _started(self, failed: dict[str, str]) -> Iterator[list[Turn]]:
        """Start the workers one after another in random order, each until its first answer, and yield them."""
        turns: list[Turn] = []
        begun: list[ServingSession] = []
        kind: type[BaseException] | None = KeyboardInterrupt
        try:
            for place in self._random.permutation(len(self.served)):
                served = self.served[place]
                begin = time.perf_counter()
                session = self._start(served)
                begun.append(session)
                turn = Turn(served, session)
                turns.append(turn)
                with _dropping(turn, turns, failed):
                    session.logits(self.images[:1])
                    turn.start_s = time.perf_counter() - begin
                    self._tell(f"{served.name} answered after {turn.start_s:.1f} s.")
                    self._describe(turn)
                    session.give_images(self.images)
            yield turns
            kind = None
        finally:
            for session in begun:  # all receive the request first, to end in parallel
                if kind is None:
                    session.end_input()
                else:
                    session.kill()
            for session in begun:
                session.close()

    def _describe(self, turn: Turn) -> None:
        name = turn.served.name
        if name not in self.environments:
            described = turn.session.describe()
            self.environments[name] = environment_of(turn.served, described)
            self.modules[name] = described.modules

    def _compare(self, turns: list[Turn], failed: dict[str, str]) -> None:
        """Drop each way that computes something else: its logits differ from the median of all ways by more than the
        bound at some batch size."""
        answers: dict[str, list[np.ndarray]] = {}
        for turn in list(turns):
            with _dropping(turn, turns, failed):
                answers[turn.served.name] = [turn.session.logits(self.images[:n]) for n in self.batch_sizes]
        for turn, distance in zip(list(turns), distances([answers[t.served.name] for t in turns]), strict=True):
            turn.distance = distance
            if not distance <= self.bound:
                turns.remove(turn)
                failed[turn.served.name] = (
                    f"it computes something else: its logits are {distance:.1e} of the largest away from the median of "
                    f"all, and {self.bound:g} is allowed"
                )

    def _warm_up(self, turn: Turn) -> None:
        """Make calls of every batch size until they stop getting faster."""
        for batch_size in self.batch_sizes:
            call_s: list[float] = []
            calls, spent_s = 1, 0.0
            while not (warm := is_warm(call_s)) and spent_s < MOST_WARMUP_S:
                done, _ = turn.session.time_calls(batch_size, calls, 0)
                spent_s += done.elapsed_s
                call_s.append(done.elapsed_s / calls)
                calls = max(1, round(WARMUP_S / call_s[-1]))
            turn.warm = turn.warm and warm
            turn.call_s[batch_size] = call_s[-1]

    def _rounds_of(self, turns: Sequence[Turn]) -> int:
        """Return the number of rounds of each launch."""
        call_s = [turn.call_s[n] for turn in turns for n in self.batch_sizes]
        round_s = sum(PAUSE_S + (calls_of(one) + uncounted_of(one)) * one for one in call_s)
        rounds_s = min(ROUNDS_S, self.budget_s * ROUNDS_SHARE)
        return min(MOST_ROUNDS, max(LEAST_ROUNDS, round(rounds_s / round_s))) if round_s else LEAST_ROUNDS

    def _round(self, turns: list[Turn], failed: dict[str, str], number: int) -> None:
        """Time every way once, in random order: a window of each batch size, in the same order for all."""
        sizes = self._random.permutation(self.batch_sizes).tolist()
        order = [turns[place] for place in self._random.permutation(len(turns))]
        for position, turn in enumerate(order):
            with _dropping(turn, turns, failed):
                for batch_size in sizes:
                    time.sleep(PAUSE_S)
                    call_s = turn.call_s[batch_size]
                    done, call_ns = turn.session.time_calls(batch_size, calls_of(call_s), uncounted_of(call_s))
                    window = CallWindow(
                        batch_size=batch_size,
                        round=number,
                        position=position,
                        call_us=tuple((call_ns / 1e3).round(1).tolist()),
                        **done.model_dump(),
                    )
                    turn.windows.append(window)


def calls_of(call_s: float) -> int:
    """Return the number of calls in a window, given the seconds of one call."""
    return min(MOST_CALLS, max(LEAST_CALLS, round(WINDOW_S / call_s)))


def uncounted_of(call_s: float) -> int:
    """Return the number of uncounted calls before a window: they wake processors and threads, and fill the caches."""
    return max(LEAST_UNCOUNTED, math.ceil(UNCOUNTED_S / call_s))


def distances(answers: Sequence[Sequence[np.ndarray]]) -> list[float]:
    """Return how far each way's answers are from the median of all, relative to the largest of the median. Answers are
    the logits (N, classes) of several batches each. Infinite if one is not finite, or of another shape than most."""
    if not answers:
        return []
    shapes = [tuple(logits.shape for logits in of_one) for of_one in answers]
    usual = max(shapes, key=shapes.count)
    finite = [
        shape == usual and all(np.isfinite(x).all() for x in one) for shape, one in zip(shapes, answers, strict=True)
    ]
    if not any(finite):
        return [math.inf] * len(answers)
    flat = [np.concatenate([x.ravel() for x in one]).astype(np.float64) for one in answers]
    middle = np.median([x for x, good in zip(flat, finite, strict=True) if good], axis=0)
    largest = float(np.abs(middle).max()) or 1.0
    return [
        float(np.abs(x - middle).max()) / largest if good else math.inf for x, good in zip(flat, finite, strict=True)
    ]


@contextmanager
def _dropping(turn: Turn, turns: list[Turn], failed: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except WorkerError as error:
        failed[turn.served.name] = error.error
        with contextlib.suppress(ValueError):
            turns.remove(turn)
