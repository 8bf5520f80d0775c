"""Step times of different machines are never pooled."""

import numpy as np
from results import ENVIRONMENT, result

from compare.analysis.diff import Side, changes
from compare.analysis.machines import OnMachine, by_machine, kinds
from compare.analysis.rows import row
from compare.analysis.seeds import Judging, summaries
from compare.folders.manifest import describe, utc_now
from compare.training.report import markdown, verdicts
from shared.result import RunResult

SLOW, FAST = "an old processor", "a new processor"
MANIFEST = describe("a command", utc_now())


def on(cpu: str, seed: int, step_s: float, implementation: str = "torch") -> RunResult:
    made = result(np.full(46, step_s), implementation=implementation, seed=seed)
    return made.model_copy(update={"environment": ENVIRONMENT.model_copy(update={"cpu": cpu})})


MIXED = [on(SLOW, 0, 0.04), on(FAST, 1, 0.02), on(FAST, 2, 0.02), on(SLOW, 0, 0.05, "keras")]
ALIKE = [on(FAST, 0, 0.02), on(FAST, 1, 0.03)]


def test_each_kind_has_its_own_times() -> None:
    assert by_machine(MIXED) == [
        OnMachine("torch", f"{SLOW}, 2 cores", 1, 0.04),
        OnMachine("keras", f"{SLOW}, 2 cores", 1, 0.05),
        OnMachine("torch", f"{FAST}, 2 cores", 2, 0.02),
    ]
    assert by_machine(ALIKE) == []
    assert kinds(ALIKE) == [f"{FAST}, 2 cores"]


def test_there_is_no_time_of_all_of_them() -> None:
    mixed = {summary.implementation: summary for summary in summaries(MIXED, Judging(target=0.5))}
    assert (mixed["torch"].step_s, mixed["torch"].reached_s, mixed["torch"].n) == (None, (), 3)
    assert mixed["keras"].step_s == 0.05  # from one kind of machine, although the study has two
    (alike,) = summaries(ALIKE, Judging(target=0.5))
    assert alike.step_s == 0.025
    assert len(alike.reached_s) == 2


def test_the_report_says_so() -> None:
    said = "The runs were made on 2 kinds of machines."
    assert any(said in text for text in verdicts(MIXED, Judging()))
    assert not any(said in text for text in verdicts(ALIKE, Judging()))
    text = markdown(MIXED, [row(one) for one in MIXED], MANIFEST, Judging(), [], None)
    assert f"| {SLOW}, 2 cores | keras | 1 | 50.00 ms |" in text
    assert f"| {FAST}, 2 cores | torch | 2 | 20.00 ms |" in text


def test_what_did_not_take_turns_is_reported() -> None:
    for in_turns in (True, False):
        alone = [one.model_copy(update={"in_turns": in_turns}) for one in ALIKE]
        text = markdown(alone, [row(one) for one in alone], MANIFEST, Judging(), [], None)
        assert ("The implementations took turns" in text) == in_turns
        assert ("their step times cannot be compared" in text) != in_turns


def test_a_difference_is_that_of_one_kind() -> None:
    """Seed 0 moved to another machine, so step times are compared on the other seeds only."""
    before = Side("before", MANIFEST, [on(FAST, seed, 0.02) for seed in range(3)])
    after = Side("after", MANIFEST, [on(SLOW, 0, 0.06), on(FAST, 1, 0.02), on(FAST, 2, 0.02)])
    assert ["1.00x" in c.said for c in changes(before, after, 0.003) if c.what == "step time"] == [True]
    moved = Side("moved", MANIFEST, [on(SLOW, seed, 0.06) for seed in range(3)])
    (unlike,) = (c for c in changes(before, moved, 0.003) if c.what == "step time")
    assert (unlike.moved, unlike.value) == ("not known", None)
    assert "different kinds of machines" in unlike.said
    across = changes(before, moved, 0.003, across_machines=True)
    assert ["3.00x" in c.said for c in across if c.what == "step time"] == [True]
