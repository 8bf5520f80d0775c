"""The manifest names the code that wrote a folder: the commit of the checkout, and whether it was changed since."""

import subprocess
from pathlib import Path

import pytest

from compare import own_packages
from compare.folders import manifest


def test_the_commit_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_packages, "HOME", tmp_path)
    assert manifest.code_commit() is None
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "a")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")
    (tmp_path / "code.py").write_text("1")
    for arguments in (["init", "-q"], ["add", "code.py"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert manifest.code_commit() == head[:12]
    (tmp_path / "code.py").write_text("2")
    assert manifest.code_commit() == f"{head[:12]}+"
    monkeypatch.setattr(manifest, "_git", slow_status)
    assert manifest.code_commit() == "0123456789ab+"  # known even on a busy machine


def slow_status(command: str, *arguments: str) -> str:
    """Answer like a Git that returns the commit at once, but takes too long to read every file."""
    if command == "rev-parse":
        return "0123456789ab"
    raise subprocess.TimeoutExpired(["git", command, *arguments], 10)


def test_this_code_is_looked_for_in_its_own_checkout() -> None:
    """The tests run from a checkout, or from a copy without one."""
    checkout = Path(__file__).parents[3]
    assert checkout == own_packages.HOME
    assert (manifest.code_commit() is not None) == (checkout / ".git").exists()
