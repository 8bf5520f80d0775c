"""Launches with simulated workers: each contestant has a turn in every round, and failed ones are left out."""

import itertools
import threading

import numpy as np
import pytest
from patience import GENEROUS_S
from simulation import SimulatedSession, contestant

from compare.bench import launcher, shape, tables
from compare.bench.launcher import Launcher
from compare.bench.report import why_ended
from compare.bench.result import BenchResult, Contestant, Launch, TimedWindow
from compare.bench.schedule import precise, repeat
from compare.bench.statistics import Interval
from compare.bench.verdicts import achieved, break_even, break_evens, names, own_share, ratio_to_baseline, say, warnings
from compare.options.bench import BenchOptions
from compare.processes.process import WorkerError
from compare.subject import Subject
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
from shared.result import Environment
from shared.training import TrainSpec

SPEC = MODELS["dense_baseline"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "PAUSE_S", 0.0)
    monkeypatch.setattr(launcher, "usable_cores", lambda: 1)  # serial, which keeps the order of random numbers


class Simulation:
    """A bench of simulated workers, whose settings `differently` gives by contestant. A launch takes 10 s by its own
    clock."""

    def __init__(self, data: Data, *who: str, budget_s: float = 120.0, **differently: dict[str, object]) -> None:
        self.random = np.random.default_rng(0)
        self.differently = differently
        self.sessions: list[tuple[str, SimulatedSession]] = []
        subject = Subject(SPEC, TrainSpec(epochs=1), data, "cpu")
        self.launcher = Launcher([contestant(name) for name in who], subject, self.start, budget_s)
        self.empty = BenchResult(
            model=SPEC.name,
            dataset="digits",
            data_digest="",
            n_test=360,
            device="cpu",
            seed=0,
            contestants=tuple(self.launcher.contestants),
            lacking=(),
            baseline=who[0],
            flops_per_image=SPEC.training_flops,
            bytes_per_image=SPEC.training_bytes[0],
            bytes_per_step=SPEC.training_bytes[1],
            precision=0.03,
            budget_s=budget_s,
            took_s=0.0,
            ending="interrupted",
            environments={},
            launches=(),
        )
        self.now = 0.0

    def start(self, of: Contestant) -> SimulatedSession:
        name = of.name
        session = SimulatedSession(self.random, **{"step_s": 0.01, **self.differently.get(name, {})})
        self.sessions.append((name, session))
        return session

    def clock(self) -> float:
        return self.now

    def launch(self, number: int) -> Launch:
        done = self.launcher.launch(number).model_copy(update={"started_s": self.now})
        self.now += 10.0
        return done

    @property
    def environments(self) -> dict[str, Environment]:
        return self.launcher.environments

    def run(self) -> list[BenchResult]:
        known: list[BenchResult] = []
        known += repeat(self.empty, self, precise)
        return known


