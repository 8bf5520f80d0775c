"""Sending runs to a Ray cluster, with a simulated `ray` that does a task when its result is requested."""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from results import result

from compare.processes.ray_cluster import Needs, check_room, largest_node, room_for
from compare.training import ray_executor
from compare.training.outcome import Finished
from compare.training.ray_executor import OnRay, Sent
from compare.training.study import Settings
from shared.choices import Allocator
from shared.data import Data
from shared.errors import InputError
from shared.result import Run

KEPT: Allocator = "kept"


class PretendedRay:
    """The part of Ray used here. `most_pending` is the largest number of simultaneous tasks."""

    def __init__(self, nodes: list[dict[str, float]]) -> None:
        self.of_nodes = nodes
        self.n_functions = self.most_pending = 0
        self.waited_for: list[int] = []
        self.tasks: dict[int, Callable[[], Any]] = {}
        self._numbers = count()
        self.exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": has} for has in self.of_nodes]

    def remote(self, **_: object) -> Callable[[Callable[..., Any]], Any]:
        self.n_functions += 1

        def task_of(function: Callable[..., Any]) -> Any:
            def send(*arguments: Any) -> int:
                number = next(self._numbers)
                self.tasks[number] = lambda: function(*arguments)
                self.most_pending = max(self.most_pending, len(self.tasks))
                return number

            return SimpleNamespace(remote=send)

        return task_of

    def wait(self, tasks: list[int], num_returns: int, timeout: float | None = None) -> tuple[list[int], list[int]]:
        self.waited_for.append(len(tasks))
        ended = tasks[-2:] if timeout == 0 else tasks[-1:]  # the last ones end first
        return ended, [task for task in tasks if task not in ended]

    def get(self, task: int) -> Any:
        return self.tasks.pop(task)()


class RayError(Exception): ...


class RayTaskError(RayError):
    cause = ValueError("no luck")


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> PretendedRay:
    pretended = PretendedRay([{"CPU": 4.0}, {"CPU": 1.0}, {"CPU": 8.0, "GPU": 2.0}])
    monkeypatch.setitem(sys.modules, "ray", pretended)  # type: ignore[arg-type]
    return pretended


def executed(runs: list[Run], data: Data, logs: Path) -> tuple[list[Finished], list[str]]:
    """Return the results of `runs`, and the reports during them."""
    reported: list[str] = []
    on_ray = OnRay("cluster", ["torch"], data, logs, Settings(2, KEPT, True, 60.0, "passive"), reported.append)
    on_ray._arrays = None  # set by a connection
    progress = SimpleNamespace(end=lambda result, said: None)
    return list(on_ray.execute([runs], progress)), reported  # type: ignore[arg-type]


def runs_of(n: int) -> list[Run]:
    run = result().run
    return [run.model_copy(update={"train": run.train.model_copy(update={"seed": seed})}) for seed in range(n)]


def test_there_are_never_many_more_under_way_than_there_is_room_for(
    ray: PretendedRay, digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All end. Ray repeatedly checks all runs in progress, so it does not get all at once."""
    monkeypatch.setattr(ray_executor, "AHEAD", 10)

    def train(run_as_json: str, *_: object) -> Sent:
        run = Run.model_validate_json(run_as_json)
        return Sent(result().model_copy(update={"run": run}).model_dump_json(), b"w", "said", b"log")

    monkeypatch.setattr(ray_executor, "_train", train)
    runs = runs_of(200)
    done, reported = executed(runs, digits, tmp_path)
    assert sorted(one.result.name for one in done) == sorted(run.name for run in runs)
    assert not any(one.result.in_turns for one in done)
    assert ray.most_pending == 10 + 2 + 4
    assert max(ray.waited_for) <= 16
    assert ray.n_functions == 1
    assert reported[0] == "Sending 200 runs to the cluster at cluster, which has 3 nodes."
    assert reported[-1].endswith("ok; 0 runs left.")


def test_what_fails_there_is_a_failed_row(
    ray: PretendedRay, digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run_as_json: str, *_: object) -> Sent:
        raise RayTaskError if Run.model_validate_json(run_as_json).train.seed else RayError("The node died.\nMore.")

    monkeypatch.setattr(ray_executor, "_train", fail)
    done, _ = executed(runs_of(2), digits, tmp_path)
    assert {one.result.name: one.result.error for one in done} == {
        "torch-seed0": "The node died.",
        "torch-seed1": "ValueError: no luck",
    }


@pytest.mark.usefixtures("ray")
def test_room_is_that_of_one_node() -> None:
    """CPUs and GPUs count together. The node with GPUs has eight CPUs, too few for two tasks of five."""
    assert room_for(Needs(1)) == 13
    assert room_for(Needs(2, 1)) == 2
    assert room_for(Needs(5, 1)) == 1
    assert room_for(Needs(9)) == 0
    assert (largest_node(gpus=0), largest_node(gpus=1), largest_node(gpus=3)) == (8, 8, 0)
    check_room("cluster", Needs(8, 2))
    with pytest.raises(InputError, match=r"--threads: a node with 9 CPUs is needed, .* has 8 CPUs and 2 GPUs\."):
        check_room("cluster", Needs(9))
    with pytest.raises(
        InputError, match=r"--device cuda: a node with 1 CPU and 3 GPUs is needed, .* 8 CPUs and 2 GPUs"
    ):
        check_room("cluster", Needs(1, 3))
