"""One launch of a bench of two models: each in a fresh process, warmed up, timed in turns, and then layer by layer."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from compare.bench.inference.launcher import (
    MOST_WARMUP_S,
    PAUSE_S,
    ROUNDS_S,
    ROUNDS_SHARE,
    WARMUP_S,
    calls_of,
    uncounted_of,
)
from compare.bench.inference.machine import environment_of
from compare.bench.ported.record import (
    SIDES,
    MeasuredModel,
    PassWindow,
    PortLaunch,
    PortTimes,
    TimedModel,
    TimedPair,
)
from compare.bench.ported.verdicts import precise
from compare.bench.schedule import repeat
from compare.bench.shape import LEAST_ROUNDS, MOST_ROUNDS, is_warm
from compare.processes.process import Tell
from compare.processes.timed_session import TimedWorker
from compare.rpc.timing_messages import Pass, TimesPrepared
from shared.errors import InputError
from shared.plurals import number_of
from shared.result import Environment

NODES_SHARE = 0.08  # share of the budget in each launch, at most, for timing single layers
NODE_S, NODE_ROUNDS, MOST_NODE_CALLS = 0.01, 5, 100  # per layer's window
FEWEST_ROUNDS = 2  # in the first launch, if one round is longer than the budget
SAID_EVERY_S = 10.0

Start = Callable[[TimedModel], tuple[TimedWorker, Callable[[], TimesPrepared]]]


@dataclass
class Turn:
    """A model in this launch, its worker, and its measurements so far."""

    model: TimedModel
    worker: TimedWorker
    prepared: TimesPrepared | None = None
    start_s: float = math.nan
    warm: bool = True
    first_s: dict[Pass, float] = field(default_factory=dict)
    pass_s: dict[tuple[Pass, int], float] = field(default_factory=dict)  # time of a warm pass
    windows: list[PassWindow] = field(default_factory=list)
    node_s: dict[str, list[float]] = field(default_factory=dict)

    @property
    def measured(self) -> MeasuredModel:
        assert self.prepared is not None
        return MeasuredModel(
            mode=self.prepared.mode,
            in_words=self.prepared.in_words,
            start_s=self.start_s,
            first_s=self.first_s,
            warm=self.warm,
            windows=tuple(self.windows),
            node_s={name: tuple(times) for name, times in self.node_s.items()},
        )


class PortLauncher:
    """Launches of the same models. `environments` are set by the first."""

    def __init__(
        self,
        models: Sequence[TimedModel],
        passes: Sequence[tuple[Pass, int]],
        pairs: Sequence[TimedPair],
        node_batch_size: int,
        start: Start,
        budget_s: float,
        tell: Tell = lambda line: None,
    ) -> None:
        """`passes` are the kinds of passes with their batch sizes. `start` starts a process for a model, and returns it
        with a function that makes it ready. `tell` is called with a line of progress."""
        self.models, self.passes, self.pairs = list(models), list(passes), list(pairs)
        self.node_batch_size, self.budget_s = node_batch_size, budget_s
        self.environments: dict[str, Environment] = {}
        self._start, self._tell = start, tell
        self._random = np.random.default_rng()
        self._began = time.monotonic()
        self._n_rounds: int | None = None  # from the first launch, used for all

    def clock(self) -> float:
        """Return the seconds since the bench began."""
        return time.monotonic() - self._began

    def launch(self, number: int) -> PortLaunch:
        """Start all one after another and time them in turns. A model that fails is dropped."""
        started_s, failed = self.clock(), dict[str, str]()
        self._random = np.random.default_rng([0, number])
        self._tell(f"Launch {number + 1}: starting {' and '.join(one.name for one in self.models)} ...")
        with self._started(failed) as turns:
            for turn in list(turns):
                with _dropping(turn, turns, failed):
                    self._warm_up(turn)
            self._n_rounds = self._n_rounds or self._rounds_of(turns)
            took_s = self.clock() - started_s
            rounds = number_of(self._n_rounds, "round")
            self._tell(f"Launch {number + 1}: all are warm after {took_s:.0f} s, {rounds} to come ...")
            said_s = self.clock()
            for place in range(self._n_rounds):
                if number == 0 and place >= FEWEST_ROUNDS and self.clock() > self.budget_s:
                    break
                self._round(turns, failed, place)
                if self.clock() - said_s > SAID_EVERY_S:
                    said_s = self.clock()
                    self._tell(f"Launch {number + 1}: {place + 1} of {self._n_rounds} rounds are done.")
            measured = list(turns)  # failures from here on keep their measurements
            if self.pairs and turns:
                self._tell(f"Launch {number + 1}: timing layers, each alone ...")
                self._time_nodes(turns, failed)
        found = {turn.model.name: turn.measured for turn in measured}
        in_order = {one.name: found[one.name] for one in self.models if one.name in found}
        return PortLaunch(number=number, started_s=started_s, measured=in_order, failed=failed)

    @contextmanager
    def _started(self, failed: dict[str, str]) -> Iterator[list[Turn]]:
        """Start the workers one after another in random order, each until its model is ready, and yield them."""
        turns: list[Turn] = []
        begun: list[TimedWorker] = []
        killed = True
        try:
            for place in self._random.permutation(len(self.models)):
                model = self.models[place]
                begin = time.perf_counter()
                worker, prepare = self._start(model)
                begun.append(worker)
                turn = Turn(model, worker)
                turns.append(turn)
                with _dropping(turn, turns, failed):
                    loaded = worker.load("float32")
                    turn.prepared = prepare()
                    turn.start_s = time.perf_counter() - begin
                    self._tell(f"{model.name} is ready after {turn.start_s:.1f} s: {turn.prepared.in_words}.")
                    self.environments.setdefault(model.name, environment_of(model, loaded))
            yield turns
            killed = False
        finally:
            for worker in begun:  # all receive the request first, to end in parallel
                if killed:
                    worker.kill()
                else:
                    worker.end_input()
            for worker in begun:
                worker.close()

    def _warm_up(self, turn: Turn) -> None:
        """Make passes of every kind until they stop getting faster."""
        largest = max(n for _, n in self.passes)
        for what, batch_size in self.passes:
            pass_s: list[float] = []
            calls, spent_s = 1, 0.0
            while not (warm := is_warm(pass_s)) and spent_s < MOST_WARMUP_S:
                begin = time.perf_counter()
                done = turn.worker.time_pass(what, batch_size, calls, 0)
                if not pass_s and batch_size == largest:
                    turn.first_s[what] = time.perf_counter() - begin
                spent_s += done.elapsed_s
                pass_s.append(done.elapsed_s / calls)
                calls = max(1, round(WARMUP_S / pass_s[-1]))
            turn.warm = turn.warm and warm
            turn.pass_s[what, batch_size] = pass_s[-1]

    def _rounds_of(self, turns: Sequence[Turn]) -> int:
        """Return the number of rounds of each launch."""
        round_s = sum(
            PAUSE_S + (calls_of(one) + uncounted_of(one)) * one for turn in turns for one in turn.pass_s.values()
        )
        rounds_s = min(ROUNDS_S, self.budget_s * ROUNDS_SHARE)
        return min(MOST_ROUNDS, max(LEAST_ROUNDS, round(rounds_s / round_s))) if round_s else LEAST_ROUNDS

    def _round(self, turns: list[Turn], failed: dict[str, str], number: int) -> None:
        """Time a window of each kind of pass in random order, and of every model in its turn. Windows that are compared
        are therefore close to each other in time."""
        for place in self._random.permutation(len(self.passes)):
            what, batch_size = self.passes[place]
            order = [turns[one] for one in self._random.permutation(len(turns))]
            for position, turn in enumerate(order):
                with _dropping(turn, turns, failed):
                    time.sleep(PAUSE_S)
                    pass_s = turn.pass_s[what, batch_size]
                    calls = calls_of(pass_s)
                    done = turn.worker.time_pass(what, batch_size, calls, uncounted_of(pass_s))
                    facts = {"what": what, "batch_size": batch_size, "round": number, "position": position}
                    turn.windows.append(PassWindow(**facts, calls=calls, **done.model_dump()))

    def _time_nodes(self, turns: list[Turn], failed: dict[str, str]) -> None:
        """Time layers one by one, those of a pair one after the other; a round takes all of them. Layers that cannot be
        computed alone have no time."""
        end_s = self.clock() + self.budget_s * NODES_SHARE
        names = {side: next(one.name for one in self.models if one.side == side) for side in SIDES}
        first = {side: next((turn for turn in turns if turn.model.name == names[side]), None) for side in SIDES}
        known: dict[str, set[str]] = {}
        for side, turn in list(first.items()):
            if turn is not None:
                with _dropping(turn, turns, failed):
                    known[side] = set(turn.worker.watch_nodes(self.node_batch_size))
        paired = {"left": {one.left for one in self.pairs}, "right": {one.right for one in self.pairs}}
        alone = [{side: name} for side in known for name in sorted(known[side] - paired[side])]
        together: list[Mapping[str, str]] = [{"left": one.left, "right": one.right} for one in self.pairs]
        calls: dict[tuple[str, str], int] = {}
        for number in range(NODE_ROUNDS):
            if number and self.clock() > end_s:
                return
            for place in self._random.permutation(len(together) + len(alone)):
                pair = (*together, *alone)[place]
                for side in self._random.permutation([each for each in pair if each in known]):
                    turn, name = first[side], pair[side]
                    if turn is None or name not in known[side]:
                        continue
                    try:
                        if (side, name) not in calls:
                            found = turn.worker.time_node(name, 1, 1)
                            calls[side, name] = min(MOST_NODE_CALLS, max(1, round(NODE_S / max(found, 1e-5))))
                        time_s = turn.worker.time_node(name, calls[side, name], 1)
                    except InputError:
                        known[side].discard(name)
                        continue
                    turn.node_s.setdefault(name, []).append(time_s)


def launches(nothing: PortTimes, launcher: PortLauncher) -> Iterator[PortTimes]:
    """Launch until every ratio is precise enough or the budget is spent, and yield the times after each launch. Stop
    once a side has failed, because there is no ratio without it."""
    for times in repeat(nothing, launcher, precise):
        measured = times.launches[-1].measured
        failed = {one.side for one in times.models if one.name in measured} != set(SIDES)
        if failed:
            yield times.model_copy(update={"ending": "failed"})
            return
        yield times


@contextmanager
def _dropping(turn: Turn, turns: list[Turn], failed: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        failed[turn.model.name] = " ".join(str(error).split())
        with suppress(ValueError):
            turns.remove(turn)
