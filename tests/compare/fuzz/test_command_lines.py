"""No command line gives a traceback. It is accepted, or refused with a reason and exit code 2."""

import io
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import click
import numpy as np
import pytest
from fuzzing import bounded, quick, thorough
from hypothesis import given
from hypothesis import strategies as st

from compare.__main__ import main
from compare.cli.app import app
from compare.options.option import Option
from compare.processes.process import WorkerProcess
from shared.data.fetch import OFFLINE_VARIABLE

N_QUICK, N_LONG = 100, 2_000

NUMBERS = [
    "-1",
    "0",
    "1",
    "3",
    "0.5",
    "1e400",
    "nan",
    "inf",
    "1e-300",
    "10000000000000000000000",
    "2,2",
    "1,x",
    ",",
    "-",
    "--",
]
NAMES = [
    "auto",
    "all",
    "none",
    "default",
    "tuned",
    "cpu",
    "cuda",
    "torch",
    "keras,tf_lowlevel",
    "torch,torch",
    "numpy",
    "cnn_same",
    "dense_baseline",
    "cnn_sam",
    "digits",
    "photographs",
    "mnist",
    "adam",
    "sgd",
    "linear",
    "matched",
    "idiomatic",
    "float64",
    "bfloat16",
    "onnx",
    "inferno",
]
WORDS = [*NUMBERS, *NAMES, "", "\xe9\udcff", "a b", "$(id)", "x" * 5_000]
COMMANDS = app.commands
LEFT_OUT = {"--mlflow"}  # would connect to a server


class WorkersWouldStart(BaseException):
    """The command line is accepted."""


@pytest.fixture
def paths(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return paths of all sorts below the current folder, without workers or a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    monkeypatch.setenv("COMPARE_DATA_DIR", str(tmp_path / "no-data"))

    def start(*_: object, **__: object) -> None:
        raise WorkersWouldStart

    monkeypatch.setattr(WorkerProcess, "__init__", start)
    shutil.copytree(written, "run")
    shutil.copytree(written, "broken")
    Path("broken/results/numpy-seed0.json").write_text("{}")
    Path("empty").mkdir()
    Path("file").write_text("text")
    os.mkfifo("pipe")
    Path("link").symlink_to("link")
    np.savez("bad.npz", x_train=np.zeros(3))
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (12, 28, 28), np.uint8), np.arange(12) % 10
    np.savez("good.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    Path("net.py").write_text("net = None")
    Path("net.onnx").write_bytes(b"no network")
    Path("pipe.onnx").symlink_to("pipe")
    (tmp_path / "own").mkdir()
    Path("own/torch.py").write_text("class Network: ...")
    Path("own/contract.json").write_text("[" * 5_000)
    named = "run broken empty file pipe link bad.npz good.npz nowhere nowhere.npz pipe.npz run/results"
    models = "net.py:net net.py:net(1) net.py:other net.onnx pipe.onnx nowhere:net own/ empty/ pipe/ net.py"
    data = "folder:empty folder:run folder:pipe idx:run idx:pipe run/report.md own:x"
    return [*named.split(), *models.split(), *data.split(), "/proc/1/x", "x" * 300, "good.npz/x"]


@pytest.mark.slow
def test_a_command_line(paths: list[str], tmp_path: Path) -> None:
    @quick(N_QUICK)
    @given(_command_line(paths))
    def check(arguments: list[str]) -> None:
        _check(arguments, tmp_path)

    check()


@pytest.mark.long
def test_thousands_of_command_lines(paths: list[str], tmp_path: Path) -> None:
    @thorough(N_LONG)
    @given(_command_line(paths))
    def check(arguments: list[str]) -> None:
        _check(arguments, tmp_path)

    check()


@st.composite
def _command_line(draw: st.DrawFn, paths: list[str]) -> list[str]:
    """Draw a command with its options and values that may be invalid, and occasionally other options."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.lists(st.sampled_from([*WORDS, *COMMANDS]), max_size=4))
    name = draw(st.sampled_from(list(COMMANDS)))
    options, positional = [], []
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            options.append(parameter)
        else:
            positional.append(parameter)
    values = [*WORDS, *paths]
    arguments = [draw(st.sampled_from([*paths, "mnist"])) for _ in positional if draw(st.integers(0, 9))]
    for option in draw(st.lists(st.sampled_from(options), max_size=4, unique=True)):
        if option.opts[0] not in LEFT_OUT:
            arguments += [option.opts[0]] if option.is_flag else [option.opts[0], draw(_value(option, values))]
    return [name, *arguments]


def _value(option: click.Option, values: list[str]) -> st.SearchStrategy[str]:
    """Draw any value, or one of the names and bounds that the option declares."""
    one: Option | None = getattr(option, "declared", None)
    if one is None:
        return st.sampled_from(values)
    ends = [end for end in (one.ge, one.gt, one.le, one.lt) if end is not None]
    beside = [end + by for end in ends for by in (-1, 1)]
    own = [*one.choices, one.word, one.default_in_words, ",".join(one.choices), *map(str, [*ends, *beside])]
    return st.sampled_from(values) | st.sampled_from(own)


def _check(arguments: list[str], folder: Path) -> None:
    before = set(folder.iterdir())
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace"))
    code: object = None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), bounded():
        patch.setattr(sys, "argv", ["compare", *arguments])
        try:
            main()
        except WorkersWouldStart:
            code = "started"
        except SystemExit as ended:
            code = ended.code
    for made in set(folder.iterdir()) - before:
        shutil.rmtree(made)
    err.seek(0)
    said = err.read()
    assert code in (0, 1, 2, "started"), f"{code}: {said}"
    if code == 2:
        assert said.strip()
        assert len(said) < 12_000, said
        assert "Traceback" not in said
