"""Fetching from servers on this machine that behave and misbehave."""

import errno
import gzip
import os
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import idx_files
import pytest
from mirrors import SLOW_S

from shared.data import choice, fetch
from shared.data.download import DownloadProgress
from shared.errors import InputError
from shared.storage import mounts
from shared.storage.stores import Store

TINY, CONTENTS = idx_files.make()
GOOD = {f"/{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
IMAGES = "/train-images-idx3-ubyte.gz"

pytestmark = pytest.mark.usefixtures("serve")


def test_fetched_files_are_whole_and_readable(tmp_path: Path, serve) -> None:
    steps: list[DownloadProgress] = []
    paths = fetch.fetch(TINY, tmp_path, 20, steps.append, [serve(GOOD).url])
    assert sorted(p.name for p in paths) == sorted(name[1:] for name in GOOD)
    assert sorted(p.name for p in (tmp_path / "Tiny" / "raw").iterdir()) == sorted(p.name for p in paths)
    assert TINY.read(tmp_path).x_train.tobytes() == CONTENTS[IMAGES[1:-3]][16:]
    assert steps[-1].done_bytes == steps[-1].total_bytes > 0


def test_what_is_there_is_not_fetched_again(tmp_path: Path, serve) -> None:
    folder = tmp_path / "Tiny" / "raw"
    idx_files.write(folder, {n: c for n, c in CONTENTS.items() if n != IMAGES[1:-3]}, gzipped=False)
    server = serve(GOOD)
    assert [p.name for p in fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])] == [IMAGES[1:]]
    assert server.handler.asked == [IMAGES]
    assert fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url]) == []


def test_what_is_fetched_into_a_store_is_kept_there(serve) -> None:
    address = f"memory://{uuid.uuid4()}"
    try:
        folder = mounts.located_data(address)
        fetch.fetch(TINY, folder, 20, mirrors=[serve(GOOD).url])
    finally:
        assert mounts.unmount_all() == []
    assert sorted(Store(address).names()) == sorted(f"Tiny/raw{name}" for name in GOOD)


WRONG = {
    "not found": (404, "HTTP status 404"),
    "server error": (500, "HTTP status 500"),
    "redirect loop": ("loop", "redirects without end"),
    "cut off": (("cut", GOOD[IMAGES]), "the connection broke off"),
    "wrong content": (gzip.compress(b"x" * 23_536), "SHA-256"),
    "not gzip": (b"<html>sign in</html>", "cannot be unpacked"),
    "too large": (bytes(1 << 21), "is larger than 1,072,112 bytes"),
    "too large and of unknown length": (("of unknown length", bytes(1 << 21)), "is larger than 1,072,112 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_mirror_is_named_and_leaves_nothing(tmp_path: Path, serve, case: str) -> None:
    answer, reason = WRONG[case]
    server = serve(GOOD | {IMAGES: answer})
    with pytest.raises(InputError, match=f"train-images-idx3-ubyte.gz could not be fetched: {server.url} .*({reason})"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", WRONG)
def test_the_next_mirror_is_asked(tmp_path: Path, serve, case: str) -> None:
    bad, good = serve(GOOD | {IMAGES: WRONG[case][0]}), serve(GOOD)
    assert len(fetch.fetch(TINY, tmp_path, 20, mirrors=[bad.url, good.url])) == 4


@pytest.mark.parametrize("answer", ["silence", "trickle"])
def test_time_is_limited(tmp_path: Path, serve, answer: str) -> None:
    server = serve({IMAGES: answer})
    start = time.monotonic()
    with pytest.raises(InputError, match="not done within 1 s"):
        fetch.fetch(TINY, tmp_path, 1.0, mirrors=[server.url])
    assert time.monotonic() - start < SLOW_S
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", [503, 429, ("cut", GOOD[IMAGES])])
def test_what_may_do_better_in_a_moment_is_asked_again(tmp_path: Path, serve, first: object) -> None:
    server = serve(GOOD | {IMAGES: [first, first, GOOD[IMAGES]]})
    assert len(fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])) == 4
    assert server.handler.asked.count(IMAGES) == 3


def test_pauses_grow_and_a_server_may_ask_for_longer_ones(
    tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(fetch, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))
    monkeypatch.setattr(fetch, "PAUSE_S", 0.5)
    server = serve(GOOD | {IMAGES: [500, 500, GOOD[IMAGES]]})
    fetch.fetch(TINY, tmp_path / "a", 20, mirrors=[server.url])
    server = serve(GOOD | {IMAGES: [(503, 7), GOOD[IMAGES]]})
    fetch.fetch(TINY, tmp_path / "b", 20, mirrors=[server.url])
    assert pauses == [0.5, 1.0, 7.0]


def test_no_wait_goes_beyond_the_time_there_is(tmp_path: Path, serve) -> None:
    server = serve(GOOD | {IMAGES: (503, 3600)})
    with pytest.raises(InputError, match="HTTP status 503"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])
    assert server.handler.asked == [IMAGES]


