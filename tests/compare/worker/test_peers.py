"""Messages between the processes of one worker, which are threads here."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from patience import GENEROUS_S

from compare.processes import usage
from compare.worker import __main__ as worker
from compare.worker import machine, peers
from compare.worker.peers import PeerFailed, Peers
from shared.world import FOLDER_VARIABLE, World

SIZE = 3
Said = TypeVar("Said")


@pytest.fixture
def all_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Peers], Said]], list[Said]]:
    """Return a function that runs the same in every process of a world, and returns their results."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))

    def run(do: Callable[[Peers], Said]) -> list[Said]:
        with ThreadPoolExecutor(SIZE) as pool:
            # The first arrives last, so the others have to wait for it.
            asked = [pool.submit(lambda rank: do(Peers(World(rank, SIZE))), rank) for rank in reversed(range(SIZE))]
            return [future.result(timeout=GENEROUS_S) for future in reversed(asked)]

    return run


def test_what_each_says_is_sent_to_all(all_peers) -> None:
    parts = [b"0", b"", b"2" * 100_000]
    assert all_peers(lambda me: [me.exchange(parts[me.world.rank]) for _ in range(3)]) == [[parts] * 3] * SIZE


def test_parts_of_arrays_are_put_together_in_order(all_peers) -> None:
    whole = np.arange(70, dtype=np.float64).reshape(10, 7)
    for found in all_peers(lambda me: me.gathered(whole[me.world.share(10)])):
        np.testing.assert_array_equal(found, whole)
        assert found.dtype == whole.dtype


def test_requests_are_passed_on(all_peers) -> None:
    body, arrays = {"kind": "load_data"}, {"x": np.ones((3, 2), np.float32)}

    def do(me: Peers) -> object:
        if me.world.rank == 0:
            me.tell(body, arrays)
            return None
        heard = me.receive()
        assert heard is not None
        np.testing.assert_array_equal(heard[1]["x"], arrays["x"])
        return heard[0]

    assert all_peers(do) == [None, body, body]


def test_where_they_differ_all_do_as_the_first(all_peers) -> None:
    minds = [[True, False, False], [False, True, True], [True, True, True]]
    found = all_peers(lambda me: [me.as_the_first(mind[me.world.rank]) for mind in minds])
    assert found == [[True, False, True]] * SIZE


DEVICES = [("3,5", 0, "3"), ("3,5", 1, "5"), ("3,5", 2, ""), ("", 0, ""), (None, 1, "1")]


@pytest.mark.parametrize(("listed", "rank", "taken"), DEVICES)
def test_each_takes_a_device_of_its_own(
    listed: str | None, rank: int, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed or "")
    if listed is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    worker._take_device(World(rank, SIZE))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == taken
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", taken)  # makes the fixture restore it afterwards


def test_what_the_others_use_is_no_foreign_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_peers", [])
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        before = machine.usage().own_s
        machine.count_in([other.pid])
        counted = machine.usage()
        other.stdin.close()
    assert counted.own_s - before > 0.4
    assert counted.sent is not None


def test_one_that_gives_up_is_heard_of_by_the_first_and_ends_all(all_peers) -> None:
    def do(me: Peers) -> str:
        if me.world.rank == 2:
            me.give_up("no memory")
            return "gave up"
        if me.world.rank == 1:
            with pytest.raises(EOFError):
                me.exchange(b"1")
            return "was left alone"
        with pytest.raises(PeerFailed, match="no memory"):
            me.exchange(b"0")
        me.close()
        return "heard"

    assert all_peers(do) == ["heard", "was left alone", "gave up"]


def test_a_first_that_never_starts_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(peers, "JOIN_S", 0.1)
    with pytest.raises(TimeoutError, match="first of 2"):
        Peers(World(1, 2))


def test_the_path_of_the_socket_may_be_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(lambda rank: Peers(World(rank, 2)).exchange(b"%d" % rank), rank) for rank in range(2)]
        assert [future.result(timeout=GENEROUS_S) for future in both] == [[b"0", b"1"]] * 2
