"""A model run by another Python: one framework is compared with itself in two environments."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from compare.commands.port import _request
from compare.options.port import PortOptions
from compare.port import Port
from compare.processes.interpreters import NEEDED, interpreter
from shared.errors import InputError

MODEL = """import torch
from torch import nn

try:
    from flavour import EPSILON
except ImportError:
    EPSILON = 1e-5


def build():
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8, eps=EPSILON))
"""
LEFT_OUT = ("pydantic", "annotated_types", "typing_inspection", "__editable__", "compare", "_virtualenv", "distutils")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with all packages installed here, except this project and its message
    readers."""
    folder = tmp_path_factory.mktemp("environment") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(LEFT_OUT) and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    (packages / "flavour.py").write_text("EPSILON = 1e-3\n")
    return folder / "bin" / "python"


def test_what_an_environment_lacks_is_given(other: Path, tmp_path: Path) -> None:
    found = interpreter(other)
    assert {"pydantic", "pydantic_core"} <= set(found.given) <= set(NEEDED)
    code = "import compare.rpc.port_messages, pydantic, json, sys; print(json.dumps([pydantic.__file__, sys.prefix]))"
    variables = {"PYTHONPATH": found.path(tmp_path), "PYTHONSAFEPATH": "1"}
    said = subprocess.run([other, "-c", code], env=variables, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [str(tmp_path / "path" / "pydantic" / "__init__.py"), str(other.parents[1])]


def test_an_interpreter_that_runs_no_worker(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not run as a Python: No such file"):
        interpreter(tmp_path / "python")
    for text, said in (
        ("exit 3", "exited with code 3"),
        ("echo nothing", "JSONDecodeError"),
        ('echo \'[[3, 8], "cpython-38", ["numpy"]]\'', "is Python 3.8, and a worker needs 3.11 or later"),
        ("echo '[[3, 12], \"cpython-312\", []]'", "has no NumPy"),
        ('echo \'[[3, 99], "cpython-399", ["numpy"]]\'', "built for another version. Install it"),
    ):
        fake = tmp_path / "fake"
        fake.write_text(f"#!/bin/sh\n{text}\n")
        fake.chmod(0o755)
        with pytest.raises(InputError) as raised:
            interpreter(fake)
        assert said in str(raised.value)


def test_the_options_say_which_python_runs_which_model() -> None:
    request = _request(PortOptions(left="a.py:A", right="b.py:B", left_python=Path("x/python")))
    assert request.pythons == (Path("x/python"), None)


@pytest.mark.long  # starts PyTorch twice more
def test_one_model_in_two_environments(other: Path, port: Port, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    reference = f"{tmp_path}/model.py:build"
    found = port.check(reference, reference, input=(6,), pythons=(other, None))
    (cause,) = found.causes
    assert (cause.cause, cause.left, cause.right) == ("layer_norm.epsilon", "0.001", "1e-05")
    assert port.check(reference, reference, input=(6,), pythons=(other, other)).verdict == "same"