def test_what_will_not_do_better_is_asked_once(tmp_path: Path, serve) -> None:
    bad, busy = serve(GOOD | {IMAGES: b"<html>sign in</html>"}), serve(GOOD | {IMAGES: [503, GOOD[IMAGES]]})
    assert len(fetch.fetch(TINY, tmp_path, 20, mirrors=[bad.url, busy.url])) == 4
    assert bad.handler.asked == [IMAGES]


def test_a_proxy_is_asked_where_the_environment_names_one(
    tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve({f"http://example.invalid/tiny{path}": content for path, content in GOOD.items()})
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv(fetch.MIRROR_VARIABLE, "http://example.invalid")
    assert len(fetch.fetch(TINY, tmp_path, 20)) == 4
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    with pytest.raises(InputError, match="no connection through the proxy"):
        fetch.fetch(TINY, tmp_path / "again", 20)


def test_offline_no_server_is_asked(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(GOOD)
    monkeypatch.setenv(fetch.OFFLINE_VARIABLE, "1")
    with pytest.raises(InputError, match=r"no train-images-idx3-ubyte and .* COMPARE_OFFLINE is set"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])
    assert server.handler.asked == []
    assert list(tmp_path.iterdir()) == []
    idx_files.write(tmp_path / "Tiny" / "raw", CONTENTS, gzipped=True)
    assert fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url]) == []


def test_a_full_disk_is_not_taken_for_a_bad_mirror(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shared.data.download._to_file", full)
    with pytest.raises(InputError, match=r"cannot be written to .*: No space left on device"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(GOOD).url])
    assert list(tmp_path.iterdir()) == []


def test_no_server_listens(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no connection"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=["http://127.0.0.1:9/"])


def test_own_mirror_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve) -> None:
    server = serve({f"/tiny{path}": content for path, content in GOOD.items()})
    monkeypatch.setenv(fetch.MIRROR_VARIABLE, server.url)
    assert len(fetch.fetch(TINY, tmp_path, 20)) == 4


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(InputError, match="cannot be written to"):
        fetch.fetch(TINY, tmp_path / "data", 1, mirrors=[])


def test_auto_takes_mnist_from_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "MNIST", TINY)
    idx_files.write(tmp_path / "Tiny" / "raw", CONTENTS, gzipped=True)
    chosen = choice.choose("auto", tmp_path)
    assert chosen.dataset == "mnist"
    assert "found in" in chosen.reason


def test_auto_fetches_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve) -> None:
    monkeypatch.setattr(choice, "MNIST", TINY)
    monkeypatch.setenv(fetch.MIRROR_VARIABLE, serve({f"/tiny{p}": c for p, c in GOOD.items()}).url)
    assert choice.choose("auto", tmp_path).reason == f"The data set is mnist, fetched into {tmp_path}."


def test_auto_falls_back_to_digits_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "MNIST", TINY)  # it has no mirror
    chosen = choice.choose("auto", tmp_path)
    assert chosen.dataset == "digits"
    assert "(not MNIST)" in chosen.reason


def test_a_named_data_set_never_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(choice.DATASETS, "tiny", TINY)
    with pytest.raises(InputError, match="no mirror is left to ask"):
        choice.choose("tiny", tmp_path)


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data set 'fashion-mnist'\. Did you mean 'fashion_mnist'\?"):
        choice.choose("fashion-mnist", tmp_path)
