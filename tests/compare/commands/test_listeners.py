"""A study whose output has no reader continues to its report, and its runs determine the exit code.

A request to end counts once, however the study was started.
"""

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import (
    Command,
    at_terminal,
    at_terminal_ignoring_its_end,
    rest_of,
    running,
    still_there,
    uninterruptible,
    wait_for,
    workers_of,
)
from essence import essences
from patience import GENEROUS_S

from compare.commands.verify import problems
from compare.training.planned import PLAN

OPTIONS = "--dataset digits --model dense_baseline --implementations numpy --batch-size 32 --limit 320"
QUICK = ["run", *OPTIONS.split()]
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("numpy_implementation")


def wait(process: Command) -> int:
    return process.wait(timeout=GENEROUS_S)


def first_epoch(process: Command) -> None:
    """Read standard error until a run has finished an epoch."""
    assert process.stderr is not None
    assert any("test accuracy" in line for line in iter(process.stderr.readline, ""))


@pytest.mark.parametrize("fault", ["", "nan"])
def test_readers_that_have_gone(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is that of the runs, as with `2>&1 | head -1`."""
    monkeypatch.setenv("NUMPY_IMPL_FAULT", fault)
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "3", "--seeds", "2", "--out", out) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.readline()
        process.stderr.close()
        process.stdout.close()
        assert wait(process) == (1 if fault else 0)
    assert len(list((out / "results").iterdir())) == 2
    assert problems(out) == []


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_without_room(stream: str, tmp_path: Path) -> None:
    """Lost progress is ignored. If the result cannot be printed, it is in the report, and the exit code is 1."""
    out = tmp_path / "out"
    with (
        Path("/dev/full").open("w") as full,
        running(*QUICK, "--epochs", "1", "--out", out, **{stream: full}) as process,
    ):
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == (1 if stream == "stdout" else 0)
    if stream == "stdout":
        assert error.endswith("compare: Standard output cannot be written to: No space left on device.\n")
    assert problems(out) == []


def test_other_commands_end_with_their_reader(tmp_path: Path) -> None:
    with running("models") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        with process.stderr:
            assert process.stderr.read() == ""
        assert wait(process) == 1


@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_is_closed(ignored: bool, tmp_path: Path) -> None:
    """The system sends SIGHUP to the processes there, and then every write fails."""
    out = tmp_path / "out"
    begin = at_terminal_ignoring_its_end if ignored else at_terminal
    ours, theirs = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with running(*QUICK, "--epochs", "30", "--out", out, preexec_fn=begin, **streams) as process:
        os.close(theirs)
        wait_for(out / PLAN, process)
        os.close(ours)
        assert wait(process) == 0
    assert problems(out) == []


def test_sighup_ends_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "30", "--out", out) as process:
        wait_for(out / PLAN, process)
        process.send_signal(signal.SIGHUP)
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert problems(out) == []


SLOW_REPORT = """
import time
from compare.training import report
render = report.render
report.render = lambda *of: (print("rendering", file=sys.stderr), time.sleep({s}), render(*of))[2]
"""


def reporting(process: Command) -> None:
    """Wait until the report is being made."""
    assert process.stderr is not None
    assert any(line == "rendering\n" for line in iter(process.stderr.readline, ""))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_while_the_report_is_written(sent: signal.Signals, tmp_path: Path) -> None:
    """Every run has ended. The report is still written, and `--resume` has nothing left to do."""
    out = tmp_path / "out"
    first = "import sys" + SLOW_REPORT.format(s=2)
    with running(*QUICK, "--epochs", "1", "--out", out, first=first) as process:
        reporting(process)
        process.send_signal(sent)
        _, error = rest_of(process)
    assert process.returncode == 130, error
    assert "Interrupted: saving what is finished. Interrupt again to stop at once." in error
    assert "Resume with: python -m compare run --resume" in error
    assert problems(out) == []
    with running("run", "--resume", out) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert problems(out) == []


def test_a_second_one_stops_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = "import sys" + SLOW_REPORT.format(s=GENEROUS_S)
    with running(*QUICK, "--epochs", "1", "--out", out, first=first) as process:
        reporting(process)
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        assert any("Interrupt again" in line for line in iter(process.stderr.readline, ""))
        process.send_signal(signal.SIGTERM)
        _, error = rest_of(process)
    assert process.returncode == 130, error
    assert "Stopped at once" in error
    assert not (out / "report.md").exists()


def test_started_with_sigint_ignored(tmp_path: Path) -> None:
    """Scripts start background jobs like this. SIGINT does nothing, SIGTERM interrupts, and resuming gives the same
    weights."""
    options = [*QUICK, "--epochs", "60", "--seeds", "2"]
    with running(*options, "--out", tmp_path / "whole") as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    out = tmp_path / "out"
    with running(*options, "--out", out, preexec_fn=uninterruptible) as process:
        first_epoch(process)
        workers = workers_of(process)
        process.send_signal(signal.SIGINT)
        first_epoch(process)  # it continues
        process.send_signal(signal.SIGTERM)
        _, error = rest_of(process)
    assert process.returncode == 130, error
    assert "Resume with" in error
    assert not still_there(workers)
    with running("run", "--resume", out, preexec_fn=uninterruptible) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert essences(out) == essences(tmp_path / "whole")
    assert problems(out) == []


def emptied(out: Path) -> None:
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def replaced(out: Path) -> None:
    out.rename(out.with_name("elsewhere"))
    out.mkdir()
    (out / "notes.txt").write_text("mine")


REMOVED: dict[str, Callable[[Path], object]] = {"removed": shutil.rmtree, "emptied": emptied, "replaced": replaced}


@pytest.mark.parametrize("how", REMOVED)
@pytest.mark.parametrize("interrupt", [False, True])
def test_a_folder_that_is_removed_meanwhile(how: str, interrupt: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "20", "--seeds", "3", "--out", out) as process:
        wait_for(out / "results" / "numpy-seed0.json", process)
        process.send_signal(signal.SIGSTOP)  # otherwise it may write while the folder is being removed
        REMOVED[how](out)
        process.send_signal(signal.SIGCONT)
        if interrupt:
            process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == (130 if interrupt else 1), error
    assert error.count(f"the output folder {out} was removed or replaced while this command was at work in it") == 1
    assert "Traceback" not in error
    left = [path.name for path in out.iterdir()] if out.exists() else None
    assert left == {"removed": None, "emptied": [], "replaced": ["notes.txt"]}[how]


def test_a_folder_that_is_removed_before_the_report(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(*QUICK, "--epochs", "1", "--out", out, first="import sys" + SLOW_REPORT.format(s=2)) as process:
        reporting(process)
        shutil.rmtree(out)
        _, error = rest_of(process)
    assert process.returncode == 1, error
    assert f"the output folder {out} was removed or replaced" in error
    assert not out.exists()


# Two commands each. The most productive case is in the default suite. The others take 20 s of processor time.
@pytest.mark.parametrize(
    "variable",
    [
        "PYTHONWARNINGS=error",
        pytest.param("LC_ALL=C", marks=pytest.mark.long),
        pytest.param("PYTHONOPTIMIZE=2", marks=pytest.mark.long),
    ],
)
def test_surroundings_that_change_nothing(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, (name, value) = tmp_path / "out", variable.split("=")
    monkeypatch.setenv(name, value)
    both = ["--implementations", "numpy,numpy_again", "--dataset", "digits", "--model", "dense_baseline"]
    for arguments in (
        [*QUICK, "--epochs", "1", "--out", out],
        ["parity", *both, "--steps", "2", "--out", tmp_path / "parity"],
    ):
        with running(*arguments) as process:
            _, error = process.communicate(timeout=GENEROUS_S)
        assert process.returncode == 0, error
        assert "Warning" not in error
    assert problems(out) == []


@pytest.mark.pictures
@pytest.mark.slow
def test_another_programs_backend_changes_nothing(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matplotlib cannot be imported with that name."""
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    (run_folder / "report.md").unlink()
    with running("report", run_folder, dots=False) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 0, error
    assert (run_folder / "report.md").exists()


@pytest.mark.parametrize("closed", [(0,), (0, 1, 2), (2,)])
def test_no_file_gets_the_number_of_a_stream_that_was_closed(closed: tuple[int, ...]) -> None:
    """Otherwise messages for standard error would be written into the file."""
    code = "import os, sys; from compare.__main__ import _fill_standard_descriptors as fill"
    then = f"[os.close(n) for n in {closed}]; fill(); sys.exit(os.open('/dev/null', 0))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {then}"], check=False, cwd=ROOT)
    assert done.returncode == 3
