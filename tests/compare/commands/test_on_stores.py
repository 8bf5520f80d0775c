"""Commands leave the same in a folder of an S3 store as in a local folder, over real HTTP."""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import rest_of, running, workers_of
from essence import essences
from patience import GENEROUS_S
from s3_server import BUCKET, IMPATIENT, Faults, environment, faulty_proxy, s3_server

from compare.__main__ import main
from shared.result import RunResult
from shared.storage import mounts, stores
from shared.storage.stores import Store

Command = Callable[..., tuple[int, str]]
STUDY = "--dataset digits --model dense_baseline --implementations numpy,numpy_again --epochs 2 --seeds 2"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as host:
        yield host


@pytest.fixture
def faults(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Yield the faults of the server that the commands use."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # this process caches another one there
    faults = Faults()
    with faulty_proxy(server, faults) as proxy:
        for name, value in environment(proxy).items():
            monkeypatch.setenv(name, value)
        yield faults
    assert not list((tmp_path / "tmp").glob("compare-store-*")), "a folder here was left behind"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the study, run locally."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with running("run", *STUDY.split(), "--out", out) as process:
        _, error = rest_of(process)
    assert process.returncode == 0, error
    return out


@pytest.fixture
def command(numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """command(*arguments) -> its exit code and its standard error.

    It runs in this process, which has everything imported.
    """
    monkeypatch.setattr(stores, "PATIENT", IMPATIENT)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), capsys.readouterr().err

    return run


def fetched(address: str, to: Path) -> Path:
    """Return a local copy of the store's content."""
    store = Store(address)
    for name in store.names():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(store.read(name))
    return to


def whole_runs(folder: Path) -> int:
    """Return the number of records, and check that each successful run has its weights."""
    records = [RunResult.model_validate_json(path.read_bytes()) for path in (folder / "results").glob("*.json")]
    assert all((folder / record.weights_path).is_file() for record in records if record.outcome)
    return len(records)


def test_a_study_and_what_is_done_with_it(faults: Faults, undisturbed: Path, command: Command, tmp_path: Path) -> None:
    """The faults are temporary: 503s, requests without an answer, and a PUT that is cut off."""
    faults.next.extend(["", "503", "", "cut", "", "silence", "", "503", "503"])
    address = f"s3://{BUCKET}/study"
    code, error = command("run", *STUDY.split(), "--out", address)
    assert code == 0, error
    assert sorted(faults.met) == ["503", "503", "503", "cut", "silence"]
    copy = fetched(address, tmp_path / "copy")
    assert essences(copy) == essences(undisturbed)
    left = {p.relative_to(undisturbed).as_posix() for p in undisturbed.rglob("*") if p.is_file()}
    assert Store(address).names().keys() == left
    for arguments in (("verify", address), ("report", address), ("diff", address, undisturbed)):
        code, error = command(*arguments)
        assert code == 0, error
    assert command("export", address, "--format", "some-numpy")[0] == 2
    code, error = command("run", *STUDY.split(), "--out", address)
    assert code == 2
    assert f"The output folder {address} is not empty" in error


def test_a_store_that_takes_no_more(faults: Faults, undisturbed: Path, command: Command, tmp_path: Path) -> None:
    """The study stops and reports it, every saved run is complete, and the study can be resumed."""
    faults.next.extend([""] * 6)  # the lock, the plan, two runs
    faults.always = "503"
    address = f"s3://{BUCKET}/full"
    code, error = command("run", *STUDY.split(), "--out", address)
    assert code == 1
    assert f"Resume with: python -m compare run --resume {address}" in error
    assert "Traceback" not in error
    assert 1 <= whole_runs(fetched(address, tmp_path / "first")) <= 3
    faults.always = ""
    code, error = command("run", "--resume", address)
    assert code == 0, error
    assert essences(fetched(address, tmp_path / "second")) == essences(undisturbed)
    assert command("verify", address)[0] == 0


def test_killed_and_gone_on_with(faults: Faults, undisturbed: Path, command: Command, tmp_path: Path) -> None:
    """It resumes from the store alone. The lock left behind belongs to a dead process."""
    address = f"s3://{BUCKET}/killed"
    with running("run", *STUDY.split(), "--out", address) as process:
        deadline = time.monotonic() + GENEROUS_S
        while (
            not any("/results/" in put for put in faults.puts)
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        assert workers_of(process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=GENEROUS_S)
    assert mounts.LOCK in Store(address).names()
    assert whole_runs(fetched(address, tmp_path / "first")) < 4
    for left in (tmp_path / "tmp").glob("compare-store-*"):
        left.rename(tmp_path / left.name)  # a killed process could not do this
    code, error = command("run", "--resume", address)
    assert code == 0, error
    assert essences(fetched(address, tmp_path / "second")) == essences(undisturbed)


@pytest.mark.usefixtures("faults")
def test_another_process_is_at_work(command: Command) -> None:
    address = f"s3://{BUCKET}/taken"
    Store(address).put(mounts.LOCK, json.dumps({"host": "another", "pid": 1}).encode())
    code, error = command("run", *STUDY.split(), "--out", address)
    assert code == 2
    assert "is not empty" in error or "Another command is at work" in error
    assert "Traceback" not in error
