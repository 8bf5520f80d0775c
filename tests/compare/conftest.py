"""Fixtures with the folder of a run, for tests that process one."""

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
    """Return the folder of a run of the NumPy implementation, with two seeds and every kind of output."""
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
    """Return a copy of `written`, which a test may change."""
    copy = tmp_path / "run"
    shutil.copytree(written, copy)
    return copy


@pytest.fixture(autouse=True)
def quick_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw pictures but save them as a dot, except in tests marked `pictures`.

    Saving them takes most of the time of a report.
    """
    if not request.node.get_closest_marker("pictures"):
        _save_dots(monkeypatch)


def _save_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save every picture as a dot, as tests/support/commands.py does in other processes."""
    dot = b"\x89PNG\r\n\x1a\n"
    monkeypatch.setattr(plots, "to_png", lambda figure: dot)
    monkeypatch.setattr(plots, "to_svg", lambda figure: b'<svg xmlns="http://www.w3.org/2000/svg"/>')
