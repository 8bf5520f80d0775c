"""Variables set before a framework is imported, regardless of the user's environment."""

import ast
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from results import ENVIRONMENT
from simulation import contestant

from compare.bench import search, tables, tuned
from compare.bench.inference import prepare
from compare.bench.result import Contestant
from compare.bench.search import as_run
from compare.processes import environment, pool
from compare.processes.session import Session
from compare.reporting.waiting import sentence
from compare.training import study
from compare.worker import machine
from shared.choices import Waiting
from shared.data import Data
from shared.errors import InputError
from shared.result import Environment, Tuned

ROOT = Path(__file__).parents[3]


def test_a_worker_has_what_is_stated(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")  # not set here, so it is inherited and recorded
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "another user's")  # not TensorFlow's
    session = Session(numpy_implementation, tmp_path / "log", threads=3, hide_cuda=True, timeout_s=30)
    found = session.wait_until_ready()
    session.close()
    assert found.threads == 3
    assert {name: found.variables[name] for name in ("KERAS_BACKEND", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")} == {
        "KERAS_BACKEND": "tensorflow",
        "OMP_NUM_THREADS": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }
    assert found.variables["TF_NUM_INTRAOP_THREADS"] == "3"
    assert found.variables["MALLOC_ARENA_MAX"] == "2"
    assert "TF_CLI_CONFIG_FILE" not in found.variables


def test_only_what_is_timed_waits_as_the_system_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other worker yields its core while it waits. The record has the way of waiting."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setenv("GOMP_SPINCOUNT", "1000")
    passive, timed = (
        environment.worker_variables(2, tmp_path, True, waiting)
        for waiting in ("passive", "system")  # type: ignore[arg-type]
    )
    assert (passive["OMP_WAIT_POLICY"], passive["GOMP_SPINCOUNT"]) == ("PASSIVE", "0")
    assert (timed["OMP_WAIT_POLICY"], timed["GOMP_SPINCOUNT"]) == ("ACTIVE", "1000")
    assert environment.worker_variables(2, tmp_path, True)["OMP_WAIT_POLICY"] == "PASSIVE"
    assert all(name.startswith(environment.RECORDED_PREFIXES) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"))


def test_who_is_timed(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: Data) -> None:
    """Workers of a study and of a bench are timed. Those of the pool, used by all other commands, are not."""
    asked: list[str] = []

    def start(name: str, *arguments: Any, waiting: str = "passive", **more: Any) -> None:
        asked.append(arguments[5] if len(arguments) > 5 else waiting)
        raise InputError("seen enough")

    for module in (study, search, pool):
        monkeypatch.setattr(module, "Session", start)
    one: Any = SimpleNamespace(implementation="numpy", name="numpy", threads=1, variables={}, waiting="system")
    settings = study.Settings(1, "kept", True, 60.0, "system")
    for begin in (
        lambda: study.Study(["numpy"], digits, tmp_path, settings).choose_device("auto"),
        lambda: search.starter(tmp_path, "cpu", 60.0)(one),
        lambda: pool.Workers(tmp_path, "cpu", 60.0).start(["numpy"]),
    ):
        with pytest.raises(InputError, match="seen enough"):
            begin()
    assert asked == ["system", "system", "passive"]
    starting = {
        path.stem
        for path in (ROOT / "compare").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Session"
    }
    assert starting == {"pool", "search", "study", "fixtures"}  # the last are those of the conformance tests


@pytest.mark.parametrize("waiting", ["passive", "system"])
def test_a_worker_records_how_it_waits(numpy_implementation: str, tmp_path: Path, waiting: Waiting) -> None:
    session = Session(numpy_implementation, tmp_path / "log", 1, True, 30, waiting=waiting)
    found = session.wait_until_ready()
    session.close()
    assert found.waiting == waiting
    assert found.variables.get("GOMP_SPINCOUNT") == ("0" if waiting == "passive" else os.environ.get("GOMP_SPINCOUNT"))


def test_records_from_before_waiting_was_an_option_are_read() -> None:
    """Their workers waited as the user's environment specified."""
    old = {name: value for name, value in ENVIRONMENT.model_dump().items() if name != "waiting"}
    assert Environment.model_validate(old).waiting is None
    of_bench = contestant("torch").model_dump(exclude={"waiting"})
    assert Contestant.model_validate(of_bench).waiting == "system"
    tuned = {"factor": "huge pages", "tuning": {}, "variables": {}, "threads": 2}
    assert Tuned.model_validate(tuned).waiting == "system"
    assert sentence([None]) == ""
    assert "slept" in sentence(["passive", None])
    assert "two ways" in sentence(["passive", "system"])


def test_a_tuned_run_waits_as_its_candidate_does() -> None:
    """`tuned` chooses independently of the other contestants. A run with its result does the same."""
    plain = contestant("torch").model_copy(update={"waiting": "passive"})
    found = tuned.candidates(plain, "cpu")
    assert {name for name, one in found.items() if one.waiting == "passive"} == {"passive waiting"}
    assert as_run(found["passive waiting"])[1].waiting == "passive"
    assert "passive waiting" in tables.CELLS["mode"](None, found["passive waiting"])  # type: ignore[arg-type]


def test_keras_looks_for_its_file_in_the_given_folder(tmp_path: Path) -> None:
    variables = environment.worker_variables(2, tmp_path, hide_cuda=False)
    assert variables["KERAS_HOME"] == str(tmp_path)


def test_cuda_is_hidden_only_where_the_cpu_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert environment.worker_variables(2, tmp_path, hide_cuda=False)["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment.worker_variables(2, tmp_path, hide_cuda=True)["CUDA_VISIBLE_DEVICES"] == ""


def test_peak_memory_starts_again() -> None:
    machine.reset_peak_rss()
    before = machine.peak_rss_bytes()
    block = bytearray(200 << 20)
    block[::4096] = b"x" * len(block[::4096])
    after = machine.peak_rss_bytes()
    del block
    if before is None or after is None:
        pytest.skip("this system does not say how much memory a process has had")
    assert after - before > 190 << 20
    machine.reset_peak_rss()
    again = machine.peak_rss_bytes()
    assert again is not None
    assert again < after - (150 << 20)


class Importing:
    """A worker with an imported framework that sees this number of CUDA devices. With None it never becomes ready."""

    def __init__(self, n_cuda_devices: int | None) -> None:
        self.n_cuda_devices = n_cuda_devices

    def wait_until_ready(self) -> Environment:
        assert self.n_cuda_devices is not None, "nothing depends on it any more"
        return ENVIRONMENT.model_copy(update={"n_cuda_devices": self.n_cuda_devices})


@pytest.mark.parametrize(
    ("seen", "device"),
    [((0, None, None), "cpu"), ((1, 0, None), "cpu"), ((1, 1, 2), "cuda")],
    ids=str,
)
def test_auto_is_known_with_the_first_framework_that_sees_no_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: Data, seen: tuple[int | None, ...], device: str
) -> None:
    """The others are still importing their frameworks, and training need not wait for that."""
    names = ["torch", "keras", "tf_lowlevel"]
    found = study.Study(names, digits, tmp_path, study.Settings(1, "kept", False, 60.0, "passive"))
    sessions = dict(zip(names, map(Importing, seen), strict=True))
    monkeypatch.setattr(found, "_start", lambda name, *arguments: sessions[name])
    assert found.choose_device("auto") == device


def test_every_contestant_finds_what_an_earlier_launch_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The whole bench uses one folder, empty at first, for all frameworks. A contestant's own variables take
    precedence."""
    asked: list[dict[str, str]] = []

    def start(*arguments: Any, variables: dict[str, str] | None = None, **more: Any) -> None:
        asked.append(variables or arguments[5])

    monkeypatch.setattr(search, "Session", start)
    monkeypatch.setattr(prepare, "ServingSession", start)
    begin = search.starter(tmp_path, "cpu", 60.0)
    begin(contestant("torch"))
    begin(contestant("jax", "jax"))
    begin(contestant("torch").model_copy(update={"variables": {"TORCHINDUCTOR_CACHE_DIR": "/of/its/own"}}))
    served: Any = SimpleNamespace(name="torch-graph", threads=1, variables={"A": "b"}, waiting="passive")
    prepare.starter({"torch-graph": ("how", "source")}, tmp_path, 60.0)(served)
    first, second, third, serving = asked
    assert first == second
    folder = first["COMPARE_COMPILED"]
    assert first["TORCHINDUCTOR_CACHE_DIR"] == folder
    assert third == {"COMPARE_COMPILED": folder, "TORCHINDUCTOR_CACHE_DIR": "/of/its/own"}
    assert list(Path(folder).iterdir()) == []
    assert serving["A"] == "b"
    assert serving["COMPARE_COMPILED"] == serving["TORCHINDUCTOR_CACHE_DIR"] != folder


@pytest.mark.parametrize("module", ["jax_impl.create", "keras_backends.on_jax"])
def test_jax_keeps_what_it_compiles_in_that_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str
) -> None:
    """It keeps even what compiles quickly. The variables are set before JAX is imported, because JAX reads them
    then."""
    found: dict[str, str] = {}
    package, _, name = module.partition(".")
    path = next((ROOT / "examples").glob(f"*/{package}/{name}.py"))

    class Finder:
        """Stops the first import of a framework, and records the variables set by then."""

        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] in ("jax", "flax", "keras"):
                found.update(os.environ)
                raise ImportError("seen enough")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.setattr(os, "environ", {"COMPARE_THREADS": "3", "COMPARE_COMPILED": str(tmp_path)})
    with pytest.raises(ImportError, match="seen enough"):
        runpy.run_path(str(path))
    assert found["JAX_COMPILATION_CACHE_DIR"] == str(tmp_path)
    assert found["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0"
    assert found["PJRT_NPROC"] == "3"
