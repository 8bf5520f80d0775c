"""A command killed at any moment leaves nothing behind after the next one."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from commands import running, still_there, wait_for, workers_of
from patience import GENEROUS_S

from compare.__main__ import main
from compare.commands import export as export_command
from compare.commands import visualize as visualize_command
from compare.commands.verify import problems
from compare.folders import leftovers
from compare.folders.output import OutputFolder
from compare.registry import IMPLEMENTATIONS
from compare.training.planned import PLAN
from shared.errors import InputError
from shared.storage import lock
from shared.storage.inside import PARTIAL

ROOT = Path(__file__).parents[3]
OPTIONS = "--dataset digits --model dense_baseline --implementations numpy --batch-size 32 --limit 320"
QUICK = ["run", *OPTIONS.split()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of temporary folders."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def kill_and_go_on(folder: Path, place: Path, n_kills: int, by: random.Random) -> None:
    """Kill a study `n_kills` times, in its own or in a new folder each time. One more command removes all remains."""
    for number in range(n_kills):
        out = folder / f"out{number % 3}"
        arguments = ["run", "--resume", out] if (out / PLAN).exists() else [*QUICK, "--epochs", "30", "--out", out]
        with running(*arguments) as process:
            time.sleep(by.uniform(0.05, 2.5))  # a forked study trains within half a second
            workers = workers_of(process)
            process.kill()
            process.communicate()
        assert not still_there(workers)
    for out in folder.glob("out*"):
        arguments = ["run", "--resume", out] if (out / PLAN).exists() else [*QUICK, "--epochs", "1", "--out", out]
        with running(*arguments) as process:
            _, error = process.communicate(timeout=GENEROUS_S)
        assert process.returncode == 0, error
        assert problems(out) == []
        assert not list(out.rglob(f"{PARTIAL}*"))
    assert list(place.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("numpy_implementation")
def test_killed_at_random_moments(tmp_path: Path, place: Path) -> None:
    kill_and_go_on(tmp_path, place, 3, random.Random(2))


@pytest.mark.long
@pytest.mark.usefixtures("numpy_implementation")
def test_killed_forty_times(tmp_path: Path, place: Path) -> None:
    kill_and_go_on(tmp_path, place, 40, random.Random(0))


def test_the_folder_of_a_killed_worker_is_removed_by_the_next_command(tmp_path: Path, place: Path) -> None:
    with running(*QUICK, "--epochs", "1000", "--out", tmp_path / "out", executed=True) as process:
        wait_for(tmp_path / "out" / PLAN, process)
        workers = workers_of(process)
        process.kill()
        process.communicate()
    assert not still_there(workers)
    assert len(list(place.iterdir())) == 1
    with running("models") as process:
        process.communicate(timeout=GENEROUS_S)
    assert list(place.iterdir()) == []


def test_what_a_framework_leaves_among_temporary_files_goes_with_its_worker(
    tmp_path: Path, place: Path, numpy_implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed worker leaves many such files, for example TensorFlow's generated modules."""
    package = tmp_path / "packages" / "littering"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import tempfile\ntempfile.NamedTemporaryFile(delete=False)\n"
        "from numpy_misbehaving import create, framework, matrix_product\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(package.parent)]))
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", replace(IMPLEMENTATIONS["numpy"], module="littering"))
    assert command(monkeypatch, *QUICK, "--epochs", "1", "--out", tmp_path / "out") == 0
    assert list(place.iterdir()) == []


NO_PLACE: dict[str, Callable[[Path], str]] = {
    "not there": lambda tmp: str(tmp / "nowhere"),
    "a file": lambda tmp: __file__,
}


NEEDING_ONE = [
    ["doctor"],
    ["models", "dense_baseline", "--check"],
    ["verify", "RUN", "--rerun"],
    ["visualize", "RUN"],
    ["export", "RUN", "--format", "torch"],
    ["bench", "--dataset", "digits", "--model", "dense_baseline", "--aa", "numpy"],
    ["parity"],
    QUICK,
]


@pytest.mark.parametrize("case", NO_PLACE)
@pytest.mark.parametrize("arguments", NEEDING_ONE, ids=lambda arguments: arguments[0])
def test_no_temporary_folder_is_one_paragraph(
    case: str, arguments: list[str], run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("TMPDIR", NO_PLACE[case](tmp_path))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert command(monkeypatch, *(str(run_folder) if a == "RUN" else a for a in arguments)) == 2
    error = capsys.readouterr().err
    assert "TMPDIR names" in error
    assert "Set the variable TMPDIR to a writable folder with enough room.\n" in error
    assert "Traceback" not in error
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "runs"] == before


