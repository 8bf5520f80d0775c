"""`port --bench`: two models take turns, and their passes and layers are reported and recorded."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from compare.bench import statistics
from compare.bench.ported import launcher, report, verdicts
from compare.bench.ported.launcher import PortLauncher, launches
from compare.bench.ported.record import PortTimes, TimedModel, TimedPair
from compare.commands import port_times
from compare.reporting.screen import print_lines
from compare.rpc.port_messages import ModelLoaded
from compare.rpc.timing_messages import Pass, PassTimed, TimesPrepared
from shared.errors import InputError

SCHEMA = Path(__file__).parents[3] / "docs" / "schema" / "port-times.schema.json"
LAYERS = {"left": {"conv": 4e-3, "relu": 1e-3, "fc": 2e-3}, "right": {"conv2d": 9e-3, "dense": 2e-3, "pad": 5e-4}}
PAIRS = (TimedPair(left="conv", right="conv2d", kind="Conv"), TimedPair(left="fc", right="dense", kind="Gemm"))


class Pretending:
    """A worker whose passes take `pass_s` per example, times random factors of its launch and of each window.

    It fails at the work named by `fails`.
    """

    def __init__(self, random: np.random.Generator, side: str, pass_s: float, fails: str = "") -> None:
        self.random, self.side, self.fails = random, side, fails
        self.pass_s = pass_s * float(np.exp(random.normal(0, 0.03)))
        self.asked: list[tuple[str, int, int]] = []
        self.ended = False

    def load(self, precision: str) -> ModelLoaded:
        assert precision == "float32"
        return ModelLoaded(framework="pretended", version="1", model="Net", inputs=None)

    def prepare(self) -> TimesPrepared:
        if self.fails == "prepare":
            raise InputError("it cannot\nbe compiled")
        return TimesPrepared(mode="eager", in_words="eager")

    def time_pass(self, what: Pass, batch_size: int, calls: int, uncounted: int) -> PassTimed:
        if self.fails == what:
            raise InputError("it was made to fail")
        self.asked.append((what, calls, uncounted))
        elapsed_s = self.pass_s * batch_size * (3 if what == "training" else 1) * calls * self.random.normal(1, 0.02)
        return PassTimed(elapsed_s=elapsed_s, own_s=elapsed_s, foreign_s=0.0, n_preempted=0, finite=True)

    def watch_nodes(self, batch_size: int) -> tuple[str, ...]:
        assert batch_size == 16
        return tuple(LAYERS[self.side])

    def time_node(self, node: str, calls: int, uncounted: int) -> float:
        if node == "relu":
            raise InputError("it cannot be computed alone")
        return LAYERS[self.side][node] * float(self.random.normal(1, 0.02))

    def end_input(self) -> None:
        self.ended = True

    kill = end_input

    def close(self) -> None:
        assert self.ended


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing, and draw few resamples, which suffice here."""
    monkeypatch.setattr(launcher, "PAUSE_S", 0.0)
    monkeypatch.setattr(launcher, "ROUNDS_S", 2.0)
    monkeypatch.setattr(statistics, "N_RESAMPLES", 400)


def simulated(
    pass_s: tuple[float, float] = (0.5e-3, 0.8e-3),
    seed: int = 0,
    fails: str = "",
    budget_s: float = 1e3,
    whats: tuple[Pass, ...] = ("forward", "training"),
    started: list[Pretending] | None = None,
) -> PortTimes:
    """Return a bench of two models whose passes take `pass_s` per example. The right one fails at `fails`."""
    random = np.random.default_rng(seed)
    models = tuple(
        TimedModel(name=side, side=side, asked=None, threads=2, waiting="system", variables={"MALLOC_A": "1"})
        for side in ("left", "right")
    )

    def start(model: TimedModel) -> Any:
        place = ("left", "right").index(model.side)
        worker = Pretending(random, model.side, pass_s[place], fails if place else "")
        if started is not None:
            started.append(worker)
        return worker, worker.prepare

    nothing = PortTimes(
        references={"left": "left.py:Net", "right": "right.py:build"},
        models=models,
        baseline="left",
        whats=whats,
        untrained="" if "training" in whats else "Training steps were not timed.",
        batch_sizes=(1, 16),
        node_batch_size=16,
        pairs=PAIRS,
        precision=0.1,
        budget_s=budget_s,
        took_s=0.0,
        ending="interrupted",
        environments={},
        launches=(),
    )
    passes = [(what, n) for what in whats for n in nothing.batch_sizes]
    *_, times = launches(nothing, PortLauncher(models, passes, PAIRS, 16, start, budget_s))
    return times


@pytest.fixture(scope="module")
def times() -> PortTimes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "PAUSE_S", 0.0)
        patch.setattr(launcher, "ROUNDS_S", 2.0)
        patch.setattr(statistics, "N_RESAMPLES", 400)
        return simulated()


def test_figures_are_those_that_were_made_up(times: PortTimes) -> None:
    assert times.ending == "precise"
    for what, factor in (("forward", 1), ("training", 3)):
        for n in times.batch_sizes:
            left = verdicts.pass_time(times, "left", what, n)  # type: ignore[arg-type]
            found = verdicts.speed(times, "right", "left", what, n)  # type: ignore[arg-type]
            assert left is not None
            assert left.value == pytest.approx(0.5e-3 * n * factor, rel=0.08)
            assert found is not None
            assert found.value == pytest.approx(0.5 / 0.8, rel=0.08)
            assert found.high is not None
            assert found.high < 1
    said = verdicts.verdicts(times)
    assert "Run as eager (left), eager (right)." in said
    assert said[0].startswith("right is 0.6")
    assert said[0].endswith("as fast as left in a forward pass, batches of 1.")
    assert "in a training step, batches of 16." in said[3]


