"""Several seeds together: means with intervals, pairs by seed, and the time until a target."""

import numpy as np
import pytest
from results import failure, result

from compare.analysis.seeds import Judging, in_order, pairs, say, say_all, summaries, training_s_until
from compare.folders.manifest import Manifest
from compare.training import report
from shared.result import Epoch, RunResult, Samples

MANIFEST = Manifest(
    command="a command",
    started="2026-01-02T03:04:05Z",
    ended="2026-01-02T03:05:05Z",
    version="0",
    commit=None,
    dataset_reason="As asked for.",
    files={},
)


def study(**accuracies: list[float]) -> list[RunResult]:
    """Return a run for each accuracy, by implementation, with consecutive seeds. Their test sets have 360 images."""
    return [
        result(implementation=name, seed=seed, accuracy=accuracy)
        for name, of_one in accuracies.items()
        for seed, accuracy in enumerate(of_one)
    ]


def with_curve(accuracies: list[float], part: str = "test", **samples: object) -> RunResult:
    """Return a run with these accuracies after its epochs. An epoch has 23 steps of 10 ms, unless `samples` differ."""
    plain = result(step_s=np.full(23 * len(accuracies), 0.01))
    assert plain.outcome is not None
    epochs = tuple(
        Epoch(epoch=e, train_loss=1.0, train_accuracy=0.5, **{f"{part}_loss": 1.0, f"{part}_accuracy": accuracy})
        for e, accuracy in enumerate(accuracies, 1)
    )
    changes: dict[str, object] = {"epochs": epochs}
    if samples:
        changes["samples"] = Samples.model_validate(samples)
    return plain.model_copy(update={"outcome": plain.outcome.model_copy(update=changes)})


def test_a_summary_has_mean_and_interval() -> None:
    (torch,) = summaries(study(torch=[0.97, 0.98, 0.99]), Judging())
    assert (torch.implementation, torch.n) == ("torch", 3)
    assert torch.mean == pytest.approx(0.98)
    assert torch.deviation == pytest.approx(0.01)
    assert torch.low == pytest.approx(0.98 - 4.302653 * 0.01 / 3**0.5)  # Student's t with 2 degrees
    assert torch.high == pytest.approx(0.98 + 4.302653 * 0.01 / 3**0.5)
    assert torch.step_s == pytest.approx(0.02)


def test_results_come_by_seed_and_in_the_order_that_was_asked_for() -> None:
    """The implementation named first is the baseline, whatever its name."""
    found = in_order(
        study(keras=[0.9, 0.9], torch=[0.9, 0.9], numpy=[0.9]), Judging(implementations=("torch", "keras"))
    )
    names = [(r.run.implementation, r.run.train.seed) for r in found]
    assert names == [("torch", 0), ("keras", 0), ("numpy", 0), ("torch", 1), ("keras", 1)]


def test_one_seed_has_no_interval() -> None:
    (torch,) = summaries(study(torch=[0.97]), Judging())
    assert (torch.deviation, torch.low, torch.high) == (None, None, None)


def test_pairs_are_compared_seed_by_seed() -> None:
    """Each side's accuracy varies by 5 points between seeds, and their difference does not."""
    torch = [0.90, 0.95, 0.93, 0.91, 0.94]
    (pair,) = pairs(study(torch=torch, keras=[accuracy + 0.01 for accuracy in torch]), Judging(margin=0.003))
    assert (pair.one, pair.other, pair.difference.n) == ("torch", "keras", 5)
    assert pair.difference.verdict == "different"
    assert say(pair).startswith("torch and keras are different: keras is more accurate by +1.00 points [+0.90, +1.10]")


def test_a_seed_that_one_of_them_did_not_end_is_left_out() -> None:
    results = study(torch=[0.9, 0.5, 0.9], keras=[0.9, 0.9, 0.9])
    results[4] = failure("x", "keras", seed=1)
    (pair,) = pairs(results, Judging(margin=0.02))
    assert (pair.difference.n, pair.difference.mean) == (2, 0.0)


