"""Changes between two runs whose differences are made here."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results import ENVIRONMENT, result

from compare.__main__ import main
from compare.analysis.diff import Side, changes, machines_differ, read, settings_changed
from compare.folders.manifest import Manifest
from shared.errors import InputError
from shared.result import RunResult

MANIFEST = Manifest(
    command="a command",
    started="2026-01-02T03:04:05Z",
    ended="2026-01-02T03:05:05Z",
    version="0",
    commit=None,
    files={},
)


def steps(slower: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return 300 steps of about 20 ms in turns of 20."""
    return slower * np.random.default_rng(seed).normal(0.02, 0.001, 300)


def run(
    seed: int = 0,
    slower: float = 1.0,
    accuracy: float = 0.98,
    name: str = "torch",
    n_test: int = 10_000,
    product_s: float | None = 0.002,
    scatter_of_products: float = 0.02,
) -> RunResult:
    """Return a run. A matrix product took `product_s`, scattered by `scatter_of_products`."""
    scatter = np.random.default_rng(seed + 1).normal(1, scatter_of_products, 15)
    yardstick_s = () if product_s is None else tuple((product_s * scatter).tolist())
    made = result(steps(slower, seed), 6_400, 64, (20,) * 15, name, seed, accuracy, yardstick_s=yardstick_s)
    return made.model_copy(update={"n_test": n_test})


def side(*results: RunResult, **manifest: str) -> Side:
    return Side("a folder", MANIFEST.model_copy(update=manifest), list(results))


def directions(a: Side, b: Side) -> dict[tuple[str, str], str]:
    return {(change.implementation, change.what): change.moved for change in changes(a, b, 0.003)}


def test_identical_runs() -> None:
    a = side(run(), run(name="keras"))
    assert settings_changed(a, a) == []
    assert set(directions(a, a).values()) == {"within noise"}


@pytest.mark.parametrize(
    ("slower", "verdict"),
    [(1.55, "worse"), (1 / 1.55, "better"), (1.18, "not known"), (1 / 1.18, "not known"), (1.05, "within noise")],
)
def test_a_slowdown(slower: float, verdict: str) -> None:
    found = directions(side(run(), run(name="keras")), side(run(slower=slower), run(name="keras")))
    assert found["torch", "step time"] == verdict
    assert found["keras", "step time"] == "within noise"


def test_what_launches_of_one_program_can_differ_by_is_not_known_of_one_launch() -> None:
    """The sentence names the options that would show it."""
    (change,) = (c for c in changes(side(run()), side(run(slower=1.15)), 0.003) if c.what == "step time")
    assert change.low is not None
    assert change.high is not None
    assert change.low < 1 < change.high
    assert "More runs of each show it: --more-before, --more-after." in change.said


def several(slower: float, scatter: float, n: int, first: int = 0) -> Side:
    """Return `n` launches of one code. Each implementation's step time varies by `scatter` between launches."""
    by = np.random.default_rng(first)
    folders = [
        side(*(run(slower=slower * float(by.lognormal(0, scatter)), name=name) for name in ("torch", "keras")))
        for _ in range(n)
    ]
    return replace(folders[0], more=tuple(folders[1:]))


def test_several_launches_show_a_smaller_slowdown_and_how_launches_vary() -> None:
    """A slowdown of 15 % is found if launches hardly differ, and is noise if they differ by more."""
    quiet = directions(several(1.0, 0.02, 3), several(1.15, 0.02, 3, first=1))
    assert quiet["torch", "step time"] == quiet["keras", "step time"] == "worse"
    unsteady = directions(several(1.0, 0.3, 3), several(1.15, 0.3, 3, first=1))
    assert unsteady["torch", "step time"] == unsteady["keras", "step time"] == "within noise"


def test_another_study_is_no_further_launch(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(seed=1))
    assert read(a, [a]).more[0].name == str(a)
    with pytest.raises(InputError, match="runs: torch-seed0 became torch-seed1"):
        read(a, [b])
    train = run().run.train.model_copy(update={"schedule": "constant"})
    c = write(tmp_path / "c", run().model_copy(update={"run": run().run.model_copy(update={"train": train})}))
    with pytest.raises(InputError, match=r"train\.schedule"):
        read(a, [c])