def test_equal_models_hold_1() -> None:
    """Only a few of many benches of equal models miss it, because each interval is one of 95 %."""
    found = [
        verdicts.speed(simulated((1e-3, 1e-3), seed, whats=("forward",)), "right", "left", "forward", 16)
        for seed in range(12)
    ]
    missed = [one for one in found if one is None or one.low is None or not one.holds(1.0)]
    assert len(missed) <= 3  # 4 of 12 would occur once in 500 times
    assert any(
        "No difference shown between right and left in a forward pass" in text for text in _verdicts((1e-3, 1e-3))
    )


def _verdicts(pass_s: tuple[float, float]) -> list[str]:
    return verdicts.verdicts(simulated(pass_s, whats=("forward",)))


def test_all_take_turns_and_none_is_timed_cold(times: PortTimes) -> None:
    started: list[Pretending] = []
    for launch in simulated(started=started).launches:
        places = {
            (name, w.what, w.batch_size, w.round): w.position for name, m in launch.measured.items() for w in m.windows
        }
        for (name, *window), place in places.items():
            other = "left" if name == "right" else "right"
            assert places[other, *window] == 1 - place  # type: ignore[index]
    in_rounds = [(calls, uncounted) for what, calls, uncounted in started[0].asked if uncounted and what == "forward"]
    assert in_rounds
    assert all(uncounted >= 2 and calls >= 2 for calls, uncounted in in_rounds)


def test_layers_are_sorted_by_what_they_cost_and_the_rest_is_said(times: PortTimes) -> None:
    found = verdicts.costs(times)
    assert [(cost.left, cost.right) for cost in found] == [("conv", "conv2d"), ("fc", "dense"), ("", "pad")]
    assert found[0].ratio is not None
    assert found[0].ratio.value == pytest.approx(9 / 4, rel=0.05)  # the right one's time over the left one's
    assert found[2].ratio is None
    totals = verdicts.totals(times)
    assert totals["left"] == pytest.approx((6e-3, 8e-3), rel=0.08)
    assert totals["right"] == pytest.approx((11.5e-3, 12.8e-3), rel=0.08)
    cells = report.node_cells(times, 1)
    assert [line[0] for line in cells] == ["conv", "2 others", "all layers", "the forward pass", "left over"]
    *_, layers, where = verdicts.verdicts(times)
    assert layers.startswith("In a forward pass, batches of 16, layers take 6")
    assert where.startswith("The right model takes longer mainly at conv / conv2d (+")


def test_tables_fit_80_columns(times: PortTimes) -> None:
    long = json.loads(times.model_dump_json())
    text = json.dumps(long).replace('"conv2d"', '"conv5_block3_preact_bn"').replace('"conv"', '"layer4.2.downsample.0"')
    stream = io.StringIO()
    console = Console(file=stream, width=port_times.NARROW)
    cells = report.narrow_cells(PortTimes.model_validate_json(text))
    print_lines(console, list(report.NARROW_HEADINGS), cells, report.FOLDED, "Layers", report.FOLDED)
    print_lines(console, list(report.PASS_HEADINGS), report.pass_cells(times), ("model", "pass"))
    lines = stream.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert not any(line.startswith(("left:", "model:")) for line in lines)  # a line never has only one cell


def test_who_fails_takes_no_further_part() -> None:
    times = simulated(fails="training")
    assert [launch.failed for launch in times.launches] == [{"right": "it was made to fail"}]
    assert times.ending == "failed"
    assert verdicts.speed(times, "right", "left", "forward", 1) is None
    assert "right failed in launch 1: it was made to fail" in verdicts.warnings(times)
    never = simulated(fails="prepare")
    assert never.launches[0].failed == {"right": "it cannot be compiled"}
    assert verdicts.verdicts(never)[0] == ("right was not measured together with left in a forward pass, batches of 1.")
    assert report.section(never)


def test_one_launch_has_no_interval_and_says_so() -> None:
    times = simulated(budget_s=1e-9)
    assert len(times.launches) == 1
    assert times.ending == "budget"
    assert (
        "in 1 launch: too few to say, since an interval needs 3. Give a larger --budget." in verdicts.verdicts(times)[0]
    )


def test_only_the_forward_pass_is_timed_without_a_loss() -> None:
    times = simulated(whats=("forward",))
    assert {w.what for one in times.of("left") for w in one.windows} == {"forward"}
    assert "Training steps were not timed." in verdicts.verdicts(times)


def test_examples_come_over_and_over_again() -> None:
    found = port_times.repeated(np.arange(6.0).reshape(3, 2), 5)
    assert found[:, 0].tolist() == [0, 2, 4, 0, 2]
    assert found.dtype == np.float32
    assert port_times.repeated(np.arange(3), 2).dtype == np.arange(3).dtype


def test_records_that_cannot_be(times: PortTimes) -> None:
    record = json.loads(times.model_dump_json())
    assert PortTimes.model_validate(record) == times
    jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    for wrong in ({"baseline": "another"}, {"batch_sizes": []}, {"unheard_of": 1}, {"schema_version": 2}):
        with pytest.raises(ValidationError):
            PortTimes.model_validate(record | wrong)
    answer = report.answer(times)
    assert [one["right"] for one in answer["layers"]] == ["conv2d", "dense", "pad"]
    json.dumps(answer, allow_nan=False)
