"""Nothing outside a run folder is changed, reported or waited for, if something in the folder is a link."""

import contextlib
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
from fuzzing import bounded

from compare import frames
from compare.__main__ import main
from shared.errors import InputError
from shared.storage import inside

COMMANDS = (
    "report RUN",
    "report RUN --out again",
    "visualize RUN",
    "export RUN --format onnx",
    "run --resume RUN",
    "diff RUN RUN",
)

MORE_COMMANDS = (
    "report RUN good --out again",
    "visualize RUN --out RUN/plots",
    "visualize RUN --predict RUN/plots/learning_curves.png",
    "export RUN --format torch --out RUN/report.md",
    "diff good RUN",
    "run --out RUN",
    "bench --out RUN",
    "parity --out RUN",
    "run --dataset idx:RUN --out again",
)


def command(monkeypatch: pytest.MonkeyPatch, line: str, folder: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *line.replace("RUN", str(folder)).split()])
    with pytest.raises(SystemExit) as caught, bounded():
        main()
    return int(caught.value.code or 0)


def linked(folder: Path, name: str, victim: Path) -> None:
    """Replace what is there by a link to `victim`, which is of the same kind."""
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(victim)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


NAMES = [
    *("report.md", "report.html", "results.csv", "plan.json", "study.json", "manifest.json", "manifest.sha256"),
    *("results/numpy-seed0.json", "weights/numpy-seed0.safetensors", "plots/learning_curves.png", "logs/numpy.log"),
    *("pictures/filters.png", "exports/numpy-seed0.onnx", "checkpoints/numpy-seed0.safetensors"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_linked_file(name: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    linked(run_folder, name, victim)
    monkeypatch.chdir(tmp_path)
    for line in COMMANDS:
        assert command(monkeypatch, line, run_folder) == 2, line
        assert "is a symbolic link" in capsys.readouterr().err, line
    assert command(monkeypatch, "verify RUN", run_folder) == 1
    assert f"{name} is a symbolic link" in capsys.readouterr().out
    with pytest.raises(InputError, match="symbolic link"):
        frames.runs(run_folder)
    assert victim.read_text() == "precious"


def replaced(folder: Path, name: str, kind: str, victim: Path) -> None:
    """Replace what is there by something that is neither a file nor a folder."""
    linked(folder, name, victim)
    if kind == "link":
        return
    path = folder / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(path.parent):  # such paths must be short
            made.bind(path.name)
    else:
        path.symlink_to({"link to nothing": victim.with_name("made"), "link to a device": Path("/dev/zero")}[kind])


@pytest.mark.long
@pytest.mark.parametrize("kind", ["link", "link to nothing", "link to a device", "pipe", "socket"])
def test_every_file_and_folder_in_turn(
    kind: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """This covers every path that a command could read or write. None changes a link's target, creates it or waits for
    it."""
    victim, good, key = tmp_path / "victim", tmp_path / "good", tmp_path / "key.pem"
    shutil.copytree(run_folder, good)
    key.write_text("no key")
    monkeypatch.chdir(tmp_path)
    there = [path.relative_to(good).as_posix() for path in sorted(good.rglob("*"))]
    for name in dict.fromkeys([*there, *NAMES, "pictures", "exports", "checkpoints", "manifest.sig", "sub/more"]):
        shutil.rmtree(run_folder)
        shutil.copytree(good, run_folder)
        victim.write_text("precious")
        replaced(run_folder, name, kind, victim)
        for line in (*COMMANDS, *MORE_COMMANDS):
            assert command(monkeypatch, line, run_folder) == 2, (name, line)
            assert "Traceback" not in capsys.readouterr().err
        for line in ("verify RUN", "verify RUN --rerun", "verify RUN --sign key.pem"):
            assert command(monkeypatch, line, run_folder) == 1, (name, line)
            assert f"{name} is " in capsys.readouterr().out
        assert victim.read_text() == "precious"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "key.pem", "run", "victim"]


@pytest.mark.parametrize("name", ["results", "weights", "plots", "logs", "pictures", "exports", "checkpoints"])
def test_a_linked_folder(name: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    victim = tmp_path / "victim"
    if (run_folder / name).is_dir():
        shutil.copytree(run_folder / name, victim)
    else:
        victim.mkdir()
    before = contents(victim)
    linked(run_folder, name, victim)
    monkeypatch.chdir(tmp_path)
    for line in COMMANDS:
        assert command(monkeypatch, line, run_folder) == 2, line
    assert command(monkeypatch, "verify RUN", run_folder) == 1
    assert contents(victim) == before


@pytest.mark.parametrize("name", ["report.md", "plan.json", "results/more.json", "pictures/filters.svg"])
def test_a_pipe_is_not_waited_for(name: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = run_folder / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    monkeypatch.chdir(tmp_path)
    for line in COMMANDS:
        assert command(monkeypatch, line, run_folder) == 2, line
    assert command(monkeypatch, "verify RUN", run_folder) == 1


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_verify_names_a_link_to_nothing(
    name: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """They replace the files that verify reads first."""
    linked(run_folder, name, tmp_path / "nothing")
    assert command(monkeypatch, "verify RUN", run_folder) == 1
    assert f"{name} is a symbolic link" in capsys.readouterr().out


def test_writing_goes_through_no_link(tmp_path: Path) -> None:
    """This holds if the link appears after the folder was checked."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (folder / "below").symlink_to(outside)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        inside.write(folder, "below/file", b"x")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        inside.remove(folder, "below/file")
    (outside / "file").write_text("precious")
    (folder / "file").symlink_to(outside / "file")
    inside.write(folder, "file", b"x")  # replaces the link
    assert (outside / "file").read_text() == "precious"
    assert (folder / "file").read_bytes() == b"x"
    assert [p.name for p in outside.iterdir()] == ["file"]


def test_the_umask_is_respected(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        inside.write(tmp_path, "a/b", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_log_goes_into_no_other_file(tmp_path: Path) -> None:
    """Neither links nor hard links to files of other folders are written to."""
    victim, log = tmp_path / "victim", tmp_path / "log"
    victim.write_text("precious")
    os.link(victim, log)
    for _ in range(2):  # the second one appends
        with os.fdopen(inside.open_log(log), "wb") as stream:
            stream.write(b"a warning ")
    assert victim.read_text() == "precious"
    assert log.read_text() == "a warning a warning "
    log.unlink()
    log.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        inside.open_log(log)
    log.unlink()
    os.mkfifo(log)
    with pytest.raises(OSError, match="No such device"):  # it has no reader
        inside.open_log(log)