def test_a_slower_machine_is_no_slowdown_and_hides_none() -> None:
    """A step and a matrix product both take a quarter longer in the second run. One implementation slows down more."""
    names = ("torch", "keras")
    before = side(*(run(name=name, scatter_of_products=0.2) for name in names))
    after = side(
        run(name="torch", slower=1.25, product_s=0.0025, scatter_of_products=0.2),
        run(name="keras", slower=1.9, product_s=0.0025, scatter_of_products=0.2),
    )
    found = directions(before, after)
    assert found["torch", "step time"] == "within noise"
    assert found["keras", "step time"] == "worse"
    (said,) = (c.said for c in changes(before, after, 0.003) if (c.implementation, c.what) == ("torch", "step time"))
    assert "a step takes 1.00x" in said
    assert "relative to a matrix product, which takes 1.25x" in said


@pytest.mark.parametrize("slower", [1.0, 1.25, 10.0])
def test_without_a_yardstick_in_either_run_the_machine_is_not_known(slower: float) -> None:
    """The machine's speed is reported as unknown, not as unchanged."""
    for a, b in ((run(), run(slower=slower, product_s=None)), (run(product_s=None), run(slower=slower))):
        assert directions(side(a), side(b))["torch", "step time"] == "not known"


def test_a_run_without_yardsticks_takes_none_from_the_others() -> None:
    """Implementations take turns, so any of them could tell how fast the machine was."""
    found = directions(side(run(), run(name="keras", product_s=None)), side(run(slower=1.6), run(name="keras")))
    assert found["torch", "step time"] == "worse"
    assert found["keras", "step time"] == "within noise"


def few(n_turns: int, slower: float = 1.0, seed: int = 0) -> RunResult:
    """Return a run with as many warm-up turns as the `n_turns` after them, of one step each."""
    made = slower * np.random.default_rng(seed).lognormal(np.log(0.02), 0.3, 2 * n_turns)
    return result(made, 64 * 2 * n_turns, 64, (1,) * 2 * n_turns, seed=seed, yardstick_s=(0.002, 0.0021))


@pytest.mark.parametrize("slower", [1.0, 1.5, 3.0, 1 / 3])
@pytest.mark.parametrize("n_turns", [1, 2, 4])
def test_what_has_no_interval_is_not_known(n_turns: int, slower: float) -> None:
    """This holds in either order, and if only one of the two runs is too short."""
    for a, b in ((few(n_turns), few(n_turns, slower)), (run(), few(n_turns, slower)), (few(n_turns, slower), run())):
        (change,) = (c for c in changes(side(a), side(b), 0.003) if c.what == "step time")
        assert (change.moved, change.low, change.high) == ("not known", None, None)
        assert "a run has fewer than 5 turns" in change.said


def test_a_run_without_a_steady_step_is_not_known() -> None:
    one_step = result(np.array([0.5]), 64, 64, (1,), yardstick_s=(0.002, 0.002))
    (change,) = (c for c in changes(side(run()), side(one_step), 0.003) if c.what == "step time")
    assert (change.moved, change.value) == ("not known", None)
    assert "a run has no steady step" in change.said


def test_one_matrix_product_does_not_show_how_they_scatter() -> None:
    def once(slower: float) -> RunResult:
        return result(steps(slower), 6_400, 64, (20,) * 15, yardstick_s=(0.002,))

    assert directions(side(once(1.0)), side(once(1.5)))["torch", "step time"] == "not known"


def test_five_seeds_too_short_for_intervals_have_one_together() -> None:
    """Their scatter gives the interval. Four seeds have none."""

    def seeds(n: int, slower: float) -> Side:
        return side(*(few(2, slower, seed) for seed in range(n)))

    assert directions(seeds(4, 1.0), seeds(4, 3.0))["torch", "step time"] == "not known"
    assert directions(seeds(5, 1.0), seeds(5, 1.0))["torch", "step time"] == "within noise"
    assert directions(seeds(5, 1.0), seeds(5, 3.0))["torch", "step time"] == "worse"


def test_seeds_of_one_launch_do_not_make_up_for_launches() -> None:
    """Ten seeds that are 6 % slower in one launch are still one launch."""
    a, b = side(*map(run, range(10))), side(*(run(seed, slower=1.06) for seed in range(10)))
    assert directions(a, b)["torch", "step time"] == "within noise"


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.98, "within noise"), (0.983, "within noise"), (0.97, "worse"), (0.99, "better")]
)
def test_the_accuracy_of_one_seed(accuracy: float, verdict: str) -> None:
    assert directions(side(run()), side(run(accuracy=accuracy)))["torch", "accuracy"] == verdict


