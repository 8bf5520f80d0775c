"""A forked process of the tests behaves like an executed one, apart from its imports."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from commands import ROOT, command_server, uninterruptible
from forking import AVAILABLE, Forked, same_start

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="processes are forked on Linux alone")
ABOUT = """
import json, os, signal, sys
about = {
    "parent": os.getppid(), "session": os.getsid(0), "folder": os.getcwd(), "arguments": sys.argv[1:],
    "variable": os.environ.get("NUMPY_FAULTY"), "open": sorted(map(int, os.listdir("/proc/self/fd")))[:4],
    "ignored": signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "imported": "pandas" in sys.modules,
    "frameworks": sorted({"torch", "tensorflow", "keras"} & sys.modules.keys()), "umask": os.umask(0),
}
print(json.dumps(about))
"""


def forked(code: str, *arguments: str, **how: object) -> Forked:
    run = {"run": "code", "code": code, "arguments": arguments}
    return Forked(run, command_server().fork, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def test_it_is_a_child_with_its_own_surroundings(tmp_path: Path) -> None:
    environment = os.environ | {"NUMPY_FAULTY": "rate"}
    how = {"env": environment, "cwd": tmp_path, "start_new_session": True, "umask": 0o027}
    with forked(ABOUT, "a b", **how, preexec_fn=uninterruptible) as process:
        about = json.loads(process.communicate()[0])
    assert process.returncode == 0
    assert about["open"][:3] == [0, 1, 2]
    assert len(about["open"]) == 4  # the last is the list itself
    assert about == about | {
        "parent": os.getpid(), "session": process.pid, "folder": str(tmp_path), "arguments": ["a b"],
        "variable": "rate", "ignored": True, "imported": True, "frameworks": [], "umask": 0o027,
    }  # fmt: skip
    assert not Path(f"/proc/{process.pid}").exists()  # it was waited for


@pytest.mark.parametrize(
    ("code", "ended", "error"),
    [
        ("", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('for this reason')", 1, "for this reason\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n"),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("import atexit, sys; atexit.register(print, 'at the end', file=sys.stderr)", 0, "at the end\n"),
    ],
)
def test_it_ends_as_python_ends(code: str, ended: int, error: str) -> None:
    with forked(code) as process:
        assert process.communicate()[1].endswith(error)
    assert process.returncode == ended


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONOPTIMIZE", "MPLBACKEND", "OPENBLAS_NUM_THREADS", "LC_ALL"])
def test_what_is_read_at_the_start_is_no_reason_to_fork(name: str) -> None:
    assert not same_start(os.environ | {name: "2"}, os.environ)


def test_what_is_read_later_is_none_to_execute() -> None:
    assert same_start(os.environ | {"TMPDIR": "/elsewhere", "PYTHONPATH": str(ROOT)}, os.environ)