@pytest.mark.usefixtures("numpy_implementation")
def test_a_folder_in_which_nothing_had_begun_is_taken(tmp_path: Path, place: Path) -> None:
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "1", "--out", out, first="import time\n" + SLOW_START) as process:
        wait_for(out / "logs" / "numpy.log", process)
        process.kill()
        process.communicate()
    assert [path.name for path in out.iterdir()] == ["logs"]
    with running("run", "--resume", out) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 2
    assert f"no study was started there, so there is nothing to resume. Start one with --out {out}" in error
    with running(*QUICK, "--epochs", "1", "--out", out) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert problems(out) == []


SLOW_START = f"""
from compare.processes.session import Session
Session.wait_until_ready = lambda self: time.sleep({GENEROUS_S})
from compare.training import study
study.Study.choose_device = lambda self, asked: self._start("numpy", 1, {{}}, "passive").wait_until_ready()
"""

NOT_LEFT_OVER: dict[str, Callable[[Path], object]] = {
    "another file": lambda out: (out / "notes.txt").write_text("mine"),
    "a log of something else": lambda out: (out / "logs" / "apache.log").write_text("mine"),
    "no log": lambda out: (out / "logs" / "numpy.txt").write_text("mine"),
    "a folder": lambda out: (out / "logs" / "more").mkdir(),
    "a link": lambda out: (out / "logs" / "numpy.log").symlink_to(__file__),
    "a linked folder": lambda out: (shutil.rmtree(out / "logs"), (out / "logs").symlink_to(out.parent)),
    "a name like that of a part": lambda out: (out / ".partial-of-mine.txt").write_text("mine"),
}


@pytest.mark.parametrize("case", NOT_LEFT_OVER)
def test_a_folder_with_anything_else_is_not_taken(case: str, tmp_path: Path, numpy_implementation: str) -> None:
    out = tmp_path / "out"
    (out / "logs").mkdir(parents=True)
    NOT_LEFT_OVER[case](out)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="is not empty, and nothing in it is overwritten"):
        OutputFolder(out)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_a_killed_comparison_of_models_is_taken(tmp_path: Path) -> None:
    logs = tmp_path / "out" / "logs"
    logs.mkdir(parents=True)
    for side in ("left", "right"):
        (logs / f"{side}.log").write_text("a framework's warning")
    OutputFolder(tmp_path / "out")
    assert list(logs.iterdir()) == []


def test_a_folder_in_which_a_command_is_about_to_begin_is_not_taken(tmp_path: Path) -> None:
    first = OutputFolder(tmp_path / "out")
    with pytest.raises(InputError, match="Another command is at work in"):
        OutputFolder(tmp_path / "out")
    first.write("a", b"a")
    assert (tmp_path / "out" / "a").read_bytes() == b"a"


def test_unnamed_folders_in_which_nothing_had_begun_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unbegun, begun, other = (
        Path("runs") / name for name in ("2026-01-02T030405Z-dense-digits", "2026-01-02T030406Z-dense-digits", "mine")
    )
    for folder in (unbegun, begun, other):
        (folder / "logs").mkdir(parents=True)
        (folder / "logs" / "torch.log").write_text("said")
    (begun / PLAN).write_text("{}")
    at_work = OutputFolder(Path("runs") / "2026-01-02T030407Z-dense-digits")
    leftovers.clear_runs()
    assert sorted(Path("runs").iterdir()) == sorted([begun, other, at_work.path])


def partly_written(run_folder: Path) -> None:
    """Write what a killed command leaves in a folder of results."""
    (run_folder / f"{PARTIAL}0123456789abcdef").write_text("half")
    (run_folder / "plots" / f"{PARTIAL}abcdefgh").write_text("half, of an earlier version")