def test_few_test_images_scatter_more() -> None:
    a, b = run(n_test=360), run(accuracy=0.96, n_test=360)
    assert directions(side(a), side(b))["torch", "accuracy"] == "within noise"


def test_the_accuracy_of_several_seeds_is_compared_seed_by_seed() -> None:
    """Seeds differ by 4 points, and each gets worse by 0.5 points."""
    before = [0.94, 0.96, 0.98, 0.95]
    a = side(*(run(seed, accuracy=accuracy) for seed, accuracy in enumerate(before)))
    b = side(*(run(seed, accuracy=accuracy - 0.005) for seed, accuracy in enumerate(before)))
    assert directions(a, b)["torch", "accuracy"] == "worse"


def test_every_setting_that_changed_is_named() -> None:
    other = run()
    train = other.run.train.model_copy(update={"batch_size": 32})
    environment = ENVIRONMENT.model_copy(update={"framework_version": "3.0", "threads": 1})
    other = other.model_copy(
        update={
            "run": other.run.model_copy(update={"train": train}),
            "environment": environment,
            "data_digest": "1" * 64,
        }
    )
    said = settings_changed(side(run()), side(other, version="1", commit="abc"))
    assert said == [
        "compare: 0 became 1 (abc)",
        "data: 000000000000 became 111111111111",
        "torch, environment.framework_version: 2.0 became 3.0",
        "torch, environment.threads: 2 became 1",
        "torch, train.batch_size: 64 became 32",
    ]


def test_machines() -> None:
    other = run().model_copy(update={"environment": ENVIRONMENT.model_copy(update={"cpu": "another", "cores": 4})})
    assert machines_differ(side(run()), side(run())) == []
    assert machines_differ(side(run()), side(other)) == ["cpu: a processor became another", "cores: 2 became 4"]


def write(folder: Path, *results: RunResult) -> Path:
    (folder / "results").mkdir(parents=True)
    for one in results:
        (folder / "results" / f"{one.name}.json").write_text(one.model_dump_json())
    (folder / "manifest.json").write_text(MANIFEST.model_dump_json())
    return folder


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", "diff", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(slower=1.6))
    assert command(monkeypatch, a, a) == 0
    assert "Nothing changed but noise." in capsys.readouterr().out
    assert command(monkeypatch, a, b) == 0
    assert command(monkeypatch, a, b, "--fail-on-regression") == 1
    assert "Worse: step time of torch." in capsys.readouterr().out
    assert command(monkeypatch, b, a, "--fail-on-regression") == 0
    more = write(tmp_path / "c", run(slower=1.6))
    assert command(monkeypatch, a, b, "--more-after", more, "--fail-on-regression") == 1
    assert command(monkeypatch, a, b, "--more-before", tmp_path / "nothing") == 2


def test_what_is_not_known_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = write(tmp_path / "a", few(2)), write(tmp_path / "b", few(2, slower=2.0))
    for arguments in ((a, b), (b, a)):
        assert command(monkeypatch, *arguments, "--fail-on-regression") == 0
        said = capsys.readouterr().out
        assert "Not known: step time of torch." in said
        assert "Worse" not in said
        assert "Nothing changed but noise, as far as is known." in said
    assert command(monkeypatch, a, b, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["worse"], answer["not_known"]) == ([], ["step time of torch"])


def test_other_machines_are_compared_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = run().model_copy(update={"environment": ENVIRONMENT.model_copy(update={"cpu": "another"})})
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", elsewhere)
    assert command(monkeypatch, a, b) == 2
    assert "Give --across-machines to compare them anyway." in capsys.readouterr().err
    assert command(monkeypatch, a, b, "--across-machines") == 0
    assert "Warning: different machines (cpu: a processor became another)." in capsys.readouterr().err


def test_runs_that_have_nothing_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(name="keras"))
    assert command(monkeypatch, a, b) == 2
    assert "have no run of the same implementation and seed" in capsys.readouterr().err
    assert command(monkeypatch, a, tmp_path / "nothing") == 2
