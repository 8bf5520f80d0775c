"""Folders on a store: memory:// within this process, and S3 over real HTTP with a faulty proxy."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import idx_files
import pytest
from s3_server import BUCKET, IMPATIENT, Faults, environment, faulty_proxy, s3_server

from compare.__main__ import main
from shared.errors import InputError
from shared.storage import lock, mounts, stores
from shared.storage.stores import Store, StoreError


@pytest.fixture
def address() -> str:
    """Return the address of an unused folder."""
    return f"memory://{uuid.uuid4()}"


@pytest.fixture(autouse=True)
def unmounted() -> Iterator[None]:
    yield
    mounts.unmount_all()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as host:
        yield host


@pytest.fixture
def faults(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Yield the faults of the server that this process uses."""
    faults = Faults()
    with faulty_proxy(server, faults) as proxy:
        for name, value in environment(proxy).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(stores, "PATIENT", IMPATIENT)
        yield faults


def put(address: str, **files: bytes) -> Store:
    store = Store(address)
    for name, content in files.items():
        store.put(name, content)
    return store


def test_what_is_there_is_here_and_what_is_written_goes_there(address: str) -> None:
    store = put(address, a=b"1")
    store.put("deep/b", b"22")
    folder = mounts.located(address)
    assert (folder / "a").read_bytes() == b"1"
    assert (folder / "deep" / "b").read_bytes() == b"22"
    (folder / "deep" / "c").write_bytes(b"333")
    mounts.written(folder / "deep" / "c")
    (folder / "a").unlink()
    mounts.removed(folder / "a")
    assert store.names() == {"deep/b": 2, "deep/c": 3}
    assert mounts.unmount_all() == []
    assert not folder.exists()


def test_what_was_written_without_a_word_goes_there_at_the_end_if_this_is_the_one_at_work(address: str) -> None:
    store = put(address, a=b"1", b=b"1")
    for holds in (False, True):
        folder = mounts.located(address)
        if holds:
            lock.hold(folder)
        (folder / "a").write_bytes(b"changed")
        (folder / "log").write_bytes(b"log")
        (folder / "b").unlink()
        assert mounts.unmount_all() == []
        assert store.names() == ({"a": 7, "log": 3} if holds else {"a": 1, "b": 1})


def test_paths_are_shown_by_their_address(address: str) -> None:
    folder = mounts.located(address)
    assert mounts.with_addresses(f"Report: {folder / 'report.md'}") == f"Report: {address}/report.md"
    assert mounts.with_addresses(Path("elsewhere")) == "elsewhere"


def test_one_command_at_a_time(address: str) -> None:
    store = put(address, **{mounts.LOCK: json.dumps({"host": "another", "pid": 1}).encode()})
    with pytest.raises(InputError, match=r"Another command is at work in memory://.*remove memory://.*/\.lock"):
        lock.hold(mounts.located(address))
    assert store.names().keys() == {mounts.LOCK}


