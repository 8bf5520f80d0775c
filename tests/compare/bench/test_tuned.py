"""The search for the fastest candidate, on simulated workers, and the memory of its results."""

import itertools
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from patience import GENEROUS_S
from simulation import SimulatedSession, contestant

from compare.bench import launcher, tuned, waterfall
from compare.bench.launcher import Launcher
from compare.bench.result import Contestant, Launch
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from shared.data import Data
from shared.models import MODELS
from shared.training import SGD, TrainSpec

PLAIN_TORCH = contestant("torch-tuned")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "PAUSE_S", 0.0)
    monkeypatch.setattr(launcher, "usable_cores", lambda: 1)  # serial, which keeps the order of random numbers


def search(data: Data, differently: dict[str, dict[str, object]]) -> tuned.Fastest | None:
    """Return the choice for torch. A step takes 10 ms, except for candidates listed in `differently`."""
    random = np.random.default_rng(0)
    subject = Subject(MODELS["dense_baseline"], TrainSpec(epochs=1), data, "cpu")

    def start(of: Contestant) -> SimulatedSession:
        return SimulatedSession(random, **{"step_s": 0.01, **differently.get(of.name, {})})

    def launch(candidates: list[Contestant], number: int) -> Launch:
        return Launcher(candidates, subject, start, 1e9).launch(number)

    return tuned.choose(PLAIN_TORCH, "cpu", launch)


def test_the_fastest_is_chosen(digits: Data) -> None:
    choice = search(digits, {"one kernel for Adam": {"step_s": 0.005}})
    assert choice is not None
    assert choice.factor == "one kernel for Adam"
    assert choice.contestant.tuning == {"layout": "channels_last", "optimizer": "fused"}
    assert choice.contestant.name == "torch-tuned"
    assert choice.speed == pytest.approx(2, rel=0.2)


def test_one_that_fails_is_not(digits: Data) -> None:
    fast = {"step_s": 0.001, "fails_at": 3}
    choice = search(digits, {"huge pages": fast, "one kernel for Adam": {"step_s": 0.005}})
    assert choice is not None
    assert choice.factor == "one kernel for Adam"


def test_none_where_all_fail(digits: Data) -> None:
    all = {candidate.factor: {"fails_at": 0} for candidate in IMPLEMENTATIONS["torch"].candidates["cpu"]}
    assert search(digits, all) is None


def test_a_choice_is_remembered(digits: Data, tmp_path: Path) -> None:
    choice = search(digits, {})
    assert choice is not None
    memory = tuned.TunedMemory(tmp_path / "cache" / "tuned.json")
    assert memory.recall("this machine") is None
    memory.remember("this machine", choice)
    memory.remember("another", choice.model_copy(update={"speed": 9.0}))
    assert memory.recall("this machine") == choice
    assert [path.name for path in memory.path.parent.iterdir()] == ["tuned.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"this machine": {}}', '{"this machine": 1}', "\udcff"])
def test_a_memory_that_cannot_be_read_remembers_nothing(tmp_path: Path, content: str, digits: Data) -> None:
    memory = tuned.TunedMemory(tmp_path / "tuned.json")
    memory.path.write_bytes(content.encode(errors="surrogateescape"))
    assert memory.recall("this machine") is None
    choice = search(digits, {})
    assert choice is not None
    memory.remember("this machine", choice)
    assert memory.recall("this machine") == choice


def test_a_choice_is_one_for_a_batch_size_a_network_and_a_number_of_threads() -> None:
    others = [PLAIN_TORCH.model_copy(update=change) for change in ({"batch_size": 32}, {"threads": 1})]
    train = TrainSpec(epochs=1)
    keys = [tuned.key("cnn_same", "cpu", train, one) for one in (PLAIN_TORCH, *others)]
    keys += [tuned.key("cnn_bn_valid", "cpu", train, PLAIN_TORCH), tuned.key("cnn_same", "cuda", train, PLAIN_TORCH)]
    for change in ({"dtype": "float64"}, {"optimizer": SGD()}):
        keys.append(tuned.key("cnn_same", "cpu", train.model_copy(update=change), PLAIN_TORCH))
    assert len(set(keys)) == len(keys)
    same = train.model_copy(update={"seed": 9, "epochs": 7}), PLAIN_TORCH.model_copy(update={"name": "other"})
    assert tuned.key("cnn_same", "cpu", *same) == keys[0]


@pytest.mark.parametrize("implementation", list(IMPLEMENTATIONS))
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_implementation_has_a_list(implementation: str, device: str) -> None:
    spec = IMPLEMENTATIONS[implementation]
    listed = [*spec.plain, *spec.candidates[device]]
    assert len({candidate.factor for candidate in listed}) == len(listed)
    assert all(candidate.mode in IMPLEMENTATIONS[implementation].modes for candidate in listed)
    assert not spec.candidates[device][0].tuning


def test_fewer_threads_are_none_where_there_is_one() -> None:
    one = PLAIN_TORCH.model_copy(update={"threads": 1})
    assert "half the threads" in tuned.candidates(PLAIN_TORCH, "cpu")
    assert "half the threads" not in tuned.candidates(one, "cpu")


def test_a_waterfall_holds_each_stage_against_the_one_before() -> None:
    stages = waterfall.stages("torch", "cpu", threads=2)
    before = {stage.candidate.factor: stage.before for stage in stages}
    assert before["a plain loop over a DataLoader"] is None
    assert before["this suite's batches"] == "a plain loop over a DataLoader"
    assert before["huge pages"] == "ReLU after pooling"
    assert before["torch.compile"] == before["half the threads"] == "huge pages"


@pytest.mark.parametrize("implementation", [name for name, spec in IMPLEMENTATIONS.items() if spec.plain])
def test_every_stage_adds_to_the_one_before(implementation: str) -> None:
    """The tunings and variables of a stage include those of the one before, unless it is an alternative."""
    chain = [s.candidate for s in waterfall.stages(implementation, "cpu", 2) if not s.candidate.alternative]
    for before, after in itertools.pairwise(chain):
        assert before.tuning.items() <= after.tuning.items()
        assert before.variables.items() <= after.variables.items()


def test_choices_of_several_commands_at_once_are_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process reads the file, and another arrives in between. It waits, or else the first would overwrite its
    choice."""
    choice = tuned.Fastest(factor="plain", contestant=PLAIN_TORCH, n_candidates=1, speed=1.0)
    memory, has_read, go_on = tuned.TunedMemory(tmp_path / "tuned.json"), threading.Event(), threading.Event()
    known = tuned.TunedMemory._known

    def slowly(self: tuned.TunedMemory) -> dict[str, object]:
        found = known(self)
        if threading.current_thread() is first:
            has_read.set()
            go_on.wait(GENEROUS_S)
        return found

    monkeypatch.setattr(tuned.TunedMemory, "_known", slowly)
    first, second = (threading.Thread(target=memory.remember, args=(name, choice)) for name in ("first", "second"))
    first.start()
    has_read.wait(GENEROUS_S)
    second.start()
    second.join(0.5)  # long enough to write, if not prevented
    go_on.set()
    for thread in (first, second):
        thread.join(GENEROUS_S)
    assert json.loads(memory.path.read_text()).keys() == {"first", "second"}
