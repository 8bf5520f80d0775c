"""One launch: every contestant in a fresh process, warmed up, and timed in turns."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from compare.bench.entry import Entry
from compare.bench.result import Ceiling, Contestant, Launch
from compare.bench.verdicts import budget_warning
from compare.processes.environment import require_cuda
from compare.processes.process import Tell, WorkerError
from compare.processes.session import Session
from compare.rpc.messages import Timed
from compare.subject import Subject
from shared.errors import InputError
from shared.protocol import Build
from shared.result import Environment
from shared.weights import initial_weights

# Windows scatter by a tenth whether they are of two steps or of thirty, so that many short ones know more in the same
# time (docs/decisions.md).
WINDOW_S = 0.03  # about how long the slowest contestant's window takes
# What nobody counts before a window: processors and threads wake up, and a contestant's data come back into the caches.
# That takes time as well as steps, and so every contestant has as many as it needs.
UNCOUNTED_S, LEAST_UNCOUNTED = 0.03, 2
ROUNDS_S = 10.0  # about how long all rounds of a launch take: as long as starting it and warming up
LEAST_ROUNDS, MOST_ROUNDS = 6, 200
NOTE_EVERY_S = 5.0  # there is a line of progress
COMPUTE_EVERY = 3  # rounds there is a window of "compute only", too
WARMUP_S = 0.1
MOST_WARMUP_S = 15.0
EVALUATIONS, EVALUATED_BATCHES = 3, 2
PROFILED_STEPS = 10
MANY_EPOCHS = 1_000_000  # of a framework's own loop, which is ended with its worker
# After a window its threads may look for work a little longer; then, and while the next one's first steps are not
# counted, nobody is timed.
PAUSE_S = 0.01

WARM_WINDOWS = 4
FASTER = 0.98  # of the windows before, else it still gets faster

Start = Callable[[Contestant], Session]


class Launcher:
    """Launches of the same contestants, one after another. `environments` are known after the first."""

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
        tell: Tell = lambda line: None,
    ) -> None:
        """`tell` is called with a line of progress, and with a warning if there is no time for as many launches as the
        result `needs`. `rounds_s` is the time that all rounds of a launch should take.
        `training_alone` leaves out what is not training: evaluation, and the machine's limits."""
        self.contestants = list(contestants)
        self.profile = profile
        self.rounds_s = ROUNDS_S if rounds_s is None else rounds_s
        self.training_alone = training_alone
        self.needs = needs
        self._tell = tell
        self._shape: Shape | None = None  # of the first launch, and then of all
        self.subject = subject
        self.budget_s = budget_s
        self.environments: dict[str, Environment] = {}
        self._start = start
        self._random = np.random.default_rng()  # of each launch its own
        self._began = time.monotonic()

    def launch(self, number: int) -> Launch:
        """Start all contestants, and time them in turns. A contestant whose worker fails takes no further part.

        In the first launch they start one after another, so that their starts can be timed. Raises InputError where its
        first round would come after the budget's end.
        """
        started_s = self.clock()
        failed: dict[str, str] = {}
        self._random = np.random.default_rng([self.subject.train.seed, number])
        self._tell(f"Launch {number + 1}: starting {', '.join(c.name for c in self.contestants)} ...")
        with self._started(alone=number == 0) as entries:
            self._wait_until_ready(entries, failed)
            for entry in list(entries):
                with self._dropping(entry, entries, failed):
                    if number == 0:
                        self._tell(f"{entry.contestant.name}: building the network and warming up ...")
                    self._prepare(entry)
            shape = self._shape = self._shape or _shape(entries, self.rounds_s)
            for entry in entries:
                entry.uncounted = shape.uncounted.get(entry.contestant.name, LEAST_UNCOUNTED)
            if number == 0:
                self._check_budget()
            noted_s = self.clock()
            took_s = noted_s - started_s
            self._tell(f"Launch {number + 1}: all are warm after {took_s:.0f} s, {shape.n_rounds} rounds follow ...")
            if number == 0 and (warning := budget_warning(took_s + self.rounds_s, self.needs, self.budget_s)):
                self._tell(warning)
            for round_number in range(shape.n_rounds):
                if (now_s := self.clock()) - noted_s >= NOTE_EVERY_S:
                    self._tell(f"Launch {number + 1}: {round_number} of {shape.n_rounds} rounds are done.")
                    noted_s = now_s
                # A later launch is not cut short: few rounds would count as much as many.
                if number == 0 and round_number >= LEAST_ROUNDS and self.clock() > self.budget_s:
                    break
                self._round(entries, round_number, shape.steps, failed)
            complete = list(entries)  # whoever fails from now on was measured
            self._look_at_memory(entries, failed)  # before anything that is not training
            ceilings = [] if self.training_alone else self._beside_training(entries, failed)
            if number == 0 and self.profile:
                self._profile(entries, failed)  # last: it may slow down what comes after it
            measured = {entry.contestant.name: entry.measured for entry in complete}
        return Launch(number=number, started_s=started_s, measured=measured, failed=failed, ceilings=tuple(ceilings))

    def clock(self) -> float:
        """Seconds since the bench began."""
        return time.monotonic() - self._began

    def _check_budget(self) -> None:
        took_s = self.clock()
        if took_s > self.budget_s:
            raise InputError(
                f"--budget {self.budget_s:g} is too short for one round: starting the contestants and warming them up "
                f"took {took_s:.0f} s. Give {math.ceil(4 * took_s)} or more, or fewer contestants."
            )

    def _beside_training(self, entries: list[Entry], failed: dict[str, str]) -> list[Ceiling]:
        for round_number in range(EVALUATIONS):
            self._evaluation_round(entries, round_number, failed)
        return self._limits(entries, failed)

    def _limits(self, entries: list[Entry], failed: dict[str, str]) -> list[Ceiling]:
        """What each framework reaches of the machine's limits in this launch, asked of its first contestant."""
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
            for contestant in self.contestants:
                begin = time.perf_counter()
                entry = Entry(contestant, self._start(contestant))
                entries.append(entry)
                if alone:
                    with contextlib.suppress(WorkerError):  # it is told again when the worker is first asked
                        entry.session.wait_until_ready()
                    entry.start_s = time.perf_counter() - begin
                    self._tell(f"{contestant.name} is ready after {entry.start_s:.1f} s.")
            running = list(entries)
            yield running
            kind = None
        finally:
            for entry in entries:  # all are told first, so that they end side by side
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

    def _wait_until_ready(self, entries: list[Entry], failed: dict[str, str]) -> None:
        """Wait for all, so that nobody is timed while another imports its framework. Raises InputError where CUDA was
        asked for and a framework sees no device."""
        for entry in list(entries):
            with self._dropping(entry, entries, failed):
                self.environments[entry.contestant.name] = entry.session.wait_until_ready()
        if self.subject.device == "cuda":
            require_cuda(self.environments)

    def _prepare(self, entry: Entry) -> None:
        """Have the network built, make the first step, and warm up."""
        session, subject = entry.session, self.subject
        session.load_data(subject.data)
        begin = time.perf_counter()
        self._create(entry)
        entry.create_s = time.perf_counter() - begin
        if not entry.own_loop:
            entry.first_step_s = session.time_window("end_to_end", 1).elapsed_s
        warmup_s = 0.0
        step_s: list[float] = []
        steps = 1
        while not (warm := is_warm(step_s)) and warmup_s < MOST_WARMUP_S:
            window = entry.time("end_to_end", steps)
            warmup_s += window.elapsed_s
            step_s.append(window.step_s)
            steps = max(1, round(WARMUP_S / window.step_s))
        entry.warm = warm
        if not entry.own_loop:
            entry.time("compute", steps)  # its first window puts the batches on the device

    def _create(self, entry: Entry) -> None:
        contestant, subject = entry.contestant, self.subject
        of_contestant = {"batch_size": contestant.batch_size, "mixed_precision": contestant.mixed_precision}
        train = subject.train.model_copy(update=of_contestant)
        weights = initial_weights(subject.spec, train.seed)
        if contestant.recipe == "idiomatic":
            train = train.model_copy(update={"epochs": MANY_EPOCHS, "optimizer": None, "schedule": "constant"})
            weights = {}
        entry.session.create(
            Build(subject.spec, train, weights, subject.device, contestant.mode, contestant.recipe, contestant.tuning)
        )

    def _round(self, entries: list[Entry], number: int, steps: int, failed: dict[str, str]) -> None:
        """Every contestant's turn: a window from the host's batches, in some rounds one from the device's, too, in
        random order."""
        whats: list[Timed] = ["end_to_end", "compute"] if number % COMPUTE_EVERY == 0 else ["end_to_end"]
        self._random.shuffle(whats)
        for position, entry in enumerate(self._shuffled(entries)):
            with self._dropping(entry, entries, failed):
                time.sleep(PAUSE_S)
                for what in whats[:1] if entry.own_loop else whats:
                    entry.time("end_to_end" if entry.own_loop else what, steps, number, position)

    def _evaluation_round(self, entries: list[Entry], number: int, failed: dict[str, str]) -> None:
        """Every contestant's turn to evaluate; what it compiles for that, it compiles before anything is counted."""
        for position, entry in enumerate(self._shuffled(entries)):
            if not entry.own_loop:
                with self._dropping(entry, entries, failed):
                    time.sleep(PAUSE_S)
                    entry.time("evaluation", EVALUATED_BATCHES, number, position, uncounted=1)

    def _shuffled(self, entries: list[Entry]) -> list[Entry]:
        """The entries in random order: a list of its own, for one that fails in its turn is taken out of `entries`."""
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


