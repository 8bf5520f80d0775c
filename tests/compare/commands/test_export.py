"""`compare export`: a network is written and compared with its own logits, and bad requests are refused."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.commands.verify import problems
from compare.registry import IMPLEMENTATIONS


def export(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", "export", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.slow
def test_a_network_of_another_framework_is_written_held_against_itself_and_belongs_to_the_folder(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The NumPy implementation trained it, and PyTorch writes it."""
    assert export(monkeypatch, run_folder, "--format", "torch", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    path = run_folder / "exports" / "numpy-seed0.pt2"
    assert (said["file"], said["network"], said["input_shape"]) == (str(path), "numpy-seed0", [1, 28, 28])
    assert 0 <= said["distance"] < 1e-5
    assert path.stat().st_size > 4 * 101_770
    assert problems(run_folder) == []

    assert export(monkeypatch, run_folder, "--format", "torch") == 2
    assert "already exists" in capsys.readouterr().err


def test_a_file_that_is_not_the_network_is_not_left(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The NumPy implementation of the tests writes files with other logits."""
    for name, exports in (("torch", ()), ("numpy", ("torch",))):
        monkeypatch.setitem(IMPLEMENTATIONS, name, replace(IMPLEMENTATIONS[name], exports=exports))
    assert export(monkeypatch, run_folder, "--format", "torch", "--out", tmp_path / "here" / "x.pt2") == 2
    assert "was not exported" in capsys.readouterr().err
    assert not (tmp_path / "here").exists()
    assert problems(run_folder) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "onxx"), "Did you mean 'onnx'"),
        (("--format", "torch", "--seed", "7"), "no run of numpy with seed 7; there are 0, 1"),
        (("--format", "torch", "--implementation", "keras"), "no trained network of 'keras'"),
        (("--format", "onnx"), "needs onnxscript"),
        (("--format", "keras", "--out", "NAME"), "names of this format end with .keras"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...],
    said: str,
    run_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    assert export(monkeypatch, run_folder, *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (run_folder / "exports").exists()
