"""What changed between two runs whose differences are made here."""

import sys
from pathlib import Path

import numpy as np
import pytest
from results import ENVIRONMENT, result

from compare.__main__ import main
from compare.analysis.diff import Side, changes, machines_differ, settings_changed
from compare.folders.manifest import Manifest
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
    """300 steps of about 20 ms in turns of 20."""
    return slower * np.random.default_rng(seed).normal(0.02, 0.001, 300)


def run(
    seed: int = 0,
    slower: float = 1.0,
    accuracy: float = 0.98,
    name: str = "torch",
    n_test: int = 10_000,
    product_s: float | None = None,
) -> RunResult:
    """`product_s` is how long the yardstick took, by about a fifth more or less."""
    scatter = np.random.default_rng(seed + 1).normal(1, 0.2, 15)
    yardstick_s = () if product_s is None else tuple((product_s * scatter).tolist())
    made = result(steps(slower, seed), 6_400, 64, (20,) * 15, name, seed, accuracy, yardstick_s=yardstick_s)
    return made.model_copy(update={"n_test": n_test})


def side(*results: RunResult, **manifest: str) -> Side:
    return Side("a folder", MANIFEST.model_copy(update=manifest), list(results))


def moved(a: Side, b: Side) -> dict[tuple[str, str], str]:
    return {(change.implementation, change.what): change.moved for change in changes(a, b, 0.003)}


def test_identical_runs() -> None:
    a = side(run(), run(name="keras"))
    assert settings_changed(a, a) == []
    assert set(moved(a, a).values()) == {"within noise"}


@pytest.mark.parametrize(("slower", "verdict"), [(1.15, "worse"), (1 / 1.15, "better"), (1.05, "within noise")])
def test_a_slowdown(slower: float, verdict: str) -> None:
    found = moved(side(run(), run(name="keras")), side(run(slower=slower), run(name="keras")))
    assert found["torch", "step time"] == verdict
    assert found["keras", "step time"] == "within noise"


def test_a_slower_machine_is_no_slowdown_and_hides_none() -> None:
    """All take a quarter longer in the second run, and so does a matrix product; one of them takes more than that."""
    names = ("torch", "keras")
    before = side(*(run(name=name, product_s=0.002) for name in names))
    after = side(run(name="torch", slower=1.25, product_s=0.0025), run(name="keras", slower=1.5, product_s=0.0025))
    found = moved(before, after)
    assert found["torch", "step time"] == "within noise"
    assert found["keras", "step time"] == "worse"
    (said,) = (c.said for c in changes(before, after, 0.003) if (c.implementation, c.what) == ("torch", "step time"))
    assert "a step takes 1.00x" in said
    assert "held against a matrix product, which takes 1.25x" in said


def test_runs_of_which_one_has_no_yardstick_are_compared_as_they_are() -> None:
    found = moved(side(run(product_s=0.002)), side(run(slower=1.25)))
    assert found["torch", "step time"] == "worse"


def test_seeds_of_one_launch_do_not_make_up_for_launches() -> None:
    """Ten seeds that are 6 % slower in one launch are still one launch."""
    a, b = side(*map(run, range(10))), side(*(run(seed, slower=1.06) for seed in range(10)))
    assert moved(a, b)["torch", "step time"] == "within noise"


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.98, "within noise"), (0.983, "within noise"), (0.97, "worse"), (0.99, "better")]
)
def test_the_accuracy_of_one_seed(accuracy: float, verdict: str) -> None:
    assert moved(side(run()), side(run(accuracy=accuracy)))["torch", "accuracy"] == verdict


def test_few_test_images_scatter_more() -> None:
    a, b = run(n_test=360), run(accuracy=0.96, n_test=360)
    assert moved(side(a), side(b))["torch", "accuracy"] == "within noise"


def test_the_accuracy_of_several_seeds_is_compared_seed_by_seed() -> None:
    """Seeds are 4 points apart, and each is 0.5 points worse than it was."""
    before = [0.94, 0.96, 0.98, 0.95]
    a = side(*(run(seed, accuracy=accuracy) for seed, accuracy in enumerate(before)))
    b = side(*(run(seed, accuracy=accuracy - 0.005) for seed, accuracy in enumerate(before)))
    assert moved(a, b)["torch", "accuracy"] == "worse"


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
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(slower=1.15))
    assert command(monkeypatch, a, a) == 0
    assert "Nothing changed but noise." in capsys.readouterr().out
    assert command(monkeypatch, a, b) == 0
    assert command(monkeypatch, a, b, "--fail-on-regression") == 1
    assert "Worse: step time of torch." in capsys.readouterr().out
    assert command(monkeypatch, b, a, "--fail-on-regression") == 0


def test_other_machines_are_compared_only_where_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = run().model_copy(update={"environment": ENVIRONMENT.model_copy(update={"cpu": "another"})})
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", elsewhere)
    assert command(monkeypatch, a, b) == 2
    assert "Give --across-machines to compare them all the same." in capsys.readouterr().err
    assert command(monkeypatch, a, b, "--across-machines") == 0
    assert "Warning: different machines (cpu: a processor became another)." in capsys.readouterr().err


def test_runs_that_have_nothing_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(name="keras"))
    assert command(monkeypatch, a, b) == 2
    assert "have no run of the same implementation and seed" in capsys.readouterr().err
    assert command(monkeypatch, a, tmp_path / "nothing") == 2