@dataclass(frozen=True)
class Shape:
    """Of the rounds of every launch: how many, the steps of a window, and how many are not counted before one, by
    contestant."""

    n_rounds: int
    steps: int
    uncounted: dict[str, int]


def _shape(entries: Sequence[Entry], rounds_s: float) -> Shape:
    """For contestants whose last windows are known. A framework's own loop is timed for an epoch, and says nothing of
    the others' steps."""
    step_s = {entry.contestant.name: entry.windows[-1].step_s for entry in entries if not entry.own_loop}
    steps = max(1, round(WINDOW_S / max(step_s.values(), default=WINDOW_S)))
    uncounted = {name: max(LEAST_UNCOUNTED, math.ceil(UNCOUNTED_S / of_one)) for name, of_one in step_s.items()}
    n_windows = 1 + 1 / COMPUTE_EVERY
    round_s = sum(PAUSE_S + n_windows * (uncounted[name] + steps) * of_one for name, of_one in step_s.items())
    round_s += sum(PAUSE_S + entry.windows[-1].elapsed_s for entry in entries if entry.own_loop)
    n_rounds = round(rounds_s / round_s) if round_s else LEAST_ROUNDS
    return Shape(min(MOST_ROUNDS, max(LEAST_ROUNDS, n_rounds)), steps, uncounted)


def is_warm(step_s: Sequence[float]) -> bool:
    """Whether steps got no faster lately: the median of the last windows is not below 98 % of that of the windows
    before."""
    if len(step_s) < 2 * WARM_WINDOWS:
        return False
    before, last = np.median(step_s[-2 * WARM_WINDOWS : -WARM_WINDOWS]), np.median(step_s[-WARM_WINDOWS:])
    return bool(last >= FASTER * before)
