"""One launch: every contestant in a fresh process, warmed up, and timed in turns."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from compare.bench.building import build, warm_up
from compare.bench.entry import Entry
from compare.bench.result import Ceiling, Contestant, Launch
from compare.bench.shape import COMPUTE_EVERY, LEAST_ROUNDS, LEAST_UNCOUNTED, Shape, affordable, shape_of
from compare.bench.verdicts import budget_warning
from compare.processes.environment import require_cuda, usable_cores
from compare.processes.process import Tell, WorkerError
from compare.processes.session import Session
from compare.rpc.messages import Timed
from compare.subject import Subject
from shared.errors import InputError
from shared.plurals import number_of
from shared.result import Environment

ROUNDS_S = 10.0  # approximate time of a launch's rounds, if the budget allows enough launches
EVALUATED_BATCHES = 3
PROFILED_STEPS = 10
NOTE_EVERY_S = 5.0  # interval of progress lines
# After a window its threads may look for work a little longer. During that time, and while the next contestant's first
# steps are not counted, no contestant is timed.
PAUSE_S = 0.01

Start = Callable[[Contestant], Session]


class Launcher:
    """Launches of the same contestants, one after another. `environments` are known after the first."""

    compute_every = COMPUTE_EVERY  # every so many rounds there is a window of "compute only", too; 0: never

    def __init__(
        self,
        contestants: Sequence[Contestant],
        subject: Subject,
        start: Start,
        budget_s: float,
        profile: bool = False,
        rounds_s: float | None = None,
        training_alone: bool = False,
        needs: int = 0,
        until_known: bool = False,
        tell: Tell = lambda line: None,
    ) -> None:
        """`tell` receives lines of progress, and a warning if the budget is too short for the launches that the result
        `needs`. With `until_known`, they are made nevertheless. `rounds_s` is the time for all rounds of a launch.
        `training_alone` leaves out evaluation and the machine's limits."""
        self.contestants = list(contestants)
        self.profile = profile
        self.rounds_s = ROUNDS_S if rounds_s is None else rounds_s
        self.training_alone, self.needs, self.until_known = training_alone, needs, until_known
        self._tell = tell
        self._shape: Shape | None = None  # from the first launch, used for all
        self.subject = subject
        self.budget_s = budget_s
        self.environments: dict[str, Environment] = {}
        self._start = start
        self._random = np.random.default_rng()  # different in every launch
        self._began = time.monotonic()

    def launch(self, number: int) -> Launch:
        """Start all contestants, and time them in turns. A contestant whose worker fails is dropped.

        In the first launch the first contestant of each implementation starts alone, and networks are built one after
        another, which makes both measurable. Later launches do both in parallel. Raises InputError if the first round
        would start after the end of the budget.
        """
        started_s = self.clock()
        failed: dict[str, str] = {}
        self._random = np.random.default_rng([self.subject.train.seed, number])
        self._tell(f"Launch {number + 1}: starting {', '.join(c.name for c in self.contestants)} ...")
        with self._started(alone=number == 0) as entries:
            self._build_all(entries, failed, alone=number == 0)
            for entry in list(entries):  # one at a time, because its times show when it is warm
                with self._dropping(entry, entries, failed):
                    warm_up(entry)
            took_s = self.clock() - started_s
            if self._shape is None:
                self.rounds_s = affordable(self.rounds_s, self.budget_s - took_s, took_s)
                self._shape = shape_of(entries, self.rounds_s, PAUSE_S)
            for entry in entries:
                entry.uncounted = self._shape.uncounted.get(entry.contestant.name, LEAST_UNCOUNTED)
            if number == 0:
                self._check_budget()
            n_rounds = self._shape.n_rounds
            self._tell(
                f"Launch {number + 1}: all are warm after {took_s:.0f} s, {number_of(n_rounds, 'round')} to come ..."
            )
            if number == 0 and (warning := self._budget_warning(took_s)):
                self._tell(warning)
            self._rounds(entries, number, self._shape, failed)
            complete = list(entries)  # failures from here on keep their measurements
            self._look_at_memory(entries, failed)  # before anything other than training
            ceilings = [] if self.training_alone else self._beside_training(entries, failed)
            if number == 0 and self.profile:
                self._profile(entries, failed)  # last, because it may slow down later work
            measured = {entry.contestant.name: entry.measured for entry in complete}
        return Launch(number=number, started_s=started_s, measured=measured, failed=failed, ceilings=tuple(ceilings))

    def clock(self) -> float:
        """Return the seconds since the bench began."""
        return time.monotonic() - self._began

    def _budget_warning(self, took_s: float) -> str | None:
        rounds_s = self._shape.rounds_s if self._shape else 0.0
        return budget_warning(took_s + rounds_s, self.needs, self.budget_s, self.until_known)

    def _check_budget(self) -> None:
        took_s = self.clock()
        if took_s > self.budget_s and not self.until_known:
            raise InputError(
                f"--budget {self.budget_s:g} is too short for one round: starting the contestants and warming them up "
                f"took {took_s:.0f} s. Give {math.ceil(4 * took_s)} or more, or fewer contestants."
            )

    def _beside_training(self, entries: list[Entry], failed: dict[str, str]) -> list[Ceiling]:
        self._evaluation_round(entries, failed)
        return self._limits(entries, failed)

    def _limits(self, entries: list[Entry], failed: dict[str, str]) -> list[Ceiling]:
        """Return how much of the machine's limits each framework reaches in this launch, in its first contestant."""
        ceilings: list[Ceiling] = []
        for entry in [entry for entry in entries if "limits" not in entry.session.lacking]:
            framework = self.environments[entry.contestant.name].framework
            threads = entry.contestant.threads
            if any((known.framework, known.threads) == (framework, threads) for known in ceilings):
                continue
            with self._dropping(entry, entries, failed):
                figures = entry.session.limits(self.subject.device).model_dump()
                ceilings.append(Ceiling(framework=framework, threads=threads, **figures))
        return ceilings

    @contextmanager
    def _started(self, alone: bool) -> Iterator[list[Entry]]:
        entries: list[Entry] = []
        kind: type[BaseException] | None = KeyboardInterrupt
        try:
            # Other contestants of an implementation import the same modules as the first.
            to_time = {c.implementation: c.name for c in reversed(self.contestants)}.values() if alone else ()
            for contestant in sorted(self.contestants, key=lambda c: c.name not in to_time):
                begin = time.perf_counter()
                entry = Entry(contestant, self._start(contestant))
                entries.append(entry)
                if contestant.name in to_time:
                    with contextlib.suppress(WorkerError):  # it is raised again by the first request to the worker
                        entry.session.wait_until_ready()
                    entry.start_s = time.perf_counter() - begin
                    self._tell(f"{contestant.name} is ready after {entry.start_s:.1f} s.")
            yield sorted(entries, key=lambda entry: self.contestants.index(entry.contestant))
            kind = None
        finally:
            for entry in entries:  # all receive the request first, to end in parallel
                if kind is None:
                    entry.session.end_input()
                else:
                    entry.session.kill()
            for entry in entries:
                entry.session.close()

    @contextmanager
    def _dropping(self, entry: Entry, entries: list[Entry], failed: dict[str, str]) -> Iterator[None]:
        try:
            yield
        except WorkerError as error:
            failed[entry.contestant.name] = error.error
            entries.remove(entry)

    def _build_all(self, entries: list[Entry], failed: dict[str, str], alone: bool) -> None:
        """Build every network and make its first step. With `alone`, they are built one after another once all are
        ready, to time none while another imports its framework. Without it, they are built in parallel as each becomes
        ready. Raises InputError if CUDA was asked for and a framework sees no device."""
        if not alone:
            self._build_side_by_side(entries, failed)
            return
        for entry in list(entries):
            with self._dropping(entry, entries, failed):
                self.environments[entry.contestant.name] = entry.session.wait_until_ready()
        if self.subject.device == "cuda":
            require_cuda(self.environments)
        for entry in list(entries):
            with self._dropping(entry, entries, failed):
                self._tell(f"{entry.contestant.name}: building the network and warming up ...")
                entry.first_step_s = build(entry, self.subject)

    def _build_side_by_side(self, entries: list[Entry], failed: dict[str, str]) -> None:
        def built(entry: Entry) -> None:
            self.environments[entry.contestant.name] = entry.session.wait_until_ready()
            build(entry, self.subject)

        with ThreadPoolExecutor(usable_cores()) as pool:
            building = [(entry, pool.submit(built, entry)) for entry in entries]
            try:
                for entry, future in building:
                    with self._dropping(entry, entries, failed):
                        future.result()
            except BaseException:  # otherwise the pool would wait for threads that wait for workers
                for entry, future in building:
                    future.cancel()
                    entry.session.kill()
                raise

    def _rounds(self, entries: list[Entry], launch: int, shape: Shape, failed: dict[str, str]) -> None:
        """Time all contestants in turns, round after round. Only the first launch is cut short: a launch with few
        rounds would count as much as one with many."""
        noted_s = self.clock()
        for number in range(shape.n_rounds):
            if (now_s := self.clock()) - noted_s >= NOTE_EVERY_S:
                self._tell(f"Launch {launch + 1}: {number} of {shape.n_rounds} rounds are done.")
                noted_s = now_s
            if launch == 0 and number >= LEAST_ROUNDS and self.clock() > self.budget_s:
                return
            self._round(entries, number, shape.steps, failed)

    def _round(self, entries: list[Entry], number: int, steps: int, failed: dict[str, str]) -> None:
        """Time every contestant once, in random order: a window from the host's batches and, in some rounds, one from
        the device's."""
        whats: list[Timed] = ["end_to_end"]
        if self.compute_every and number % self.compute_every == 0:
            whats.append("compute")
        self._random.shuffle(whats)
        for position, entry in enumerate(self._shuffled(entries)):
            with self._dropping(entry, entries, failed):
                time.sleep(PAUSE_S)
                if entry.own_loop:
                    entry.time("end_to_end", steps, number, position)
                    continue
                entry.time(whats[0], steps, number, position)
                for what in whats[1:]:  # immediately, because the process was not idle in between
                    entry.time(what, steps, number, position, uncounted=0)

    def _evaluation_round(self, entries: list[Entry], failed: dict[str, str]) -> None:
        """Time the evaluation of every contestant; compilation happens before anything is counted."""
        for position, entry in enumerate(self._shuffled(entries)):
            if not entry.own_loop:
                with self._dropping(entry, entries, failed):
                    time.sleep(PAUSE_S)
                    entry.time("evaluation", EVALUATED_BATCHES, 0, position, uncounted=1)

    def _shuffled(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries in random order, as a copy: an entry that fails in its turn is removed from `entries`."""
        return [entries[place] for place in self._random.permutation(len(entries))]

    def _look_at_memory(self, entries: list[Entry], failed: dict[str, str]) -> None:
        for entry in list(entries):
            with self._dropping(entry, entries, failed):
                memory = entry.session.memory()
                entry.memory = memory.peak_rss_bytes, memory.peak_device_bytes

    def _profile(self, entries: list[Entry], failed: dict[str, str]) -> None:
        for entry in list(entries):
            if not entry.own_loop and "profile" not in entry.session.lacking:
                with self._dropping(entry, entries, failed):
                    entry.operation_s = entry.session.profile(PROFILED_STEPS)
                    if entry.contestant.mixed_precision == "none":
                        entry.alone_s = entry.session.alone(self.subject.device)