def test_a_command_of_this_machine_that_was_killed_is_no_longer_at_work(address: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    here = {"host": socket.gethostname(), "pid": gone.pid}
    store = put(address, **{mounts.LOCK: json.dumps(here).encode()})
    lock.hold(mounts.located(address))
    assert json.loads(store.read(mounts.LOCK))["pid"] == os.getpid()
    assert mounts.unmount_all() == []
    assert store.names() == {}


def test_of_two_commands_that_find_a_lock_of_one_that_is_gone_one_goes_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen the lock before either takes it over. The second one then finds it held again."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    store = put(address, **{mounts.LOCK: json.dumps({"host": socket.gethostname(), "pid": gone.pid}).encode()})
    first, second = (mounts.Mount(Store(address), Path("unused"), writable=True) for _ in range(2))
    create = Store.create

    def late(self: Store, name: str, content: bytes) -> bool:
        """Let the first take the lock over after the second has found it, but before the second reads its owner."""
        created = create(self, name, content)
        if self is second.store:
            monkeypatch.setattr(Store, "create", create)
            first.hold()
        return created

    monkeypatch.setattr(Store, "create", late)
    with pytest.raises(InputError, match="Another command is at work"):
        second.hold()
    assert first.held
    assert not second.held
    first.release()
    assert store.names() == {}


def test_no_other_process_takes_over_meanwhile(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, seen = put(address, **{mounts.LOCK: b"of another"}), []

    def take_over(self: mounts.Mount, content: bytes) -> None:
        with mounts._file_of(address).open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(content)

    monkeypatch.setattr(mounts.Mount, "_take_over", take_over)
    lock.hold(mounts.located(address))
    assert len(seen) == 1
    store.remove(mounts.LOCK)


def test_a_lock_is_taken_over_by_one_process_at_a_time(address: str, tmp_path: Path) -> None:
    """The other waits, and then finds it held."""
    code = """
import sys, time
from shared.storage import mounts
with mounts._alone_here(sys.argv[1]):
    print("in", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        threading.Timer(0.3, other.stdin.close).start()
        start = time.monotonic()
        with mounts._alone_here(address):
            assert time.monotonic() - start > 0.2


def test_what_others_did_before_the_lock_was_ours_is_seen(address: str) -> None:
    """If another machine finishes a study between the first read and the lock, its new state is used."""
    store = put(address, old=b"1", same=b"1", gone=b"1")
    folder = mounts.located(address)
    store.put("old", b"2")
    store.put("results/new", b"3")
    store.remove("gone")
    lock.hold(folder)
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {"old": b"2", "same": b"1", "results/new": b"3"}
    assert mounts.unmount_all() == []
    assert store.names() == {"old": 1, "same": 1, "results/new": 1}


def test_a_new_folder_that_another_was_quicker_to_fill_is_left_alone(address: str) -> None:
    folder = mounts.located_new(address)
    store = put(address, a=b"1")
    with pytest.raises(InputError, match="is not empty"):
        lock.hold(folder)
    mounts.unmount_all()
    assert store.names() == {"a": 1}


def test_a_lock_whose_answer_was_lost_is_ours(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library retries, and finds its own lock."""
    store, create = Store(address), Store.create
    monkeypatch.setattr(Store, "create", lambda self, *file: create(self, *file) and False)
    lock.hold(mounts.located(address))
    assert mounts.LOCK in store.names()
    assert mounts.unmount_all() == []
    assert store.names() == {}


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b'{"host": 1}', b"\xff"])
def test_a_lock_that_cannot_be_read_holds(address: str, content: bytes) -> None:
    put(address, **{mounts.LOCK: content})
    with pytest.raises(InputError, match="Another command"):
        lock.hold(mounts.located(address))


def test_of_data_only_what_is_asked_for_comes_and_nothing_goes(address: str) -> None:
    dataset, contents = idx_files.make()
    store = put(address, **{f"Tiny/raw/{name}": content for name, content in contents.items()}, **{"Other/x": b"1"})
    folder = mounts.located_data(address)
    assert not any(folder.iterdir())
    assert dataset.missing_files(folder) == []
    assert dataset.read(folder).x_train.shape == (30, 28, 28, 1)
    assert not (folder / "Other").exists()
    (folder / "new").write_bytes(b"1")
    assert mounts.unmount_all() == []
    assert "new" not in store.names()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ftp://host/folder", "not by ftp://"),
        ("nonsense://x", "not by nonsense://"),
        ("s3://", "names no folder"),
        ("memory:///", "names no folder"),
    ],
)
def test_addresses_that_are_none(given: str, said: str) -> None:
    for located in (mounts.located, mounts.located_new, mounts.located_data):
        with pytest.raises(InputError, match=said):
            located(given)


def test_paths_are_paths(tmp_path: Path) -> None:
    for located in (mounts.located, mounts.located_new, mounts.located_data):
        assert located("some/path") == Path("some/path")
        assert located(f"file://{tmp_path}") == tmp_path
    with pytest.raises(InputError, match="must be on this machine"):
        mounts.here("s3://bucket/file")


