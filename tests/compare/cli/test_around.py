"""The environment does not change the command: a user's own packages in the folder or on PYTHONPATH."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import GENEROUS_S

from compare import own_packages
from compare.processes import environment

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with packages and modules named like this project's or Python's own."""
    for name in ("shared", "shared/data", "tests", "torch_impl"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('a {name} of another user')\n")
    for name in ("types.py", "resource.py", "numpy.py"):
        (tmp_path / name).write_text("raise ImportError('a module of another user')\n")
    return tmp_path


def run(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "compare", "models"],
        cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=GENEROUS_S,
    )  # fmt: skip


def test_a_project_with_such_packages(project: Path) -> None:
    done = run(project, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr) == (0, "")
    assert "cnn_same" in done.stdout


def test_such_packages_on_the_path(project: Path, tmp_path: Path) -> None:
    for name in ("types.py", "resource.py", "numpy.py"):  # Python itself would import these from there
        (project / name).unlink()
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty", PYTHONPATH=os.pathsep.join([str(project), str(ROOT)]))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", [f"{os.pathsep}{ROOT}", f".{os.pathsep}{ROOT}"])
def test_the_project_itself_on_the_path(path: str, project: Path) -> None:
    """It is on the path by name, or by an empty part as in "$PYTHONPATH:folder" without the variable. The installed one
    wins."""
    (project / "click.py").write_text("raise ImportError('a click of another user')\n")
    for name in ("types.py", "resource.py"):  # Python itself would import these from there
        (project / name).unlink()
    done = run(project, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cnn_same" in done.stdout


def test_a_worker_does_not_get_them(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), str(mine)]))
    path = environment.worker_variables(1, tmp_path, hide_cuda=True)["PYTHONPATH"].split(os.pathsep)
    assert str(project) not in path
    assert str(mine) in path


def test_what_is_ours_is_found_where_this_code_is() -> None:
    found = own_packages.Finder.find_spec("shared", None)
    assert found is not None
    assert Path(found.origin or "").parent == ROOT / "shared"
    assert own_packages.Finder.find_spec("numpy", None) is None
    assert not own_packages.hides(ROOT)
