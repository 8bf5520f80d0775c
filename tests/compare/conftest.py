"""A folder that a run wrote, for tests of what is done with one."""

import shutil
import sys
from pathlib import Path

import pytest
from numpy_specs import numpy_spec

from compare.__main__ import main
from compare.registry import IMPLEMENTATIONS
from compare.reporting import plots


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of the NumPy implementation wrote, with two seeds and all that a run can write."""
    out = tmp_path_factory.mktemp("written") / "run"
    options = "--dataset digits --model dense_baseline --implementations numpy --epochs 1 --seeds 2 --target 0.5"
    with pytest.MonkeyPatch.context() as patch:
        root = Path(__file__).parents[2]
        patch.setenv("PYTHONPATH", f"{root}:{root / 'tests' / 'support'}:{root / 'examples' / 'numpy_impl'}")
        patch.setitem(IMPLEMENTATIONS, "numpy", numpy_spec("numpy", "numpy_misbehaving"))
        _save_dots(patch)
        patch.setattr(sys, "argv", ["compare", *options.split(), "--tensorboard", "--quiet", "--out", str(out)])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 0
    return out


@pytest.fixture
def run_folder(written: Path, tmp_path: Path, numpy_implementation: str) -> Path:
    """A copy of `written`, to be done with as one likes."""
    copy = tmp_path / "run"
    shutil.copytree(written, copy)
    return copy


@pytest.fixture(autouse=True)
def quick_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn, and then saved as a dot, but in tests marked `pictures`: saving them takes most of a report's
    time."""
    if not request.node.get_closest_marker("pictures"):
        _save_dots(monkeypatch)


def _save_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    """As tests/support/commands.py does it in processes of their own."""
    dot = b"\x89PNG\r\n\x1a\n"
    monkeypatch.setattr(plots, "to_png", lambda figure: dot)
    monkeypatch.setattr(plots, "to_svg", lambda figure: b'<svg xmlns="http://www.w3.org/2000/svg"/>')