def test_many_files_take_longer_than_the_first_answer_may(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = put(address, a=b"1", b=b"2")
    assert store.occupied()
    assert not Store(f"{address}/nothing").occupied()
    monkeypatch.setattr(stores, "FIRST_ANSWER_S", 0.5)
    files = Store._files
    monkeypatch.setattr(Store, "_files", lambda self: (time.sleep(1), files(self))[1])
    assert sorted(path.name for path in mounts.located(address).iterdir()) == ["a", "b"]


def test_a_store_that_fails_later_is_reported_in_a_line(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It answers at first, and later fails to return a file."""
    put(address, a=b"1")

    def fail(*_: object) -> None:
        raise StoreError("Access denied")

    monkeypatch.setattr(Store, "get", fail)
    monkeypatch.setattr(sys, "argv", ["compare", "verify", address])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "compare: The store failed: Access denied. Try again, or give a folder.\n"


def test_nothing_is_overwritten(address: str) -> None:
    put(address, a=b"1")
    with pytest.raises(InputError, match="is not empty"):
        mounts.located_new(address)


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("obstore", "boto3"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, library, None)
            without.setitem(sys.modules, f"{library}.store", None)
            with pytest.raises(InputError, match=rf"the library {library}.* is missing.*pip install 'compare\[s3\]'"):
                Store("s3://bucket/folder")


# ---- S3


def test_faults_that_pass(faults: Faults) -> None:
    """Every file arrives complete."""
    store = Store(f"s3://{BUCKET}/passing")
    faults.next.extend(["503", "", "cut", "", "silence", "", "503", "cut", "503", ""])
    contents = {f"folder/{i}": os.urandom(10_000) for i in range(4)}
    for name, content in contents.items():
        store.put(name, content)
    assert faults.met == ["503", "cut", "silence", "503", "cut", "503"]
    assert {name: store.read(name) for name in contents} == contents
    assert store.names() == dict.fromkeys(contents, 10_000)
    store.remove("folder/0")
    store.remove("folder/0")  # it does not exist, and nothing happens
    assert "folder/0" not in store.names()


@pytest.mark.parametrize("fault", ["503", "cut", "silence"])
def test_a_fault_that_does_not_pass(faults: Faults, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported, and the store's content stays unchanged."""
    monkeypatch.setattr(stores, "PATIENT", {"timeout_s": 1.0, "retry_s": 1.5})
    store = put(f"s3://{BUCKET}/failing-{fault}", a=b"before")
    faults.always = fault
    with pytest.raises(StoreError) as caught:
        store.put("a", b"after")
    assert caught.value.strerror
    assert len(faults.met) > 1
    assert store.read("a") == b"before"


def test_a_command_at_work_elsewhere(faults: Faults) -> None:
    """The store itself lets only one of two create the lock."""
    first, second = (Store(f"s3://{BUCKET}/lock") for _ in range(2))
    assert first.create(mounts.LOCK, b"first")
    assert not second.create(mounts.LOCK, b"second")
    assert first.read(mounts.LOCK) == b"first"
    assert first.read("nothing") is None


@pytest.mark.parametrize("name", ["../../evil", "a/../b", "back\\slash", "zero\u200bwidth"])
@pytest.mark.usefixtures("faults")
def test_a_name_that_leads_out_of_the_folder(name: str) -> None:
    """Other tools can write such names."""
    folder = uuid.uuid4().hex
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}/{name}", Body=b"1")
    with pytest.raises(InputError, match="is not a valid file name"):
        Store(f"s3://{BUCKET}/{folder}").names()


@pytest.mark.usefixtures("faults")
def test_a_file_that_is_written_again_is_another_version() -> None:
    """This holds even if its length is the same."""
    store = put(f"s3://{BUCKET}/versions", a=b"1", b=b"1")
    before = store.versions()
    store.put("a", b"2")
    after = store.versions()
    assert before["a"] != after["a"]
    assert before["b"] == after["b"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "credentials"),
        ({"AWS_ENDPOINT_URL": "http://no-such-host.invalid"}, "failed to lookup"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Connection refused"),
        ({"AWS_ENDPOINT_URL": "SILENT"}, "it did not answer in time"),
    ],
)
@pytest.mark.usefixtures("faults")
def test_a_store_that_cannot_be_used(
    change: dict[str, str | None], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # may contain credentials
    monkeypatch.setattr(stores, "BRISK", {"timeout_s": 1.0, "retry_s": 1.0})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name, value in change.items():
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value.replace("SILENT", f"http://127.0.0.1:{silent.getsockname()[1]}"))
        start = time.monotonic()
        with pytest.raises(InputError, match=f"s3://{BUCKET}/x cannot be used.*{said}"):
            mounts.located(f"s3://{BUCKET}/x")
        assert time.monotonic() - start < 60


def test_a_store_that_does_not_answer_in_time(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FIRST_ANSWER_S", 0.2)
    with pytest.raises(InputError, match="cannot be used: it does not answer"):
        Store(address).first(lambda: time.sleep(2))


def test_an_interrupt_ends_the_wait_for_a_store(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while obstore retries, which would take an hour here."""
    monkeypatch.setattr(stores, "PATIENT", {"timeout_s": 3600.0, "retry_s": 3600.0})
    store = Store(f"s3://{BUCKET}/interrupted")
    faults.always = "503"

    def interrupt() -> None:
        while not faults.met:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            store.put("a", b"1")
    finally:
        signal.signal(signal.SIGINT, before)
        faults.always = ""  # lets the remaining thread end


@pytest.mark.usefixtures("faults")
def test_a_bucket_that_is_not_there() -> None:
    folder = mounts.located_new("s3://no-such-bucket/x")
    with pytest.raises(InputError, match="The specified bucket does not exist"):
        lock.hold(folder)