def test_every_pair_is_reported_once_and_none_without_a_run() -> None:
    results = [*study(a=[0.9, 0.9], b=[0.9, 0.9], c=[0.9, 0.9]), failure("x", "d")]
    assert [(pair.one, pair.other) for pair in pairs(results, Judging())] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_the_three_verdicts_in_words() -> None:
    torch = [0.90, 0.95, 0.93, 0.91, 0.94]
    wide = study(torch=torch, keras=[0.91, 0.93, 0.95, 0.90, 0.94])
    (pair,) = pairs(wide, Judging())
    assert say(pair).startswith("torch and keras: no difference seen (+0.00 points [")
    assert say(pair).endswith(" seeds would be enough to call equals equivalent within 0.3 points.")
    (pair,) = pairs(wide, Judging(margin=0.05))
    assert say(pair).startswith("torch and keras are equivalent within 5 points: keras is +0.00 points [")


def test_of_one_seed_there_is_one_sentence() -> None:
    results = study(torch=[0.9], keras=[0.8], tf_lowlevel=[0.8])
    assert say_all(pairs(results, Judging())) == [
        "One seed shows neither a difference between implementations nor their equivalence. Give --seeds 5."
    ]
    results = study(torch=[0.9, 0.9], keras=[0.9, 0.9], tf_lowlevel=[0.8])
    assert say_all(pairs(results, Judging()))[1] == (
        "torch and tf_lowlevel have one seed in common, which decides nothing."
    )


def test_the_time_until_a_target_ends_with_its_epoch() -> None:
    run = with_curve([0.90, 0.95, 0.99, 0.95])
    assert training_s_until(run, 0.95) == pytest.approx(2 * 23 * 0.01)
    assert training_s_until(run, 0.96) == pytest.approx(3 * 23 * 0.01)
    assert training_s_until(run, 0.995) is None


def test_the_validation_images_decide_where_there_are_any() -> None:
    assert training_s_until(with_curve([0.90, 0.95], "validation"), 0.95) == pytest.approx(2 * 23 * 0.01)


def test_a_recipe_that_tells_epochs_is_timed_by_epochs() -> None:
    run = with_curve([0.90, 0.95], epoch_s=(1.0, 3.0), epoch_steps=(21, 21))
    assert training_s_until(run, 0.95) == pytest.approx(4.0)


def test_report_with_seeds_and_a_target() -> None:
    results = study(torch=[0.97, 0.98, 0.99], keras=[0.97, 0.98, 0.96])
    text = report.render(results, {}, MANIFEST, Judging(margin=0.01, target=0.98))["report.md"].decode()
    (line,) = [line for line in text.splitlines() if line.startswith("| torch | 98.00% | 20.00 ms | 3 ")]
    assert line == "| torch | 98.00% | 20.00 ms | 3 | 95.52% to 100.00% | 1.00 points | 0.5 s (0.5 to 0.5), 2 of 3 |"
    assert "| keras | 97.00% | 20.00 ms | 3 |" in text
    assert "| 0.5 s, 1 of 3 |" in text
    assert "lies within the margin of 1 points" in text
    assert (
        "training until 98.00%"
        in text.splitlines()[next(i for i, t in enumerate(text.splitlines()) if "| seeds |" in t)]
    )


def test_a_report_of_one_seed_has_no_table_over_seeds() -> None:
    assert "| seeds |" not in report.render(study(torch=[0.9]), {}, MANIFEST, Judging())["report.md"].decode()


def test_a_share_is_never_below_0_nor_above_1() -> None:
    """Two seeds that differ widely leave the whole range open, and no more."""
    text = report.render(study(torch=[0.44, 0.56]), {}, MANIFEST, Judging())["report.md"].decode()
    assert "| torch | 50.00% | 20.00 ms | 2 | 0.00% to 100.00% |" in text
