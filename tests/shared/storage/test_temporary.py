"""Temporary folders belong to the process that made them. After its death, the next command removes them."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import InputError
from shared.storage import temporary

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of temporary folders for one test."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def left_by_the_dead(kind: str) -> Path:
    """Return a temporary folder of a process that has ended."""
    code = f"from shared.storage import temporary; print(temporary.make({kind!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    made = Path(done.stdout.strip())
    (made / "sub").mkdir()
    (made / "sub" / "file").write_text("left")
    return made


def test_a_folder_is_gone_when_it_is_no_longer_needed(place: Path) -> None:
    with temporary.folder("logs") as made:
        (made / "file").write_text("x")
        assert list(place.iterdir()) == [made]
    assert list(place.iterdir()) == []


def test_those_of_the_dead_are_removed_and_no_others(place: Path, tmp_path: Path) -> None:
    dead, own = left_by_the_dead("worker"), temporary.make("worker")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    link = dead.with_name(f"{dead.name[:-8]}abcdefgh")
    link.symlink_to(elsewhere)
    (dead / "inner").symlink_to(elsewhere)
    file = dead.with_name(f"{dead.name[:-8]}ijklmnop")
    file.write_text("no folder")
    others = [place / "compare-worker-abcdefgh", place / f"other{dead.name}", place / f"{dead.name}-more"]
    for other in others:
        other.mkdir()
    temporary.clear_abandoned()
    assert sorted(place.iterdir()) == sorted([own, link, file, *others])
    assert (elsewhere / "precious").read_text() == "kept"


def test_a_number_that_is_used_again_is_not_taken_for_the_process(place: Path) -> None:
    """This process has the id in the mark, but another start time."""
    own = temporary.make("worker")
    kind, pid, start, where, random = own.name.removeprefix("compare-").split("-")
    former = own.with_name(f"compare-{kind}-{pid}-{int(start) - 1}-{where}-{random}")
    former.mkdir()
    temporary.clear_abandoned()
    assert list(place.iterdir()) == [own]


def test_a_process_of_another_machine_is_not_taken_for_dead(place: Path) -> None:
    dead = left_by_the_dead("worker")
    kind, pid, start, where, random = dead.name.removeprefix("compare-").split("-")
    foreign = dead.with_name(f"compare-{kind}-{pid}-{start}-{'0' * len(where)}-{random}")
    dead.rename(foreign)
    temporary.clear_abandoned()
    assert list(place.iterdir()) == [foreign]


def test_those_of_another_user_are_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, user = left_by_the_dead("worker"), os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    temporary.clear_abandoned()
    assert list(place.iterdir()) == [dead]


def test_without_proc_the_living_are_known(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dead = left_by_the_dead("worker")
    monkeypatch.setattr(temporary, "_PROCESSES", tmp_path / "no proc")
    temporary._where.cache_clear()
    own = temporary.make("worker")
    renamed = dead.with_name(dead.name.replace(dead.name.split("-")[4], own.name.split("-")[4]))
    dead.rename(renamed)
    temporary.clear_abandoned()
    temporary._where.cache_clear()
    assert list(place.iterdir()) == [own]


def test_a_variable_that_names_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"TMPDIR names .*nowhere, which is not a folder. Set the variable TMPDIR"):
        temporary.make("worker")
    temporary.clear_abandoned()  # no error for a command that needs none


def test_a_folder_that_cannot_be_written_to(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(InputError, match=f"No temporary folder can be made in {place}: Read-only file system"):
        temporary.make("worker")


def test_a_full_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many full disks still allow a new folder. A limit on the size of files acts like a full disk here."""
    code = (
        "import resource; from shared.storage import temporary; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); temporary.make('worker')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"InputError: No temporary folder can be made in {place}: File too large" in done.stderr
    assert list(place.iterdir()) == []


def test_what_is_made_beside_a_file_replaces_what_the_dead_left(tmp_path: Path) -> None:
    target = tmp_path / "net"
    code = (
        "import os; from pathlib import Path; from shared.storage import temporary\n"
        f"with temporary.beside(Path({str(target)!r})) as made: (made / 'net').write_text('half'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
    assert len(list(tmp_path.glob(".net-new-*"))) == 1
    (tmp_path / ".net-new").mkdir()
    (tmp_path / ".net-new" / "half").write_text("of an earlier version")
    (tmp_path / ".net2-new").mkdir()
    with temporary.beside(target) as made:
        assert sorted(p.name for p in tmp_path.glob(".net*")) == sorted([made.name, ".net2-new"])
        assert list(made.iterdir()) == []
    assert [p.name for p in tmp_path.glob(".net*")] == [".net2-new"]
