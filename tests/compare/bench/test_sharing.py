"""Reports of a bench of data-parallel networks, from made-up records."""

import pytest
from simulation import contestant, simulated_bench

from compare.bench import report, sharing
from compare.bench.result import BenchResult
from compare.folders.manifest import describe


def shared_bench(speed: float = 1.5) -> BenchResult:
    """Return the simulated bench with a second `torch` of two processes.

    It is `speed` times as fast and sends 2 MB per step.
    """
    alone = simulated_bench()
    launches = []
    for launch in alone.launches:
        one = launch.measured["torch"]
        windows = tuple(
            w.model_copy(update={"elapsed_s": w.elapsed_s / speed, "sent_bytes": 2_000_000 * w.steps})
            for w in one.windows
        )
        both = {"torch": one, "torch@2": one.model_copy(update={"windows": windows})}
        launches.append(launch.model_copy(update={"measured": both}))
    return alone.model_copy(
        update={
            "contestants": (contestant("torch"), contestant("torch@2", "torch@2")),
            "launches": tuple(launches),
            "environments": dict.fromkeys(("torch", "torch@2"), alone.environments["torch"]),
        }
    )


def reported(result: BenchResult) -> str:
    return report.render(result, describe("", "2026-01-01T00:00:00Z"))["report.md"].decode()


def test_a_bench_of_what_is_not_installed_here_is_reported() -> None:
    """The record may come from another machine."""
    result = simulated_bench()
    one, other = result.contestants
    foreign = result.model_copy(update={"contestants": (one, other.model_copy(update={"implementation": "jax"}))})
    assert sharing.shared(foreign) == []
    assert "keras is" in reported(foreign) or "No difference shown" in reported(foreign)


def test_efficiency_and_bytes() -> None:
    result = shared_bench()
    (said,) = sharing.verdicts(result)
    assert said.startswith("2 processes of 2 threads are 1.50x [1.50, 1.50] as fast as one")
    assert said.endswith("an efficiency of 75%.")
    ((name, n, threads, _, against, efficiency, gradients, sent),) = sharing.cells(result)
    assert (name, n, threads, efficiency, sent) == ("torch@2", "2", "2", "75%", "2.00 MB")
    assert against.startswith("1.50x")
    assert gradients == "1.69 MB"  # 421,642 values of 4 bytes
    assert said in report.verdicts(result)
    assert (
        "## Several processes, one network"
        in report.render(result, describe("", "2026-01-01T00:00:00Z"))["report.md"].decode()
    )


def test_if_none_is_shared_nothing_is_said() -> None:
    result = simulated_bench()
    assert sharing.verdicts(result) == sharing.cells(result) == []
    assert "Several processes" not in reported(result)


UNLIKE = [{"threads": 1}, {"batch_size": 32}, {"mode": "graph"}, {"mixed_precision": "bfloat16"}]


@pytest.mark.parametrize("unlike", UNLIKE)
def test_only_the_same_in_one_process_is_a_yardstick(unlike: dict[str, object]) -> None:
    result = shared_bench()
    one, two = result.contestants
    changed = result.model_copy(update={"contestants": (one.model_copy(update=unlike), two)})
    assert sharing.verdicts(changed) == []
    ((*_, efficiency, _, sent),) = sharing.cells(changed)
    assert (efficiency, sent) == ("-", "2.00 MB")