def test_every_contestant_has_its_turn_in_every_round(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", "c", c={"step_s": 0.005}, a={"step_s": 0.002}, b={"step_s": 0.002})
    done = simulation.launch(0)
    for name in "abc":
        measured = done.measured[name]
        n_rounds = len(measured.step_s("end_to_end"))
        assert shape.LEAST_ROUNDS < n_rounds <= shape.MOST_ROUNDS
        assert len(measured.step_s("compute")) == -(-n_rounds // shape.COMPUTE_EVERY)
    n_steps = {w.steps for m in done.measured.values() for w in m.windows if w.round >= 0 and w.what != "evaluation"}
    assert len(n_steps) == 1
    assert n_steps.pop() == pytest.approx(shape.WINDOW_S / 0.005, rel=0.2)
    for number in range(n_rounds):
        of_round = [
            w for m in done.measured.values() for w in m.windows if w.round == number and w.what == "end_to_end"
        ]
        assert sorted(w.position for w in of_round) == [0, 1, 2]


def test_what_is_not_counted_is_as_long_for_each(digits: Data) -> None:
    """There are at least two uncounted steps. A fast contestant makes more of them than a slow one, but is timed for as
    many steps. All launches are alike."""
    simulation = Simulation(digits, "a", "b", b={"step_s": 0.1})
    for number in range(3):
        simulation.launch(number)
    for name, expected in (("a", shape.UNCOUNTED_S / 0.01), ("b", shape.LEAST_UNCOUNTED)):
        sessions = [session for who, session in simulation.sessions if who == name]
        shapes = {
            (steps, uncounted)
            for s in sessions
            for what, steps, uncounted in s.asked
            if uncounted and what == "end_to_end"
        }
        ((steps, uncounted),) = shapes
        assert steps == 1
        assert uncounted == pytest.approx(expected, abs=1)


def test_only_the_first_launch_is_cut_short(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget ends in the middle of it. A later launch counts as much with few rounds as with many."""
    simulation = Simulation(digits, "a", "b", budget_s=50)
    monkeypatch.setattr(simulation.launcher, "_check_budget", lambda: None)
    monkeypatch.setattr(simulation.launcher, "clock", lambda: 100.0)
    n_rounds = [len(simulation.launch(number).measured["a"].step_s("end_to_end")) for number in range(2)]
    assert n_rounds[0] == shape.LEAST_ROUNDS < n_rounds[1]


class Slow(Launcher):
    """A launcher whose clock advances by 3 s at each reading."""

    now_s = 0.0

    def clock(self) -> float:
        self.now_s += 3.0
        return self.now_s


def messages_of(digits: Data, budget_s: float, needs: int = 3) -> list[str]:
    reported: list[str] = []
    simulation = Simulation(digits, "a", "b")
    subject = Subject(SPEC, TrainSpec(epochs=1), digits, "cpu")
    contestants = [contestant(name) for name in "ab"]
    slow = Slow(contestants, subject, simulation.start, budget_s, rounds_s=20.0, needs=needs, tell=reported.append)
    slow.launch(0)
    slow.launch(1)
    return reported


def test_a_small_budget_is_said_before_it_is_spent(digits: Data) -> None:
    """A launch takes 3 s to get warm, and almost one more for six rounds, although nothing is left for them."""
    reported = messages_of(digits, budget_s=10, needs=4)
    (place,) = (at for at, text in enumerate(reported) if text.startswith("Warning"))
    assert reported[place] == (
        "Warning: a launch takes about 4 s, and an interval needs 4 launches. In 10 s there will be none: give "
        "--budget 20 or more."
    )
    assert reported[place - 1].startswith("Launch 1: all are warm after 3 s,")
    assert not any(text.startswith("Warning") for text in messages_of(digits, budget_s=30, needs=4))
    assert not any(text.startswith("Warning") for text in messages_of(digits, budget_s=10, needs=0))


def test_rounds_are_reported_as_they_go(digits: Data) -> None:
    reported = messages_of(digits, budget_s=1_000)
    for launch in (1, 2):
        done = [
            text.split()[2:5]
            for text in reported
            if text.startswith(f"Launch {launch}: ") and "rounds are done" in text
        ]
        numbers = [int(number) for number, _, _ in done]
        assert numbers[:3] == [1, 3, 5]
        assert {(word, int(n) > numbers[-1]) for _, word, n in done} == {("of", True)}


def test_a_frameworks_own_loop_has_few_rounds(digits: Data) -> None:
    """Its window is an epoch of 5 s, so it has six of them."""
    entries = [launcher.Entry(contestant(name), None) for name in ("a", "loop")]  # type: ignore[arg-type]
    entries[1].contestant = entries[1].contestant.model_copy(update={"recipe": "idiomatic"})
    for entry, steps, elapsed_s in zip(entries, (10, 500), (0.1, 5.0), strict=True):
        known = {"what": "end_to_end", "round": -1, "position": 0, "fetch_s": 0.0, "own_s": 0.0, "foreign_s": None}
        window = {**known, "steps": steps, "elapsed_s": elapsed_s, "n_preempted": 0}
        entry.windows.append(TimedWindow.model_validate(window))
    found = shape.shape_of(entries, launcher.ROUNDS_S, 0.0)
    assert (found.n_rounds, found.steps, found.uncounted) == (shape.LEAST_ROUNDS, 3, {"a": 3})


def test_what_fails_after_the_rounds_was_measured(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: SimulatedSession, device: str) -> None:
        raise WorkerError("no memory for that")

    monkeypatch.setattr(SimulatedSession, "limits", fail)
    done = Simulation(digits, "a", "b").launch(0)
    assert set(done.measured) == {"a", "b"}
    assert set(done.failed) == {"a", "b"}
    assert done.ceilings == ()


def test_every_contestant_is_created_as_it_is_described(digits: Data) -> None:
    plain = contestant("plain")
    special = plain.model_copy(
        update={
            "name": "special",
            "mode": "graph",
            "batch_size": 32,
            "tuning": {"optimizer": "fused"},
            "mixed_precision": "bfloat16",
        }
    )
    simulation = Simulation(digits, "plain")
    simulation.launcher.contestants = [plain, special]
    simulation.launch(0)
    (_, of_plain), (_, of_special) = simulation.sessions
    plain_build, special_build = of_plain.created, of_special.created
    assert (plain_build.mode, plain_build.recipe, plain_build.tuning) == ("eager", "matched", {})
    assert (special_build.mode, special_build.recipe) == ("graph", "matched")
    assert special_build.tuning == {"optimizer": "fused"}
    trained = [build.train for build in (plain_build, special_build)]
    assert [train.batch_size for train in trained] == [64, 32]
    assert [train.mixed_precision for train in trained] == ["none", "bfloat16"]


def test_the_order_of_turns_is_not_always_the_same(digits: Data) -> None:
    done = Simulation(digits, "a", "b", "c").launch(0)
    orders = {
        tuple(w.position for w in measured.windows if w.round >= 0 and w.what == "compute")
        for measured in done.measured.values()
    }
    assert all(len(set(order)) > 1 for order in orders)


def test_warm_up_ends_by_what_is_seen(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", b={"cold": 50})
    done = simulation.launch(0)
    assert done.measured["b"].warm
    assert done.measured["b"].warmup_steps > 150 > done.measured["a"].warmup_steps
    assert np.median(done.measured["b"].step_s("end_to_end")) < 0.0115


def test_what_takes_too_long_to_get_warm_is_reported(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", b={"step_s": 10.0})
    done = simulation.launch(0)
    assert not done.measured["b"].warm
    reported = warnings(simulation.empty.model_copy(update={"launches": (done,)}))
    assert reported == ["b was still getting faster at the end of its warm-up in at least one launch."]


@pytest.mark.parametrize("window", [0, 5, 20, 25, 30])
@pytest.mark.parametrize("number", range(4))
def test_who_fails_is_left_out_and_named(digits: Data, window: int, number: int) -> None:
    """This holds whenever it fails, in any order of turns. No other contestant misses a turn."""
    simulation = Simulation(digits, "a", "b", "c", a={"fails_at": window})
    done = simulation.launch(number)
    assert set(done.measured) == {"b", "c"}
    assert done.failed == {"a": "it was asked to fail"}
    for what in ("end_to_end", "compute"):
        b, c = (done.measured[name].step_s(what) for name in "bc")
        assert len(b) == len(c) > shape.LEAST_ROUNDS / shape.COMPUTE_EVERY
    assert all(session.ended for _, session in simulation.sessions)


def test_a_device_that_was_not_waited_for_is_reported(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", b={"fetch": 0.2})
    result = simulation.empty.model_copy(update={"launches": (simulation.launch(0),)})
    assert warnings(result) == ["b: the device was still at work when its windows ended; its times are too short."]


def test_compiling_pays_off_after_as_many_steps_as_it_saves(digits: Data) -> None:
    """The first step takes 1 s, and every other one saves 4 ms of 10: 250 steps."""
    simulation = Simulation(digits, "a", "b", "c", b={"step_s": 0.006, "first_s": 1.0}, c={"first_s": 1.0})
    modes = {"b": "graph", "c": "xla"}
    named = [c.model_copy(update={"mode": modes.get(c.name, c.mode)}) for c in simulation.empty.contestants]
    simulation.empty = simulation.empty.model_copy(update={"contestants": tuple(named)})
    *_, last = simulation.run()
    steps = break_even(last, named[1], named[0])
    assert steps == pytest.approx(250, rel=0.15)
    assert break_evens(last) == [
        f"b pays off against a after about {steps:,} steps, its first one included.",
        "c never pays off against a: its steps are not shown to be faster.",
    ]
    nothing = simulation.empty.model_copy(update={"launches": ()})
    assert break_evens(nothing)[0].startswith("b and a were not measured together")


def test_launches_end_when_ratios_are_known(digits: Data) -> None:
    *_, last = Simulation(digits, "a", "b", b={"step_s": 0.005}).run()
    assert last.ending == "precise"
    assert 5 <= len(last.launches) < 12
    found = ratio_to_baseline(last, "b")
    assert found is not None
    assert found.holds(2.0)
    assert found.half_width <= 0.03
    assert say(last, "b").startswith("b is ")


def test_an_interval_is_worth_going_a_little_beyond_the_budget(digits: Data) -> None:
    """On a slow machine the third launch, which the interval needs, begins before the budget ends."""
    *_, last = Simulation(digits, "a", "b", budget_s=24).run()
    assert (last.ending, len(last.launches)) == ("budget", 3)
    *_, last = Simulation(digits, "a", "b", budget_s=19).run()
    assert len(last.launches) == 2


def test_without_a_budget_of_its_own_a_bench_ends_with_intervals(digits: Data) -> None:
    """It makes three launches, however long they take, because the default budget must not cost the interval."""
    simulation = Simulation(digits, "a", "b", budget_s=5)
    *_, last = repeat(simulation.empty, simulation, precise, until_known=True)
    assert (last.ending, len(last.launches)) == ("budget", 3)
    assert why_ended(last).startswith("3 launches, 30 s. It ended with the launches that an interval needs. The last")
    found = ratio_to_baseline(last, "b")
    assert found is not None
    assert found.low is not None
    simulation = Simulation(digits, "a", "b", a={"fails_at": 0}, b={"fails_at": 0})
    (last,) = repeat(simulation.empty, simulation, precise, until_known=True)
    assert last.ending == "failed"


@pytest.mark.parametrize("until_known", [True, False])
def test_a_busy_machine_costs_no_interval(digits: Data, until_known: bool) -> None:
    """The first launch alone exceeds the budget. Unless the budget was given, the bench reports its duration and
    continues."""
    reported: list[str] = []
    simulation = Simulation(digits, "a", "b")
    contestants = simulation.empty.contestants
    subject = simulation.launcher.subject
    slow = Slow(contestants, subject, simulation.start, 1.0, needs=3, until_known=until_known, tell=reported.append)
    if not until_known:
        with pytest.raises(InputError, match="--budget 1 is too short for one round"):
            slow.launch(0)
        return
    *_, last = repeat(simulation.empty.model_copy(update={"budget_s": 1.0}), slow, precise, until_known=True)
    assert (last.ending, len(last.launches)) == ("budget", 3)
    assert any("--budget S ends it earlier, without intervals." in text for text in reported)


@pytest.mark.parametrize(("options", "until_known"), [({}, True), ({"budget": 120.0}, False)])
def test_a_budget_that_was_asked_for_is_kept(options: dict[str, float], until_known: bool) -> None:
    """This holds even if it equals the default."""
    found = BenchOptions.of_texts(**options)
    assert (found.budget_s, found.until_known) == (120.0, until_known)


@pytest.mark.parametrize("number", [0, 1])
def test_an_interrupt_while_networks_are_built_kills_all_workers(
    digits: Data, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The first launch builds one after another, later launches in parallel. There the other thread waits for its
    worker, which would not end by itself."""
    killed, waiting = {name: threading.Event() for name in "ab"}, threading.Event()
    ended_alone: list[str] = []
    cut_short: list[bool] = []

    class Building(SimulatedSession):
        name = ""

        def load_data(self, data: object) -> None:
            if self.name == "a":
                assert number == 0 or waiting.wait(GENEROUS_S)
                raise KeyboardInterrupt
            waiting.set()
            cut_short.append(killed["b"].wait(GENEROUS_S))
            raise WorkerError("the worker was ended by signal 9")

        def kill(self) -> None:
            killed[self.name].set()
            self.ended = True

        def end_input(self) -> None:
            ended_alone.append(self.name)

    monkeypatch.setattr(launcher, "usable_cores", lambda: 2)
    simulation = Simulation(digits, "a", "b")

    def start(of: Contestant) -> SimulatedSession:
        session = Building(simulation.random, 0.01)
        session.name = of.name
        return session

    simulation.launcher._start = start
    with pytest.raises(KeyboardInterrupt):
        simulation.launcher.launch(number)
    assert all(event.is_set() for event in killed.values())
    assert ended_alone == []
    assert cut_short == [True] * number  # and waited for nothing else


def test_long_steps_are_warm_after_fewer(digits: Data) -> None:
    """A step of 0.3 s needs one uncounted step before a turn, none before its second window, and four to get warm."""
    slow = Simulation(digits, "a", "b", a={"step_s": 0.3}, b={"step_s": 0.3}).launch(0).measured["a"]
    fast = Simulation(digits, "a", "b", a={"step_s": 0.05}, b={"step_s": 0.05}).launch(0).measured["a"]
    before = [sum(w.round < 0 and w.what == "end_to_end" for w in one.windows) for one in (slow, fast)]
    assert before[0] < before[1]
    assert before[1] >= 2 * shape.WARM_WINDOWS
    assert [shape.uncounted_steps(step_s) for step_s in (0.3, 0.05, 0.001)] == [1, 2, 30]


def test_a_second_window_of_a_turn_follows_at_once(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b")
    simulation.launch(0)
    for _, session in simulation.sessions:
        in_turns = [uncounted for what, _, uncounted in session.asked if what != "evaluation"]
        n_rounds = sum(uncounted > 0 for uncounted in in_turns)  # one turn each
        assert n_rounds >= shape.LEAST_ROUNDS
        last = in_turns[-n_rounds - -(-n_rounds // shape.COMPUTE_EVERY) :]
        assert last.count(0) == -(-n_rounds // shape.COMPUTE_EVERY)
        assert all(one > 0 for one, after in itertools.pairwise(last) if after == 0)


def test_rounds_make_room_for_launches() -> None:
    """With 120 s and 20 s per launch before its rounds, five launches have 4 s each. With enough time they have 10
    s."""
    assert shape.affordable(10.0, 100.0, 20.0) == pytest.approx(4.0)
    assert shape.affordable(10.0, 110.0, 10.0) == 10.0
    assert shape.affordable(10.0, float("inf"), 20.0) == 10.0
    assert shape.affordable(10.0, 60.0, 60.0) < 0


def test_later_launches_build_side_by_side(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many build at once as there are cores. First steps are recorded only of workers that run alone."""
    monkeypatch.setattr(launcher, "usable_cores", lambda: 2)
    simulation = Simulation(digits, "a", "b")
    barrier = threading.Barrier(2)
    first = simulation.launch(0)
    monkeypatch.setattr(SimulatedSession, "load_data", lambda self, data: barrier.wait(GENEROUS_S))
    second = simulation.launch(1)
    assert set(second.measured) == {"a", "b"}
    assert all(measured.first_step_s for measured in first.measured.values())
    assert not any(measured.first_step_s for measured in second.measured.values())
    # The first worker of each implementation starts alone, which allows its start to be timed.
    assert [first.measured[name].start_s is None for name in "ab"] == [False, True]


def test_launches_end_with_the_budget(digits: Data) -> None:
    *_, last = Simulation(digits, "a", "b", budget_s=55, b={"luck": 0.5}).run()
    assert last.ending == "budget"
    assert len(last.launches) == 5


def test_a_bench_in_which_all_fail_ends(digits: Data) -> None:
    (last,) = Simulation(digits, "a", "b", a={"fails_at": 0}, b={"fails_at": 0}).run()
    assert last.ending == "failed"
    assert names(last) == ["a", "b"]
    assert say(last, "b") == "b was not measured together with a."


def test_a_budget_too_short_for_one_round(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", budget_s=0.0)
    with pytest.raises(InputError, match=r"--budget 0 is too short for one round: .* Give 1 or more"):
        simulation.launcher.launch(0)
    assert all(session.ended for _, session in simulation.sessions)


def test_an_extra_step_is_seen_in_an_a_a_bench(digits: Data) -> None:
    """One more step in a window of about 20 is 5 %."""
    fast = {"step_s": shape.WINDOW_S / 20}
    *_, fair = Simulation(digits, "a", "b", a=fast, b=fast).run()
    *_, unfair = Simulation(digits, "a", "b", a=fast, b={**fast, "extra": 1}).run()
    holds = [ratio_to_baseline(result, "b").holds(1.0) for result in (fair, unfair)]
    assert holds == [True, False]


def test_evaluation_is_timed_after_what_it_compiles(digits: Data) -> None:
    """Every timed window of evaluation follows an uncounted batch."""
    simulation = Simulation(digits, "a", "b")
    done = simulation.launch(0)
    for name, session in simulation.sessions:
        asked = [(steps, uncounted) for what, steps, uncounted in session.asked if what == "evaluation"]
        timed = [w.steps for w in done.measured[name].windows if w.what == "evaluation"]
        assert asked == [(launcher.EVALUATED_BATCHES, 1)]
        assert timed == [launcher.EVALUATED_BATCHES]


def test_achieved_operations_are_those_of_a_batch(digits: Data) -> None:
    """A step of 10 ms has 64 images of 409,088 operations. It moves 64 images of 3,136 bytes, and 101,770 parameters
    with two moments, read and written. The simulation's 1e10 bytes per second are the roof, not its 1e11 operations."""
    simulation = Simulation(digits, "a", "b")
    result = simulation.run()[-1]
    a = result.contestants[0]
    rate, share = achieved(result, a, Interval(0.01))
    assert rate == pytest.approx(64 * 409_088 / 0.01)
    moved = 64 * 3_136 + 24 * 101_770
    assert share == pytest.approx(moved / 1e10 / 0.01)
    much = result.model_copy(update={"flops_per_image": 10_000_000})
    rate, share = achieved(much, a, Interval(0.01))
    assert share == pytest.approx(rate / 1e11)
    # Launches count equally, whatever the machine's limits were.
    launches = [
        launch.model_copy(
            update={"ceilings": [c.model_copy(update={"flops_per_s": flops_per_s}) for c in launch.ceilings]}
        )
        for launch, flops_per_s in zip(much.launches, (1e11, 4e11), strict=False)
    ]
    uneven = much.model_copy(update={"launches": tuple(launches)})
    assert achieved(uneven, a, Interval(0.01))[1] == pytest.approx(rate / 2e11)
    # Limits with another number of threads are not its own.
    assert achieved(result, a.model_copy(update={"threads": 1}), Interval(0.01))[1] is None


def test_a_framework_is_compared_with_its_own_products_too(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b")
    launch = simulation.launch(0)
    (known,) = launch.ceilings
    slower = known.model_copy(update={"framework": "another", "flops_per_s": 4e10})
    result = simulation.empty.model_copy(
        update={
            "launches": (launch.model_copy(update={"ceilings": (known, slower)}),),
            "environments": {
                "a": simulation.environments["a"],
                "b": simulation.environments["b"].model_copy(update={"framework": "another"}),
            },
        }
    )
    a, b = result.contestants
    assert own_share(result, a, 2e10) == pytest.approx(0.2)
    assert own_share(result, b, 2e10) == pytest.approx(0.5)
    assert own_share(result, b.model_copy(update={"threads": 1}), 2e10) is None
    assert "of its own products)" in tables.CELLS["achieved"](result, b)
    of_a, of_b = tables.ceilings(result)
    assert "(100% of the fastest framework's)" in of_a
    assert "(40% of the fastest framework's)" in of_b


def test_foreign_load_is_flagged(digits: Data) -> None:
    simulation = Simulation(digits, "a", "b", b={"foreign": 0.5})
    result = simulation.empty.model_copy(update={"launches": (simulation.launch(0),)})
    assert warnings(result) == [
        "Foreign load: while b worked, other processes took up to 50% of a core. These figures are of a busy machine."
    ]
    unknown = Simulation(digits, "a", "b", a={"foreign": None}, b={"foreign": None})
    assert warnings(unknown.empty.model_copy(update={"launches": (unknown.launch(0),)})) == []