def test_the_next_command_in_a_folder_removes_what_was_not_whole(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partly_written(run_folder)
    assert command(monkeypatch, "report", run_folder) == 0
    assert not list(run_folder.rglob(f"{PARTIAL}*"))
    assert (run_folder / "report.md").exists()
    assert problems(run_folder) == []


def misbehaving_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the NumPy implementation of the tests write its networks in the format `torch`."""
    for name, exports in (("torch", ()), ("numpy", ("torch",))):
        monkeypatch.setitem(IMPLEMENTATIONS, name, replace(IMPLEMENTATIONS[name], exports=exports))
    monkeypatch.setattr(export_command, "TOLERANCE", 100.0)  # its files have other logits


def test_an_export_does_not_move_into_what_another_left(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    misbehaving_writer(monkeypatch)
    target = tmp_path / "there" / "net"
    (target.parent / ".net-new").mkdir(parents=True)
    (target.parent / ".net-new" / "half").write_text("half")
    assert command(monkeypatch, "export", run_folder, "--format", "torch", "--out", target) == 0
    assert [path.name for path in target.parent.iterdir()] == ["net"]
    assert target.read_bytes() == b"a file"


def test_an_export_that_breaks_off_leaves_nothing_and_says_why(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    misbehaving_writer(monkeypatch)

    def breaks_off(_: Path, to: Path) -> None:
        to.mkdir()
        (to / "half").write_text("half")
        raise shutil.Error([("a", "b", f"[Errno 28] No space left on device: '{to}'")])

    monkeypatch.setattr(shutil, "move", breaks_off)
    target = tmp_path / "there" / "net"
    assert command(monkeypatch, "export", run_folder, "--format", "torch", "--out", target) == 2
    assert f"{target} cannot be written: No space left on device. Make room" in capsys.readouterr().err
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("arguments", [["export", "--format", "torch"], ["visualize"], ["report"]])
def test_a_command_waits_for_its_folder_before_it_writes(
    arguments: list[str], run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    misbehaving_writer(monkeypatch)
    (run_folder / "report.md").unlink()
    before = sorted(run_folder.rglob("*"))
    with lock.held(run_folder):
        assert command(monkeypatch, arguments[0], run_folder, *arguments[1:]) == 2
    assert "Another command is at work in" in capsys.readouterr().err
    assert sorted(run_folder.rglob("*")) == before


@pytest.mark.parametrize("ended_by", [KeyboardInterrupt, OSError, RuntimeError])
def test_what_was_drawn_is_in_the_manifest_however_it_ends(
    ended_by: type[BaseException], run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    whole = visualize_command.write_whole

    def write(folder: Path, name: str, content: bytes) -> None:
        if len(written) == 3:
            raise ended_by
        whole(folder, name, content)
        written.append(folder / name)

    monkeypatch.setattr(visualize_command, "write_whole", write)
    monkeypatch.setattr(sys, "argv", ["compare", "visualize", str(run_folder)])
    with pytest.raises((SystemExit, RuntimeError)):
        main()
    assert len(list((run_folder / "pictures").iterdir())) == 3
    assert problems(run_folder) == []


def test_an_interrupted_export_is_in_the_manifest(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misbehaving_writer(monkeypatch)
    whole = export_command._move

    def move(new: Path, path: Path) -> None:
        whole(new, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(export_command, "_move", move)
    assert command(monkeypatch, "export", run_folder, "--format", "torch") == 130
    assert (run_folder / "exports" / "numpy-seed0.pt2").exists()
    assert problems(run_folder) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_files_are_as_the_umask_has_them(umask: int, mode: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "1", "--out", out, umask=umask) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert {oct(path.stat().st_mode & 0o777) for path in out.rglob("*") if path.is_file()} == {oct(mode)}


def test_a_full_temporary_folder_before_anything_is_trained(tmp_path: Path, place: Path) -> None:
    """A limit on the size of files acts like a full disk after the data are read."""
    first = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
    with running(*QUICK, "--epochs", "1", "--out", tmp_path / "out", first=first) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 2, error
    assert f"compare: No temporary folder can be made in {place}: File too large. Set the variable TMPDIR" in error
    assert not (tmp_path / "out").exists()
    assert list(place.iterdir()) == []


def test_another_process_that_ends_late_is_no_dead_one(tmp_path: Path, place: Path) -> None:
    """With two studies at once, starting a second command keeps the folders of the first."""
    with running(*QUICK, "--epochs", "1000", "--out", tmp_path / "a") as first:
        wait_for(tmp_path / "a" / PLAN, first)
        before = sorted(place.iterdir())
        subprocess.run([sys.executable, "-m", "compare", "models"], cwd=ROOT, check=True, capture_output=True)
        assert sorted(place.iterdir()) == before
        assert len(before) == 1
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=GENEROUS_S)
    assert first.returncode == 130
    assert list(place.iterdir()) == []
