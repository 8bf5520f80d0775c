"""Only one command works in a folder at a time. A dead command holds no lock."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compare.folders.output import OutputFolder
from shared.data.catalog import MNIST
from shared.data.fetch import fetch
from shared.errors import InputError
from shared.storage import lock

ROOT = Path(__file__).parents[3]


@contextmanager
def held_by_another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that locks `folder` until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from shared.storage.lock import hold; "
        "release = hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_second_is_reported(tmp_path: Path) -> None:
    with held_by_another(tmp_path), pytest.raises(InputError, match=f"Another command is at work in {tmp_path}"):
        lock.hold(tmp_path)


def test_a_command_that_was_killed_holds_nothing_and_left_nothing(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        other.kill()
        other.wait()
        with lock.held(tmp_path):
            assert list(tmp_path.iterdir()) == []


def test_the_same_command_may_come_again(tmp_path: Path) -> None:
    for _ in range(2):
        with lock.held(tmp_path), pytest.raises(InputError), lock.held(tmp_path):
            pass


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere cannot be used: No such file"):
        lock.hold(tmp_path / "nowhere")


def test_an_output_folder_is_held_as_long_as_it_is_used(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    with pytest.raises(InputError, match="at work"):
        OutputFolder.reopened(tmp_path / "out")
    del folder
    (tmp_path / "out" / "results").mkdir()
    (tmp_path / "out" / "results" / ".partial-abc").write_bytes(b"half of a rec")
    OutputFolder.reopened(tmp_path / "out")
    assert not list((tmp_path / "out" / "results").iterdir())


def test_two_that_fetch_the_same(tmp_path: Path) -> None:
    folder = MNIST.folder_in(tmp_path)
    folder.mkdir(parents=True)
    (folder / ".fetching-old").mkdir()  # left by a killed process
    with held_by_another(folder), pytest.raises(InputError, match="at work"):
        fetch(MNIST, tmp_path, mirrors=())
    with pytest.raises(InputError, match="no mirror is left to ask"):
        fetch(MNIST, tmp_path, mirrors=())
    assert not list(folder.iterdir())
